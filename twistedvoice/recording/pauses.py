# -*- test-case-name: tests.recording.test_pauses -*-
"""Where a recording is paused, and what must therefore not be in it.

Two rules, and sound is silence by either: what came, or was played by our clock, while
the recording was paused; and what lies in a paused span of the recording, whenever it
came. :mod:`.mixer` asks before it hands anything on, so that no file has ever had any
of it, and :mod:`.settle` asks again before sound is moved. Knows no file and no clock.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from ..formats import AudioFormat
from ..realtime.tracks import Note
from .pieces import CALLER, CHANNELS, SERVICE, put

__all__ = ["PAUSE", "RESUME", "Pauses", "outside", "paused_spans"]

#: The kinds of notes, and of lines of the sidecar.
PAUSE, RESUME = "pause", "resume"

Frames = Sequence[tuple[int, bytes]]
Span = tuple[int, int]

#: Where a pause ends that has no end yet.
_OPEN = sys.maxsize
#: The caller's sound that was on its way at a resume: so little is known of how far the
#: carrier's time has come.
_ON_ITS_WAY_US = 40_000


class Pauses:
    """The pauses of one recording."""

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self._format = format
        self._on_its_way = format.rate * _ON_ITS_WAY_US // 1_000_000
        self._is_on = False
        #: By our clock; those that sound may still come of.
        self._ours: list[Span] = []
        #: On the recording's time, in samples; and what is not there yet.
        self._spans: list[Span] = []
        self._unplaced: list[Note] = []

    def __bool__(self) -> bool:
        """Whether anything may have to be silent."""
        return bool(self._ours or self._spans or self._unplaced)

    @property
    def state(self) -> tuple[int, ...]:
        """What :meth:`resume` needs; empty when it was never paused."""
        if not self._spans:
            return ()
        return (len(self._ours), *chain(*self._ours), *chain(*self._spans))

    def resume(self, state: Sequence[int]) -> None:
        """Go on where another writer of the same recording died, paused or not."""
        if not state:
            return
        ours, *numbers = state
        spans = list(zip(numbers[::2], numbers[1::2], strict=True))
        self._ours, self._spans = spans[:ours], spans[ours:]
        self._is_on = self._spans[-1][1] == _OPEN

    def heard(self, frames: Frames, notes: Iterable[Note]) -> Frames:
        """
        Take note of pauses.

        :returns: the frames, silent where they came while it was paused.
        """
        turns = [note for note in notes if note.kind in (PAUSE, RESUME)]
        if not turns and not self._is_on:
            return frames
        kept: list[tuple[int, bytes]] = []
        done = 0
        for note in turns:
            kept += self._came(frames[done : note.heard])
            done = max(done, note.heard)
            self._turn(note)
        kept += self._came(frames[done:])
        return kept

    def played(self, frames: Frames, until_us: int) -> Frames:
        """
        :param until_us: all that was played before is here.
        :returns: the frames, silent where they play while it is paused, by our clock.
        """
        if not self._ours:
            return frames
        kept = [(start_us, self._unsaid(start_us, sound)) for start_us, sound in frames]
        self._ours = [span for span in self._ours if span[1] > until_us]
        return kept

    def place(self, lead_us: int) -> Iterator[Mapping[str, object]]:
        """
        Put what is new on the recording's time.

        :param lead_us: how much that is ahead of ours.
        :returns: lines for the sidecar.
        """
        for note in self._unplaced:
            at = max(0, (note.at_us + lead_us) * self._format.rate // 1_000_000)
            if note.kind == PAUSE:
                at = max(at, self._spans[-1][1] if self._spans else 0)
                self._spans.append((at, _OPEN))
            else:
                start, _ = self._spans[-1]
                at = max(at, start)
                self._spans[-1] = (start, at)
            yield {"kind": note.kind, "at": at * 1000 / self._format.rate}
        self._unplaced.clear()

    def spans(self, *, caller: bool) -> Sequence[Span]:
        """:returns: what is silent on one side, in samples."""
        if not caller or not self._spans:
            return self._spans
        return [(start, end + self._on_its_way) for start, end in self._spans]

    def silence(self, both: bytearray, start: int, *, caller: bool) -> None:
        """Make silent what is paused on one side of sound that begins at ``start``."""
        width, channel = self._format.sample_bytes, CALLER if caller else SERVICE
        stop = start + len(both) // (CHANNELS * width)
        for first, last in self.spans(caller=caller):
            first, last = max(first, start), min(last, stop)
            if first < last:
                silence = self._format.silence((last - first) * width)
                put(both, first - start, silence, width, channel)

    def let(self, frames: Frames, *, caller: bool) -> Frames:
        """:returns: what of one side's frames is not paused, in pieces."""
        if not self._spans or not frames:
            return frames
        width, spans = self._format.sample_bytes, self.spans(caller=caller)
        return [
            (start, sound[(start - at) * width : (end - at) * width])
            for at, sound in frames
            for start, end in outside(at, at + len(sound) // width, spans)
        ]

    def _turn(self, note: Note) -> None:
        self._is_on = note.kind == PAUSE
        if self._is_on:
            self._ours.append((note.at_us, _OPEN))
        else:
            self._ours[-1] = (self._ours[-1][0], note.at_us)
        self._unplaced.append(note)

    def _came(self, frames: Frames) -> Frames:
        if not self._is_on:
            return frames
        return [(at, self._format.silence(len(sound))) for at, sound in frames]

    def _unsaid(self, start_us: int, sound: bytes) -> bytes:
        end_us = start_us + self._format.duration_us(len(sound))
        for first_us, last_us in self._ours:
            if first_us < end_us and start_us < last_us:
                first = self._format.bytes_in(max(0, first_us - start_us))
                last = self._format.bytes_in(min(last_us, end_us) - start_us)
                silence = self._format.silence(last - first)
                sound = sound[:first] + silence + sound[last:]
        return sound


def outside(start: int, end: int, spans: Iterable[Span]) -> Iterator[Span]:
    """
    :param spans: in order.
    :returns: what of ``start`` to ``end`` is in none of the spans.
    """
    for first, last in spans:
        if start < min(first, end):
            yield start, min(first, end)
        start = max(start, last)
    if start < end:
        yield start, end


def paused_spans(lines: Iterable[Mapping[str, object]], rate: int) -> list[Span]:
    """:returns: where a journal says that its recording is paused, in samples."""
    spans: list[Span] = []
    for line in lines:
        if line["kind"] not in (PAUSE, RESUME):
            continue
        at = round(float(str(line["at"])) * rate / 1000)
        if line["kind"] == PAUSE:
            # A writer that died may have said so before.
            if not spans or spans[-1][1] != _OPEN:
                spans.append((at, _OPEN))
        elif spans:
            spans[-1] = (spans[-1][0], at)
    return spans
