"""What the caller says, until it is known as text."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.heard import Heard
from twistedvoice.agents.model.memory import Line

__all__ = ["HeardTests"]


class HeardTests(SynchronousTestCase):
    """Items in pieces."""

    def setUp(self) -> None:
        self.heard = Heard()

    def test_pieces(self) -> None:
        """A line is all its pieces, and begins when the caller did."""
        self.heard.began("one", 100)
        self.heard.came("one", " tell me", 900)
        self.heard.came("one", " a story ", 1200)
        line = Line(who="caller", text="tell me a story", at_ms=100)
        self.assertEqual(self.heard.ended("one"), line)
        self.assertIsNone(self.heard.ended("one"))

    def test_began_anew(self) -> None:
        """A beginning without words counts no more when there is another."""
        self.heard.began("one", 100)
        self.heard.began("one", 500)
        self.heard.came("one", "hello", 900)
        self.heard.began("one", 1000)
        self.assertEqual([line.at_ms for line in self.heard.rest()], [500])

    def test_rest(self) -> None:
        """When no more comes what is there counts, unless it is nothing."""
        self.heard.began("one", 100)
        self.heard.came("two", "hel", 200)
        self.heard.came("three", " ", 300)
        self.assertEqual([line.text for line in self.heard.rest()], ["hel"])
        self.assertEqual(self.heard.rest(), [])
