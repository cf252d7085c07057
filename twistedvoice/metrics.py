# -*- test-case-name: tests.test_metrics -*-
"""Meters that real-time code can afford: plain ints and lists.

Nothing here knows Prometheus; ``web/meters`` reads these when it is scraped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["LATENCY_BOUNDS_US", "LATENESS_BOUNDS_US", "Histogram"]

#: Microseconds: how late a tick came, how long it took.
LATENESS_BOUNDS_US = (
    50, 100, 200, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000,
    20_000, 40_000, 80_000, 160_000, 320_000, 1_000_000, 5_000_000,
)  # fmt: skip
#: Microseconds: what a person waits for.
LATENCY_BOUNDS_US = (
    1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 50_000, 75_000, 100_000, 150_000,
    200_000, 300_000, 500_000, 750_000, 1_000_000, 1_500_000, 2_000_000, 5_000_000,
)  # fmt: skip


class Histogram:
    """Counts of whole numbers by size, in buckets with fixed upper bounds."""

    __slots__ = ("bounds", "counts", "largest", "total")

    def __init__(self, bounds: Sequence[int]) -> None:
        """
        :param bounds: ascending upper bounds, each within its bucket; one more bucket
            holds what is larger than the last.
        """
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0
        self.largest = 0

    def observe(self, value: int) -> None:
        """Count ``value``."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        if value > self.largest:
            self.largest = value

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(self.counts)

    def quantile(self, share: float) -> int:
        """
        :param share: 0.5 for the median, 0.99 for the 99th percentile.
        :returns: the upper bound of the bucket it lies in, never more than the largest
            value seen; 0 when nothing was counted.
        """
        wanted = share * self.count
        reached = 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            reached += count
            if count and reached >= wanted:
                return min(bound, self.largest)
        return self.largest
