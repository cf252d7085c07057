# -*- test-case-name: tests.realtime.test_schedule -*-
"""The one paced schedule: visits every stream once in 20 ms, each on its own grid.

A LoopingCall turns it, and whoever keeps the reactor with other work has it look in
between, so that a long row of reads delays nothing that is due. Streams stand in one
line in the order in which they are due. It keeps time and isolates failures, and knows
nothing of carriers, calls or agents.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from operator import attrgetter
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from ..errors import CallStateError
from ..formats import FRAME_US
from ..metrics import LATENESS_BOUNDS_US, Histogram
from .flags import Flags
from .meters import StreamMeters

__all__ = ["TURNS", "Schedule", "Ticked", "microseconds"]

#: Turns in one period, two milliseconds each. What is due is due with a turn: to send
#: some frames together wakes the other side less often, and costs a tenth less.
TURNS = 10
_TURN_US = FRAME_US // TURNS
#: A visit this much before its time is not early but a rounded float.
_ROUNDING_US = 100
#: How far from its ideal time a stream may be put to even out the load, in turns.
_NEARBY = (0, 1, -1, 2, -2, 3, -3)
#: The most visits in one go, beside an eighth of all: after a block the reactor gets
#: to its sockets in between.
_MOST_VISITS = 16


def microseconds(clock: IReactorTime) -> int:
    """:returns: the clock's time in whole microseconds."""
    return int(clock.seconds() * 1_000_000 + 0.5)


class Ticked(Protocol):
    """What the schedule visits."""

    flags: Flags
    meters: StreamMeters

    def tick(self, now_us: int, late_us: int = 0) -> None:
        """Do what was due ``late_us`` ago, in well under a millisecond."""


class _Place:
    """Where a stream stands in the line."""

    __slots__ = ("due_us", "stream", "turn")

    def __init__(self, stream: Ticked, due_us: int, turn: int) -> None:
        self.stream = stream
        self.due_us = due_us
        #: The turn of the period in which it is due.
        self.turn = turn


_due = attrgetter("due_us")


class Schedule:
    """
    The turns of all streams of one process.

    It is on the clock only while a stream is on it.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """:param clock: the finer, the better; see :mod:`twistedvoice.timer`."""
        self._clock = clock
        #: When the turns began.
        self._origin_us = 0
        #: In the order in which they are due.
        self._line: deque[_Place] = deque()
        self._place_of: dict[Ticked, _Place] = {}
        self._crowd = [0] * TURNS
        self._loop = LoopingCall(self.look)
        self._loop.clock = clock
        #: How late the first of those was who were visited together, in microseconds.
        self.lateness = Histogram(LATENESS_BOUNDS_US)
        #: How long the visits took that were made together.
        self.duration = Histogram(LATENESS_BOUNDS_US)
        #: Times somebody was visited, a pulse for the watchdog.
        self.turns = 0
        #: What ended the turns, if it was not the last stream that left. They go on
        #: with the next stream that joins.
        self.failure: Failure | None = None

    def __len__(self) -> int:
        return len(self._place_of)

    def join(self, stream: Ticked) -> None:
        """
        Put a stream on the schedule, half a period from now in its phase.

        :raises CallStateError: when it is on it already.
        """
        if stream in self._place_of:
            raise CallStateError("the stream is on the schedule already")
        if not self._loop.running:
            if not self._line:
                self._origin_us = microseconds(self._clock)
            turning = self._loop.start(_TURN_US / 1_000_000, now=False)
            turning.addErrback(self._turn_failed)
        place = self._quiet_place(stream, microseconds(self._clock) + FRAME_US // 2)
        self._crowd[place.turn] += 1
        self._place_of[stream] = place
        insort(self._line, place, key=_due)

    def leave(self, stream: Ticked) -> None:
        """Take a stream off the schedule; nothing happens when it is not on it."""
        place = self._place_of.pop(stream, None)
        if place is not None:
            self._line.remove(place)
            self._crowd[place.turn] -= 1
            # A turn that raised has stopped it already.
            if not self._line and self._loop.running:
                self._loop.stop()

    def crowd(self) -> list[int]:
        """:returns: how many streams are due in each turn of a period."""
        return list(self._crowd)

    def _turn_failed(self, failure: Failure) -> None:
        self.failure = failure

    def _quiet_place(self, stream: Ticked, at_us: int) -> _Place:
        wanted = (at_us - self._origin_us + _TURN_US // 2) // _TURN_US
        step = min(_NEARBY, key=lambda step: self._crowd[(wanted + step) % TURNS])
        due_us = self._origin_us + (wanted + step) * _TURN_US
        return _Place(stream, due_us, (wanted + step) % TURNS)

    # -- in the turn, and between reads: real-time code, see the golden rule -----------

    def look(self) -> None:
        """Visit who is due by now; it costs next to nothing when nobody is."""
        line = self._line
        if line:
            now_us = microseconds(self._clock)
            late_us = now_us - line[0].due_us
            if late_us >= -_ROUNDING_US:
                self.turns += 1
                self.lateness.observe(max(0, late_us))
                self._visit_due(now_us)
                self.duration.observe(microseconds(self._clock) - now_us)

    def _visit_due(self, now_us: int) -> None:
        line = self._line
        for _ in range(_MOST_VISITS + len(line) // 8):
            place = line[0]
            late_us = now_us - place.due_us
            if late_us < -_ROUNDING_US:
                return
            line.popleft()
            # What comes a little early is in time, or it would not be on the grid.
            late_us = max(0, late_us)
            at_us = max(now_us, place.due_us)
            # Periods that were missed are gone: one visit, late; never two.
            place.due_us += FRAME_US + late_us // FRAME_US * FRAME_US
            if line and line[-1].due_us > place.due_us:
                insort(line, place, key=_due)
            else:
                line.append(place)
            self._visit(place.stream, at_us, late_us)

    def _visit(self, stream: Ticked, now_us: int, late_us: int) -> None:
        if stream.flags.failure is None:
            stream.meters.lateness.observe(late_us)
            try:
                stream.tick(now_us, late_us)
            except Exception as failure:  # one stream fails, not the schedule
                stream.flags.failure = failure
