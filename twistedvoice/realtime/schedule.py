# -*- test-case-name: tests.realtime.test_schedule -*-
"""The one paced schedule: visits every stream once in 20 ms.

A LoopingCall turns it. The period is cut into slots, so that each turn serves a bounded
share of the calls. It keeps time and isolates failures, and knows nothing of carriers,
calls or agents.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from ..errors import CallStateError
from ..formats import FRAME_US
from ..metrics import LATENESS_BOUNDS_US, Histogram
from .flags import Flags
from .meters import StreamMeters

__all__ = ["SLOTS", "Schedule", "Ticked", "microseconds"]

#: Turns in one period. Two milliseconds each: finer buys little, since epoll wakes on
#: whole milliseconds, and costs idle wake-ups.
SLOTS = 10
_SLOT_US = FRAME_US // SLOTS
#: A turn this much before its time is not early but a rounded float.
_ROUNDING_US = 100
#: How far from its ideal slot a stream may be put to even out the load.
_NEARBY = (0, 1, -1, 2, -2, 3, -3)


def microseconds(clock: IReactorTime) -> int:
    """:returns: the clock's time in whole microseconds."""
    return int(clock.seconds() * 1_000_000 + 0.5)


class Ticked(Protocol):
    """What the schedule visits."""

    flags: Flags
    meters: StreamMeters

    def tick(self, now_us: int, late_us: int = 0) -> None:
        """Do what was due ``late_us`` ago, in well under a millisecond."""


class Schedule:
    """
    The turns of all streams of one process.

    It is on the clock only while a stream is on it.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._slots: list[dict[Ticked, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Ticked, int] = {}
        self._loop = LoopingCall(self._turn)
        self._loop.clock = clock
        self._origin_us = 0
        self._next = 0
        #: How late each slot was visited, in microseconds.
        self.lateness = Histogram(LATENESS_BOUNDS_US)
        #: How long the visits of one slot took.
        self.duration = Histogram(LATENESS_BOUNDS_US)
        #: Slots visited, a pulse for the watchdog.
        self.turns = 0
        #: What ended the turns, if it was not the last stream that left. They go on
        #: with the next stream that joins.
        self.failure: Failure | None = None

    def __len__(self) -> int:
        return len(self._slot_of)

    def join(self, stream: Ticked) -> None:
        """
        Put a stream on the schedule, half a period from now in its phase.

        :raises CallStateError: when it is on it already.
        """
        if stream in self._slot_of:
            raise CallStateError("the stream is on the schedule already")
        if not self._loop.running:
            self._start()
        number = self._quiet_slot(microseconds(self._clock) + FRAME_US // 2)
        self._slots[number][stream] = None
        self._slot_of[stream] = number

    def leave(self, stream: Ticked) -> None:
        """Take a stream off the schedule; nothing happens when it is not on it."""
        number = self._slot_of.pop(stream, None)
        if number is not None:
            del self._slots[number][stream]
            # A turn that raised has stopped it already.
            if not self._slot_of and self._loop.running:
                self._loop.stop()

    def sizes(self) -> list[int]:
        """:returns: how many streams each slot holds."""
        return [len(slot) for slot in self._slots]

    def _start(self) -> None:
        self._origin_us = microseconds(self._clock)
        self._next = 1
        turning = self._loop.start(_SLOT_US / 1_000_000, now=False)
        turning.addErrback(self._turn_failed)

    def _turn_failed(self, failure: Failure) -> None:
        self.failure = failure

    def _quiet_slot(self, at_us: int) -> int:
        wanted = (at_us - self._origin_us) // _SLOT_US
        nearby = [(wanted + step) % SLOTS for step in _NEARBY]
        return min(nearby, key=lambda number: len(self._slots[number]))

    def _turn(self) -> None:
        now_us = microseconds(self._clock)
        due = (now_us - self._origin_us + _ROUNDING_US) // _SLOT_US
        # A slot that was missed is visited once, late; never twice.
        for turn in range(max(self._next, due - SLOTS + 1), due + 1):
            slot = self._slots[turn % SLOTS]
            if slot:
                late_us = now_us - self._origin_us - turn * _SLOT_US
                # It has waited since the first turn that it missed.
                missed = (turn - self._next) // SLOTS * FRAME_US
                self._visit(slot, now_us, late_us, max(0, late_us) + missed)
        self._next = due + 1

    def _visit(
        self, slot: dict[Ticked, None], now_us: int, late_us: int, waited_us: int
    ) -> None:
        # Not now_us: other slots may have been visited since in the same turn.
        began_us = microseconds(self._clock)
        self.turns += 1
        self.lateness.observe(waited_us)
        for stream in slot:
            if stream.flags.failure is None:
                stream.meters.lateness.observe(waited_us)
                try:
                    stream.tick(now_us, late_us)
                except Exception as failure:  # one stream fails, not the schedule
                    stream.flags.failure = failure
        self.duration.observe(microseconds(self._clock) - began_us)
