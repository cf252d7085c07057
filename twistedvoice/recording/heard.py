# -*- test-case-name: tests.recording.test_heard -*-
"""Places the caller's sound by the carrier's stamps.

What was lost on the way stays silence of its exact length, and what comes late or out
of order goes where it belongs. A stamp that real time cannot have reached is believed
only when the frames after it confirm it, so that one wrong number costs one frame.
Positions are samples from the start of the stream; knows no clock and no file.
"""

from __future__ import annotations

from typing import NamedTuple

from ..formats import FRAME_MS, AudioFormat

__all__ = ["HeardTrack", "Jump"]

#: So many frames in sequence confirm a stamp ahead of real time ...
_CONFIRM_AHEAD = 3
#: ... and so many that the carrier counts anew: a second, which no repetition lasts.
_CONFIRM_BEHIND = 50
#: A carrier's clock that jumps further is no clock: real time places the sound.
_MOST_AHEAD_SECONDS = 60
#: Holes this old are final: nothing comes to fill them any more.
_FINAL_SECONDS = 10


class Jump(NamedTuple):
    """The carrier's clock jumped; from here on stamps are read with a correction."""

    position: int
    #: How many samples are added to each stamp that were not before.
    by: int


class HeardTrack:
    """
    The caller's side of one recording.

    Frames whose stamps only jitter are joined without a seam; a hole of half a frame
    or more stays a hole until something fills it.
    """

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self._width = format.sample_bytes
        self._rate = format.rate
        # Stamps are steered back before they are a frame off: half of one.
        self._seam = format.rate * FRAME_MS // 2000
        #: Where the sound placed so far ends.
        self.end = 0
        #: What was placed since it was last taken, in no order and without overlap.
        self.placed: list[tuple[int, bytes]] = []
        #: Frames that had no place: sent twice, or with a time that cannot be.
        self.dropped = 0
        self.jumps: list[Jump] = []
        self._holes: list[tuple[int, int]] = []
        self._doubted: list[tuple[int, bytes]] = []
        self._correction = 0

    def place(self, stamp: int, payload: bytes, limit: int) -> None:
        """
        :param stamp: where the carrier says that ``payload`` begins.
        :param limit: how far real time may have come.
        """
        position = stamp + self._correction
        size = len(payload) // self._width
        if not size:
            return
        if abs(position - self.end) < self._seam:
            self._disbelieve()
            self._extend(self.end, payload)
        elif self._continues_doubted(position):
            self._doubt(position, payload, limit)
        elif position > self.end and position + size > limit:
            self._disbelieve()
            self._doubt(position, payload, limit)
        elif position > self.end:
            self._disbelieve()
            self._extend(position, payload)
        elif not self._fill(position, payload):
            self._disbelieve()
            self._doubt(position, payload, limit)

    def gaps(self) -> list[tuple[int, int]]:
        """:returns: holes that nothing will fill any more; told once."""
        final = self.end - _FINAL_SECONDS * self._rate
        found = [hole for hole in self._holes if hole[1] <= final]
        self._holes = [hole for hole in self._holes if hole[1] > final]
        return found

    def finish(self) -> list[tuple[int, int]]:
        """:returns: the holes that are left; nothing comes any more."""
        self._disbelieve()
        holes, self._holes = self._holes, []
        return holes

    def take(self) -> list[tuple[int, bytes]]:
        """:returns: what was placed since the last time."""
        placed, self.placed = self.placed, []
        return placed

    def _extend(self, position: int, payload: bytes) -> None:
        if position > self.end:
            self._holes.append((self.end, position))
        self.placed.append((position, payload))
        self.end = position + len(payload) // self._width

    def _fill(self, position: int, payload: bytes) -> bool:
        """:returns: whether any of a frame from the past was missing."""
        stop, width = position + len(payload) // self._width, self._width
        left: list[tuple[int, int]] = []
        filled = False
        for start, end in self._holes:
            first, last = max(start, position), min(end, stop)
            if first >= last:
                left.append((start, end))
                continue
            filled = True
            piece = payload[(first - position) * width : (last - position) * width]
            self.placed.append((first, piece))
            left += [
                hole for hole in ((start, first), (last, end)) if hole[0] < hole[1]
            ]
        self._holes = left
        if stop > self.end:
            self._extend(self.end, payload[(self.end - position) * width :])
            return True
        return filled

    # -- stamps that cannot be --------------------------------------------------------

    def _continues_doubted(self, position: int) -> bool:
        if not self._doubted:
            return False
        last, payload = self._doubted[-1]
        return abs(position - last - len(payload) // self._width) < self._seam

    def _disbelieve(self) -> None:
        self.dropped += len(self._doubted)
        self._doubted.clear()

    def _doubt(self, position: int, payload: bytes, limit: int) -> None:
        doubted = self._doubted
        doubted.append((position, payload))
        is_ahead = doubted[0][0] > self.end
        if len(doubted) < (_CONFIRM_AHEAD if is_ahead else _CONFIRM_BEHIND):
            return
        self._doubted = []
        self._correct(doubted, limit)
        for _, confirmed in doubted[1:]:
            self._extend(self.end, confirmed)

    def _correct(self, confirmed: list[tuple[int, bytes]], limit: int) -> None:
        """Place the first of ``confirmed``, and read later stamps accordingly."""
        stamp, payload = confirmed[0]
        position = stamp
        if not 0 < stamp - self.end <= _MOST_AHEAD_SECONDS * self._rate:
            length = sum(len(each) for _, each in confirmed) // self._width
            position = max(self.end, limit - length)
        by = position - stamp
        self._correction += by
        self.jumps.append(Jump(position, by))
        self._extend(position, payload)
