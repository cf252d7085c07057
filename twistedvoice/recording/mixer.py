# -*- test-case-name: tests.recording.test_mixer -*-
"""Puts both sides of a call in their places on the recording's own time.

Time zero is the ``start`` of the stream. The caller's sound is placed by the carrier's
timestamps, ours by the playout clock; where neither has sound there is silence of the
exact length. Knows nothing of files: :mod:`.part` writes what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attrs import Factory, define

from ..formats import FRAME_MS, AudioFormat

__all__ = ["CALLER", "CHANNELS", "SERVICE", "Batch", "Late", "Mixed", "Mixer"]

#: The channels of a recording: the caller left, the service right.
CALLER, SERVICE = 0, 1
CHANNELS = 2

#: Sound said to be this much ahead of time is not believed.
_AHEAD_SECONDS = 10


class Batch(NamedTuple):
    """What the tracks held of the time before ``until_us``."""

    #: Milliseconds on the carrier's clock, and the caller's sound.
    heard: Sequence[tuple[int, bytes]]
    #: Microseconds on the playout clock, and ours.
    played: Sequence[tuple[int, bytes]]
    until_us: int


class Late(NamedTuple):
    """Sound that came when its place was written already."""

    channel: int
    #: The sample frame where it begins.
    position: int
    payload: bytes


class Mixed(NamedTuple):
    """What to write: ``block`` at the end, then each of ``late`` in its place."""

    #: Whole sample frames, interleaved.
    block: bytes
    late: Sequence[Late]


class Mixer:
    """
    The recording of one call, from its start on.

    Caller's frames whose timestamps only jitter are joined without a seam; a hole of
    half a frame or more stays a hole. What overlaps earlier sound of its own side is
    dropped and counted.
    """

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self._format = format
        # Timestamps are steered back before they are a frame off: half of one.
        self._heard = _Side(format, seam=format.rate * FRAME_MS // 2000)
        self._played = _Side(format, seam=0)
        #: How many sample frames were mixed.
        self.mixed = 0
        self.late_frames = 0

    @property
    def dropped_frames(self) -> int:
        """Frames that had no place: sent twice, or with a time that cannot be."""
        return self._heard.dropped + self._played.dropped

    def mix(self, batch: Batch) -> Mixed:
        """:returns: the sound from where the last batch ended to this one's end."""
        end = self._frames_in(batch.until_us)
        limit = max(end, self.mixed) + _AHEAD_SECONDS * self._format.rate
        for timestamp_ms, payload in batch.heard:
            self._heard.place(self._frames_in(timestamp_ms * 1000), payload, limit)
        for start_us, payload in batch.played:
            self._played.place(self._frames_in(start_us), payload, limit)
        return self._mix_until(end)

    def rest(self) -> Mixed:
        """:returns: what waits beyond the end of the last batch."""
        return self._mix_until(max(self._heard.end, self._played.end))

    def _mix_until(self, end: int) -> Mixed:
        start, self.mixed = self.mixed, max(self.mixed, end)
        left, left_late = self._heard.cut(start, self.mixed)
        right, right_late = self._played.cut(start, self.mixed)
        late = [Late(CALLER, *frame) for frame in left_late]
        late += [Late(SERVICE, *frame) for frame in right_late]
        self.late_frames += len(late)
        return Mixed(_interleaved(left, right, self._format.sample_bytes), late)

    def _frames_in(self, time_us: int) -> int:
        return time_us * self._format.rate // 1_000_000


@define
class _Side:
    """One side's sound that is placed but not mixed yet."""

    format: AudioFormat
    #: Frames that begin less than this many samples off the end are joined to it.
    seam: int
    #: Where the sound placed so far ends.
    end: int = 0
    waiting: list[tuple[int, bytes]] = Factory(list)
    dropped: int = 0

    def place(self, position: int, payload: bytes, limit: int) -> None:
        if abs(position - self.end) < self.seam:
            position = self.end
        overlap = max(0, self.end - position)
        rest = payload[overlap * self.format.sample_bytes :]
        if not rest or position > limit:
            self.dropped += 1
            return
        position += overlap
        self.waiting.append((position, rest))
        self.end = position + len(rest) // self.format.sample_bytes

    def cut(self, start: int, end: int) -> tuple[bytearray, list[tuple[int, bytes]]]:
        """:returns: the sound of the span, and what should have come before it."""
        width = self.format.sample_bytes
        sound = bytearray(self.format.silence((end - start) * width))
        late, waiting = [], []
        for position, payload in self.waiting:
            size = len(payload) // width
            first = min(max(start - position, 0), size)
            last = min(max(end - position, first), size)
            if first:
                late.append((position, payload[: first * width]))
            if last > first:
                at = (position + first - start) * width
                sound[at : at + (last - first) * width] = payload[
                    first * width : last * width
                ]
            if last < size:
                waiting.append((position + last, payload[last * width :]))
        self.waiting = waiting
        return sound, late


def _interleaved(left: bytearray, right: bytearray, width: int) -> bytes:
    both = bytearray(2 * len(left))
    for byte in range(width):
        both[byte :: 2 * width] = left[byte::width]
        both[width + byte :: 2 * width] = right[byte::width]
    return bytes(both)
