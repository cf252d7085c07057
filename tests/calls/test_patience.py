"""Tests of ``twistedvoice.calls.patience``."""

from __future__ import annotations

from twisted.internet.defer import Deferred, TimeoutError, succeed  # noqa: A004
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.patience import PATIENCE_SECONDS, patiently

__all__ = ["PatienceTests"]


class PatienceTests(SynchronousTestCase):
    """Waiting, and giving up."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.cancelled: list[object] = []
        self.wanted: Deferred[int] = Deferred(self.cancelled.append)

    def test_in_time(self) -> None:
        """What comes in time is passed on, and leaves no timer."""
        self.assertEqual(self.successResultOf(patiently(self.clock, succeed(7))), 7)
        waiting = patiently(self.clock, self.wanted)
        self.clock.advance(PATIENCE_SECONDS - 1)
        self.wanted.callback(8)
        self.assertEqual(self.successResultOf(waiting), 8)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failure_in_time(self) -> None:
        """A failure is passed on just so."""
        waiting = patiently(self.clock, self.wanted)
        self.wanted.errback(ZeroDivisionError())
        self.failureResultOf(waiting, ZeroDivisionError)

    def test_too_late(self) -> None:
        """What does not come is given up, and goes on undisturbed."""
        waiting = patiently(self.clock, self.wanted)
        self.clock.advance(PATIENCE_SECONDS)
        self.failureResultOf(waiting, TimeoutError)
        self.assertEqual(self.cancelled, [])
        self.wanted.callback(9)
