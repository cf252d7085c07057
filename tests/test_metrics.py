"""Histograms of whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.metrics import LATENCY_BOUNDS_US, LATENESS_BOUNDS_US, Histogram

from .carriers.junk import steady

VALUES = st.lists(st.integers(0, 8_000_000), max_size=50)


def histogram(values: Sequence[int], bounds: Sequence[int]) -> Histogram:
    """:returns: a histogram that has counted ``values``."""
    made = Histogram(bounds)
    for value in values:
        made.observe(value)
    return made


class HistogramTests(SynchronousTestCase):
    """What :class:`Histogram` counts and tells."""

    def test_bounds_are_within_their_buckets(self) -> None:
        """A value equal to a bound lies in its bucket; above the last is one more."""
        counted = histogram([0, 10, 11, 20, 21, 999], [10, 20])
        self.assertEqual(counted.counts, [2, 2, 2])
        self.assertEqual((counted.total, counted.largest), (1061, 999))

    def test_empty(self) -> None:
        """Nothing counted: no total, and every quantile is 0."""
        counted = histogram([], [10, 20])
        self.assertEqual((counted.count, counted.total), (0, 0))
        self.assertEqual(
            [counted.quantile(share) for share in (0.0, 0.5, 1.0)], [0] * 3
        )

    def test_quantile(self) -> None:
        """A quantile is the bound of its bucket, or the largest value if less."""
        counted = histogram([5] * 90 + [15] * 9 + [17], [10, 20, 30])
        self.assertEqual(counted.quantile(0.5), 10)
        self.assertEqual(counted.quantile(0.9), 10)
        self.assertEqual(counted.quantile(0.91), 17)
        self.assertEqual(counted.quantile(1.0), 17)

    def test_quantile_beyond_the_last_bound(self) -> None:
        """What is larger than every bound is told as it was."""
        self.assertEqual(histogram([1, 500], [10]).quantile(0.99), 500)

    @steady
    @given(VALUES)
    def test_conservation(self, values: list[int]) -> None:
        """Every value is in one bucket, and the sum is theirs."""
        counted = histogram(values, LATENESS_BOUNDS_US)
        self.assertEqual(counted.count, len(values))
        self.assertEqual(counted.total, sum(values))
        self.assertEqual(counted.largest, max(values, default=0))

    @steady
    @given(VALUES.filter(bool), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
    def test_quantile_is_an_upper_bound(self, values: list[int], share: float) -> None:
        """At least the share of all values is no larger than its quantile."""
        limit = histogram(values, LATENCY_BOUNDS_US).quantile(share)
        reached = sum(value <= limit for value in values)
        self.assertGreaterEqual(reached, share * len(values) - 1e-9)
        self.assertLessEqual(limit, max(values))

    def test_bounds_ascend(self) -> None:
        """The bounds that are used can be searched."""
        for bounds in (LATENESS_BOUNDS_US, LATENCY_BOUNDS_US):
            self.assertEqual(sorted(set(bounds)), list(bounds))
