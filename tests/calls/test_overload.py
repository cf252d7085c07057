"""Tests of ``twistedvoice.calls.overload``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.overload import LIMITS_MS, Overload
from twistedvoice.metrics import LATENESS_BOUNDS_US, Histogram

__all__ = ["LimitTests", "LookTests", "OverloadTests"]

#: Ticks in a second of a process whose every slot has a call.
TICKS = 500
#: A limit that is used all through, and lateness on either side of it and its half.
LIMIT_MS = 20
LATE, LATEST_IN_TIME = 20_001, 20_000
SO_SO, GOOD = 10_001, 10_000


class OverloadTestCase(SynchronousTestCase):
    """Ticks as late as the test says, in virtual time."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.lateness = Histogram(LATENESS_BOUNDS_US)
        self.overload = Overload(self.clock, self.lateness, late_ms=LIMIT_MS)
        self.overload.start()
        self.addCleanup(self.assertEqual, [], self.clock.calls)
        self.addCleanup(self.overload.stop)

    def tick(self, *late_us: int) -> None:
        """Ticks came so late."""
        for each in late_us:
            self.lateness.observe(each)

    def pass_second(self, late: int, of: int = TICKS, *, late_us: int = LATE) -> bool:
        """
        Let a second pass.

        :returns: whether there is overload after it.
        """
        self.tick(*[late_us] * late, *[0] * (of - late))
        self.clock.advance(1)
        return self.overload.is_on

    def begin(self) -> None:
        """Every tick is late, for five seconds."""
        for _ in range(5):
            self.assertTrue(self.pass_second(TICKS))

    def seconds_until_end(self, late: int, late_us: int) -> int:
        """:returns: how long overload lasts on with so many ticks so late a second."""
        for second in range(1, 100):
            if not self.pass_second(late, late_us=late_us):
                return second
        return 100


class OverloadTests(OverloadTestCase):
    """When it begins and when it ends."""

    def test_in_time(self) -> None:
        """Ticks that are in time, or late by no more than the limit, are no news."""
        for late_us in (0, LATEST_IN_TIME):
            for _ in range(10):
                self.assertFalse(self.pass_second(TICKS, late_us=late_us))

    def test_begins_within_a_second(self) -> None:
        """A process that cannot keep up is found out at the next look."""
        for _ in range(10):
            self.assertFalse(self.pass_second(0))
        self.assertTrue(self.pass_second(TICKS))

    def test_one_in_a_hundred(self) -> None:
        """It begins when more than one tick in a hundred was too late."""
        for _ in range(20):
            self.assertFalse(self.pass_second(TICKS // 100))
        self.assertTrue(self.pass_second(TICKS // 100 + 1))

    def test_last_seconds(self) -> None:
        """What is judged is five seconds: lateness adds up in them, and not longer."""
        for _ in range(5):
            self.pass_second(0)
        for _ in range(10):
            self.assertFalse(self.pass_second(25, of=2500))
            for _ in range(4):
                self.assertFalse(self.pass_second(0, of=0))
        self.assertTrue(self.pass_second(26, of=2500))

    def test_one_stall(self) -> None:
        """A stall makes each slot late once; one is no trend, however long."""
        self.assertFalse(self.pass_second(10, of=10, late_us=4_000_000))
        self.assertFalse(self.pass_second(9, of=9))
        self.assertTrue(self.pass_second(1, of=1))

    def test_no_ticks(self) -> None:
        """Without a call there is nothing to be late for."""
        for _ in range(20):
            self.assertFalse(self.pass_second(0, of=0))

    def test_ends_after_ten_good_seconds(self) -> None:
        """The last late tick must leave the window, and then ten looks are good."""
        self.begin()
        self.assertEqual(self.seconds_until_end(TICKS, GOOD), 4 + 10)

    def test_ends_without_calls(self) -> None:
        """When every call has ended, calls are taken again after the same time."""
        self.begin()
        for _ in range(13):
            self.assertTrue(self.pass_second(0, of=0))
        self.assertFalse(self.pass_second(0, of=0))

    def test_between_half_and_whole(self) -> None:
        """Lateness above half of the limit begins nothing, and ends nothing."""
        for _ in range(20):
            self.assertFalse(self.pass_second(TICKS, late_us=SO_SO))
        self.begin()
        self.assertEqual(self.seconds_until_end(TICKS, SO_SO), 100)

    def test_good_seconds_are_in_a_row(self) -> None:
        """One bad look in between, and ten good ones are awaited anew."""
        self.begin()
        for _ in range(10):
            self.pass_second(0)
        self.pass_second(TICKS, late_us=SO_SO)
        self.assertEqual(self.seconds_until_end(0, 0), 4 + 10)

    def test_begins_again(self) -> None:
        """What ended may begin again at once, and must be good for as long again."""
        self.begin()
        self.seconds_until_end(0, 0)
        self.begin()
        self.assertEqual(self.seconds_until_end(0, 0), 4 + 10)

    def test_log(self) -> None:
        """One warning when it begins, one line when it ends, whatever lies between."""
        with capturedLogs() as events:
            self.begin()
            self.begin()
            self.seconds_until_end(0, 0)
            self.pass_second(0)
        self.assertEqual(
            [event["log_level"] for event in events], [LogLevel.warn, LogLevel.info]
        )
        self.assertEqual(events[0]["late_ms"], LIMIT_MS)


class LimitTests(OverloadTestCase):
    """The limit."""

    def test_off(self) -> None:
        """Without a limit nothing is too late."""
        self.overload.late_ms = 0
        for _ in range(10):
            self.assertFalse(self.pass_second(TICKS, late_us=5_000_000))

    def test_switched_off(self) -> None:
        """When the limit is taken away calls are taken at the next look."""
        self.begin()
        self.overload.late_ms = 0
        self.assertFalse(self.pass_second(TICKS))

    def test_changed(self) -> None:
        """A new limit judges what is seen already."""
        self.begin()
        self.overload.late_ms = 80
        for _ in range(9):
            self.assertTrue(self.pass_second(TICKS))
        self.assertFalse(self.pass_second(TICKS))

    def test_buckets_can_tell(self) -> None:
        """Each limit that may be set, and its half, is the bound of a bucket."""
        self.assertIn(LIMIT_MS, LIMITS_MS)
        for late_ms in LIMITS_MS:
            self.assertIn(late_ms * 1000, LATENESS_BOUNDS_US)
            self.assertIn(late_ms * 500, LATENESS_BOUNDS_US)

    @settings(derandomize=True, database=None, deadline=None, max_examples=50)
    @given(
        st.sampled_from(LIMITS_MS),
        st.lists(
            st.tuples(st.sampled_from([-1, 0, 1]), st.integers(0, 300)), max_size=4
        ),
    )
    def test_exact(self, late_ms: int, near: Sequence[tuple[int, int]]) -> None:
        """What buckets say is what one would say who has seen each tick."""
        clock, lateness = Clock(), Histogram(LATENESS_BOUNDS_US)
        overload = Overload(clock, lateness, late_ms=late_ms)
        overload.start()
        seen = [late_ms * 1000 + off for off, count in near for _ in range(count)]
        for late_us in seen:
            lateness.observe(late_us)
        clock.advance(1)
        overload.stop()
        late = sum(late_us > late_ms * 1000 for late_us in seen)
        self.assertEqual(overload.is_on, late >= 20 and late > len(seen) / 100)


class LookTests(OverloadTestCase):
    """The looks."""

    def test_stop(self) -> None:
        """After a stop nothing is on the clock, and a second stop is nothing."""
        self.overload.stop()
        self.overload.stop()
        self.assertEqual(self.clock.calls, [])

    def test_starts_again(self) -> None:
        """What was before a start is not judged."""
        self.overload.stop()
        self.tick(*[LATE] * TICKS)
        self.overload.start()
        self.assertFalse(self.pass_second(0))
        self.assertTrue(self.pass_second(TICKS))

    def test_broken_meter(self) -> None:
        """A look that raises is logged, since no other follows."""
        broken: Any = None
        self.lateness.counts = broken
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
