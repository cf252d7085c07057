# -*- test-case-name: tests.calls.test_overload -*-
"""Tells whether this process is too late on its ticks to take another call [CP-3].

It reads the schedule's lateness from outside, once a second, and judges the last five
seconds. It refuses nobody itself: admission asks it, and ``/metrics`` shows it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..metrics import LATENESS_BOUNDS_US, Histogram

__all__ = ["LIMITS_MS", "Overload"]

_log = Logger()

#: The limits that a histogram of lateness can tell exactly: they and their halves, in
#: microseconds, are bounds of its buckets.
LIMITS_MS = tuple(
    bound // 1000
    for bound in LATENESS_BOUNDS_US
    if bound % 1000 == 0 and bound / 2 in LATENESS_BOUNDS_US
)

_LOOK_SECONDS = 1.0
#: So many seconds are judged at once.
_LOOKS = 5
#: Fewer late visits than this are one stall or two, and no trend: after a stall the
#: schedule needs some eight looks until it has visited everybody.
_LEAST_LATE = 20
#: So many looks in a row must be good before calls are taken again.
_GOOD_LOOKS = 10


class Overload:
    """
    Whether the ticks of the last seconds came too late.

    It begins when more than one in a hundred came later than the limit, and ends when
    for ten seconds no more than that came later than half of it: what made room is the
    refusing, so that calls must not be taken again at once.
    """

    def __init__(
        self, clock: IReactorTime, lateness: Histogram, *, late_ms: int
    ) -> None:
        """
        :param lateness: of all ticks, in microseconds; it may only grow, and is read.
        :param late_ms: the limit, one of ``LIMITS_MS``; 0 is none.
        """
        #: May be set at any time; holds from the next look on.
        self.late_ms = late_ms
        #: Whether it is so now.
        self.is_on = False
        self._lateness = lateness
        self._seen: deque[tuple[int, ...]] = deque(maxlen=_LOOKS + 1)
        self._good_looks = 0
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def start(self) -> None:
        """Begin to look; what was before does not count."""
        self._seen.clear()
        self._looking.start(_LOOK_SECONDS).addErrback(
            lambda failure: _log.failure("Lateness is no longer looked at", failure)
        )

    def stop(self) -> None:
        """Look no more; idempotent."""
        if self._looking.running:
            self._looking.stop()

    def _look(self) -> None:
        self._seen.append(tuple(self._lateness.counts))
        limit_us = self.late_ms * 1000
        if not limit_us:
            self._end()
        elif self._passed(limit_us):
            self._begin()
        elif self._passed(limit_us // 2):
            self._good_looks = 0
        else:
            self._good_looks += 1
            if self._good_looks >= _GOOD_LOOKS:
                self._end()

    def _passed(self, limit_us: int) -> bool:
        """Whether the 99th percentile was above ``limit_us``, a bound of a bucket."""
        then, now = self._seen[0], self._seen[-1]
        counts = [after - before for before, after in zip(then, now, strict=True)]
        late = sum(counts[bisect_left(self._lateness.bounds, limit_us) + 1 :])
        return late >= _LEAST_LATE and late * 100 > sum(counts)

    def _begin(self) -> None:
        self._good_looks = 0
        if not self.is_on:
            self.is_on = True
            _log.warn(
                "ticks are more than {late_ms} ms late; new calls are refused",
                late_ms=self.late_ms,
            )

    def _end(self) -> None:
        if self.is_on:
            self.is_on = False
            _log.info("ticks are in time again; new calls are taken")
