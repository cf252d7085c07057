"""Tests for :mod:`twistedvoice.calls.oneatime`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.oneatime import OneATime


class OneATimeTests(SynchronousTestCase):
    """What takes long, once a turn."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.done: list[str] = []
        self.takes = 0.0
        self.work = OneATime[str](self.clock, self.do)

    def do(self, thing: str) -> None:
        """Do something; a word with a comma brings more work."""
        self.done.append(thing)
        self.clock.rightNow += self.takes
        first, _, more = thing.partition(",")
        if more:
            self.work.add(more)
        if first == "bad":
            raise ValueError(first)

    def turn(self) -> None:
        """Let one turn of the reactor go by, which Clock does not know."""
        [call] = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), self.clock.seconds())
        call.cancel()
        self.work._go_on()

    def test_alone(self) -> None:
        """What comes alone is done at once, and nothing is left to do."""
        self.work.add("a")
        self.clock.advance(0.002)
        self.work.add("b")
        self.assertEqual(self.done, ["a", "b"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_together(self) -> None:
        """What comes together is done in order, one thing in each turn."""
        for thing in "abc":
            self.work.add(thing)
        self.assertEqual((self.done, len(self.work)), (["a"], 2))
        self.turn()
        self.assertEqual(self.done, ["a", "b"])
        self.turn()
        self.assertEqual((self.done, len(self.work)), (["a", "b", "c"], 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_soon_after(self) -> None:
        """What comes soon after long work waits for a turn, too."""
        self.takes = 0.5
        self.work.add("a")
        self.clock.advance(0.4)
        self.work.add("b")
        self.assertEqual(self.done, ["a"])
        self.clock.advance(0)
        self.assertEqual(self.done, ["a", "b"])

    def test_many(self) -> None:
        """The more wait, the more are done in a turn."""
        for _ in range(161):
            self.work.add("a")
        turns = 0
        while self.work:
            self.turn()
            turns += 1
        self.assertEqual(len(self.done), 161)
        self.assertLess(turns, 60)
        self.assertGreater(turns, 30)

    def test_from_within(self) -> None:
        """What the work itself brings waits, too."""
        self.work.add("a,b")
        self.assertEqual(self.done, ["a,b"])
        self.clock.advance(0.002)
        self.assertEqual(self.done, ["a,b", "b"])

    def test_failure(self) -> None:
        """What fails keeps nothing else from being done."""
        with self.assertRaises(ValueError):
            self.work.add("bad,c")
        self.clock.advance(0.002)
        self.assertEqual(self.done, ["bad,c", "c"])
