"""What is remembered of a call."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.memory import Line, Memory

__all__ = ["MemoryTests"]


def line(at_ms: int, text: str = "words") -> Line:
    """:returns: something the caller said."""
    return Line(who="caller", text=text, at_ms=at_ms)


class MemoryTests(SynchronousTestCase):
    """The lines of a call."""

    def test_order(self) -> None:
        """Lines are in the order in which they were said, however late they come."""
        memory = Memory()
        for at_ms in (300, 100, 200):
            memory.add(line(at_ms))
        self.assertEqual([each.at_ms for each in memory.lines()], [100, 200, 300])

    def test_bounded(self) -> None:
        """A long call is remembered from its end."""
        memory = Memory()
        for at_ms in range(500):
            memory.add(line(at_ms))
        self.assertEqual([each.at_ms for each in memory.lines()], [*range(300, 500)])
        memory.add(line(500, "x" * 19_990))
        self.assertEqual([each.at_ms for each in memory.lines()], [498, 499, 500])

    def test_private(self) -> None:
        """A line does not show its words."""
        self.assertNotIn("words", repr(line(1)))
