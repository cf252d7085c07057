# -*- test-case-name: tests.realtime.test_tracks -*-
"""Both sides of a call's sound, as references to the bytes that came and went.

The receive path adds to ``heard`` and the tick to ``played``: nearly always one list
append, of bytes that exist anyway. Whoever records takes them from here, elsewhere and
later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..formats import FRAME_MS, FRAME_US, AudioFormat

__all__ = ["Note", "Track", "Tracks"]


class Note(NamedTuple):
    """Something that happened to the sound; times are on the schedule's clock."""

    #: ``clear``, or what became of an utterance: ``played``, ``cleared`` ...
    kind: str
    at_us: int
    #: How many frames of ``heard`` came before it, as its ``len`` counts them.
    heard: int
    #: Where the utterance lies on the playout clock.
    from_us: int = 0
    until_us: int = 0


class Track:
    """
    One side: frames, kept as runs of those that follow each other.

    Nearly all do, so a frame costs one reference, and a run is one piece of sound when
    it is taken.
    """

    __slots__ = ("_format", "_next", "_run", "_runs", "_size", "_step", "_unit_us")

    def __init__(self, format: AudioFormat, unit_us: int) -> None:  # noqa: A002
        """:param unit_us: how many microseconds a unit of its times is."""
        self._format = format
        self._unit_us = unit_us
        self._size = format.frame_bytes
        self._step = FRAME_US // unit_us
        #: In order of arrival; of each all frames but the last are whole.
        self._runs: list[tuple[int, list[bytes]]] = []
        self._run: list[bytes] = []
        #: When a frame begins that goes on with the newest run; None when none can.
        self._next: int | None = None

    def add(self, time: int, payload: bytes) -> None:
        """Add a frame that begins at ``time``. The tick does: real-time code."""
        if time == self._next and len(payload) == self._size:
            self._run.append(payload)
            self._next = time + self._step
        elif len(payload) > self._size:
            for number, at in enumerate(range(0, len(payload), self._size)):
                self.add(time + number * self._step, payload[at : at + self._size])
        elif payload:
            self._run = [payload]
            self._runs.append((time, self._run))
            self._next = time + self._step if len(payload) == self._size else None

    def __bool__(self) -> bool:
        return bool(self._runs)

    def __len__(self) -> int:
        """How many frames there are; what was longer than one is several."""
        return sum(len(run) for _, run in self._runs)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """When each frame begins, and its sound."""
        for start, run in self._runs:
            for number, payload in enumerate(run):
                yield start + number * self._step, payload

    @property
    def first(self) -> int | None:
        """When the earliest frame begins; None without one."""
        return min((start for start, _ in self._runs), default=None)

    def take(self, until: int | None = None) -> list[tuple[int, bytes]]:
        """
        :param until: frames that last longer stay, and all that came after one; None
            to take all.
        :returns: what is no longer here then: when each run begins, and its sound.
        """
        whole = len(self._runs)
        rest: list[bytes] = []
        if until is not None:
            for number, (start, run) in enumerate(self._runs):
                count = self._over(start, run, until)
                if count < len(run):
                    whole, rest = number, run[:count]
                    break
        taken = [(start, b"".join(run)) for start, run in self._runs[:whole]]
        del self._runs[:whole]
        if rest:
            start, run = self._runs[0]
            taken.append((start, b"".join(rest)))
            self._runs[0] = self._without(start, run, len(rest))
        self._end_of_run()
        return taken

    def cut(self, at: int) -> None:
        """Forget what lasts longer than ``at``, to the sample."""
        self._run, self._next = [], None
        while self._runs:
            start, run = self._runs[-1]
            # Of those that begin before it only the last may last longer.
            del run[max(0, -((start - at) // self._step)) :]
            if run:
                left_us = (at - start - (len(run) - 1) * self._step) * self._unit_us
                kept = run.pop()[: self._format.bytes_in(left_us)]
                run += [kept] if kept else []
            if run:
                return
            del self._runs[-1]

    def forget(self, until: int) -> None:
        """Forget the frames that begin before ``until``, in whatever order."""
        kept = [
            self._without(start, run, -((start - until) // self._step))
            for start, run in self._runs
        ]
        self._runs = [(start, run) for start, run in kept if run]
        self._end_of_run()

    def _over(self, start: int, run: list[bytes], until: int) -> int:
        """:returns: how many frames of a run are over by ``until``."""
        whole = len(run) if len(run[-1]) == self._size else len(run) - 1
        count = max(0, min((until - start) // self._step, whole))
        if count == whole < len(run):
            lasts_us = self._format.duration_us(len(run[-1]))
            left_us = (until - start - whole * self._step) * self._unit_us
            count += lasts_us <= left_us
        return count

    def _without(
        self, start: int, run: list[bytes], count: int
    ) -> tuple[int, list[bytes]]:
        """:returns: what is left of a run without its first frames."""
        if count <= 0:
            return start, run
        del run[:count]
        return start + count * self._step, run

    def _end_of_run(self) -> None:
        """Nothing goes on with the newest run, or keeps it, when that is gone."""
        if not self._runs or self._runs[-1][1] is not self._run:
            self._run, self._next = [], None


class Tracks:
    """
    The sound of one call that nobody has taken yet.

    Times count from the start of the stream. ``heard`` is in milliseconds on the
    carrier's clock, in order of arrival; ``played`` in microseconds on the playout
    clock, in playing order and without overlap.
    """

    __slots__ = ("ended_us", "format", "heard", "notes", "played")

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self.format = format
        self.heard = Track(format, FRAME_US // FRAME_MS)
        self.played = Track(format, 1)
        #: What happened besides; never noted by the tick.
        self.notes: list[Note] = []
        #: When the call ended; nothing is heard or played any more.
        self.ended_us: int | None = None

    def take(
        self, until_us: int
    ) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
        """
        Take all that was heard, and what had been played out by ``until_us``.

        :returns: ``heard`` and ``played``, frames that follow each other in one piece.
            They are no longer here then. A frame that is still playing stays, since a
            clear may yet cut it.
        """
        return self.heard.take(), self.played.take(until_us)
