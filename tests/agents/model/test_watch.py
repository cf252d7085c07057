"""Answers have their time."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.watch import Watch

__all__ = ["WatchTests"]


class WatchTests(SynchronousTestCase):
    """Ten seconds for an answer."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.lost: list[float] = []
        note = self.lost.append
        self.watch = Watch(
            self.clock, self.clock.callLater, 10, lambda: note(self.clock.seconds())
        )

    def test_nothing(self) -> None:
        """An answer that does not come is missed once."""
        self.watch.start()
        self.clock.pump([5] * 10)
        self.assertEqual(self.lost, [10])

    def test_something(self) -> None:
        """A model that says something gets more time."""
        self.watch.start()
        self.clock.advance(8)
        self.watch.told()
        self.clock.pump([1] * 20)
        self.assertEqual(self.lost, [18])

    def test_rounding(self) -> None:
        """A timer that rings a hair too early, as sums of times do, is in time."""
        self.clock.advance(0.1)
        self.watch.start(0.2)
        self.clock.rightNow = 0.3 - 1e-9
        self.watch._look()
        self.assertEqual(len(self.lost), 1)
        self.watch.stop()

    def test_stopped(self) -> None:
        """What has come is not missed; nothing is left."""
        self.watch.start()
        self.watch.start()
        self.watch.stop()
        self.watch.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
