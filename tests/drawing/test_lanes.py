"""Tests for :mod:`twistedvoice.drawing.lanes`."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.drawing.lanes import lanes

SPANS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 20)).map(lambda x: (x[0], sum(x)))
).map(sorted)


class LanesTests(SynchronousTestCase):
    """Labels beside and above each other."""

    def test_apart(self) -> None:
        """Labels that do not touch share the first lane."""
        self.assertEqual(lanes([(0, 2), (2, 4), (9, 12)]), [0, 0, 0])

    def test_overlapping(self) -> None:
        """Of labels that overlap the left one stands higher."""
        self.assertEqual(lanes([(0, 5), (1, 6), (2, 3), (5, 8)]), [2, 1, 0, 0])

    @given(SPANS)
    def test_nothing_covered(self, spans: list[tuple[int, int]]) -> None:
        """No label covers another, nor does the line of one pass through another."""
        placed = zip(lanes(spans), spans, strict=True)
        for (lane, (_, right)), (later, (left, _)) in combinations(placed, 2):
            self.assertTrue(right <= left or lane > later)
