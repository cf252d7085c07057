# -*- test-case-name: tests.test_timer -*-
"""The fine timer, set with the kernel and read by a reactor of lists."""

from __future__ import annotations

import ctypes
import os
import select
from typing import Any

from attrs import Factory, define
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.timer import FineTimer, fine_clock


@define
class Readers:
    """A reactor that knows who wants to be read, and shows a time of its own."""

    now: float = 100.0
    readers: set[Any] = Factory(set)

    def seconds(self) -> float:
        """:returns: the time."""
        return self.now

    def addReader(self, reader: object) -> None:
        """Wait for ``reader``, too."""
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:
        """Wait for it no more."""
        self.readers.discard(reader)

    def run_once(self) -> None:
        """Wait until somebody can be read, and have it read."""
        ready, _, _ = select.select(self.readers, [], [], 10)
        for reader in ready:
            reader.doRead()


class FineTimerTests(SynchronousTestCase):
    """One call at a time, by the kernel's own timer."""

    def setUp(self) -> None:
        self.reactor = Readers()
        self.timer = FineTimer(self.reactor)
        self.addCleanup(os.close, self.timer.fileno())
        self.rung: list[object] = []

    def test_rings_once(self) -> None:
        """The function is called with its arguments, once, and nothing is left."""
        call = self.timer.callLater(0.001, self.rung.append, "now")
        self.assertEqual(self.timer.getDelayedCalls(), [call])
        self.reactor.run_once()
        self.assertEqual(self.rung, ["now"])
        self.assertFalse(call.active())
        self.assertEqual(self.timer.getDelayedCalls(), [])
        self.assertEqual(self.reactor.readers, set())

    def test_at_once(self) -> None:
        """No delay at all, or less, is no reason to wait for ever."""
        for delay in (0.0, -1.0):
            self.timer.callLater(delay, self.rung.append, delay)
            self.reactor.run_once()
        self.assertEqual(self.rung, [0.0, -1.0])

    def test_cancelled(self) -> None:
        """A call that was cancelled does not come, and another may."""
        self.timer.callLater(0, self.rung.append, "never").cancel()
        self.assertEqual(self.reactor.readers, set())
        self.timer.callLater(0.001, self.rung.append, "now")
        self.reactor.run_once()
        self.assertEqual(self.rung, ["now"])

    def test_moved(self) -> None:
        """A call may be moved to another time."""
        call = self.timer.callLater(3_600, self.rung.append, "now")
        call.reset(0.001)
        self.reactor.run_once()
        self.assertEqual(self.rung, ["now"])

    def test_woken_for_nothing(self) -> None:
        """A reactor that reads too early does no harm."""
        self.timer.callLater(3_600, self.rung.append, "too early")
        self.timer.doRead()
        self.assertEqual(self.rung, [])
        self.assertEqual(len(self.reactor.readers), 1)

    def test_one_at_a_time(self) -> None:
        """A second call is refused."""
        self.timer.callLater(1, self.rung.append, 1)
        self.assertRaises(RuntimeError, self.timer.callLater, 1, self.rung.append, 2)

    def test_looping_call(self) -> None:
        """A LoopingCall goes round by it, and stops; the reactor may end before."""
        loop = LoopingCall(lambda: self.rung.append(self.reactor.now))
        loop.clock = self.timer
        loop.start(0.001, now=False)
        for _ in range(5):
            self.reactor.now += 0.001
            self.reactor.run_once()
        self.assertEqual(len(self.rung), 5)
        self.assertEqual(self.reactor.readers, {self.timer})
        loop.stop()
        self.assertEqual(self.reactor.readers, set())
        self.timer.connectionLost(Failure(OSError()))
        self.assertEqual(self.timer.logPrefix(), "timer")


class FineClockTests(SynchronousTestCase):
    """The finest clock there is."""

    def test_here(self) -> None:
        """On Linux it is the fine timer."""
        clock = fine_clock(Readers())
        assert isinstance(clock, FineTimer)
        os.close(clock.fileno())

    def test_elsewhere(self) -> None:
        """Without a timerfd it is the reactor itself."""
        self.patch(ctypes, "PyDLL", lambda name, use_errno: object())
        reactor = Readers()
        self.assertIs(fine_clock(reactor), reactor)
