"""Tests for :mod:`twistedvoice.bench.micro`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.micro import Timed, micro_table, timed


class MicroTests(SynchronousTestCase):
    """What one frame costs."""

    def test_timed(self) -> None:
        """Every step is done in both of its ways, as often as asked for."""
        found = timed(rounds=600, repeats=2)
        self.assertEqual(len(found), 4)
        for each in found:
            self.assertEqual((len(each.base_us), len(each.other_us)), (2, 2))
            self.assertGreater(min(*each.base_us, *each.other_us), 0)

    def test_table(self) -> None:
        """A row has the median and the best of both ways, and the ratio of medians."""
        one = Timed(
            name="reading",
            base="JSON",
            base_us=(8.0, 9.0, 20.0),
            other="short",
            other_us=(3.0, 2.0, 7.0),
        )
        (row,) = micro_table([one]).rows
        self.assertEqual(
            row, ("reading", "JSON", "9.00 (8.00)", "short", "3.00 (2.00)", "3.0")
        )
