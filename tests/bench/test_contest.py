"""Tests for :mod:`twistedvoice.bench.contest`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.contender import BASELINE, Contender, service
from twistedvoice.bench.contest import Highest, Ramp, loads
from twistedvoice.bench.load import Point

from .values import point

OURS = service("service", "echo", recordings=True)


class ContestTests(SynchronousTestCase):
    """Who is measured when, against a measure that knows the limits."""

    def setUp(self) -> None:
        self.limits = {"service": 300, "baseline": 120}
        self.measured: list[tuple[str, int]] = []

    def measure(self, contender: Contender, calls: int) -> Point:
        """:returns: a point of a contender with a limit."""
        self.measured.append((contender.name, calls))
        holds = calls <= self.limits[contender.name]
        return point(contender.name, calls, "holds" if holds else "fails")

    def test_loads(self) -> None:
        """Contenders take turns, run by run and number by number."""
        points = list(loads(self.measure, [OURS, BASELINE], [50, 100], runs=2))
        turns = [("service", 50), ("baseline", 50)] * 2
        turns += [("service", 100), ("baseline", 100)] * 2
        self.assertEqual(self.measured, turns)
        self.assertEqual([(each.contender, each.calls) for each in points], turns)

    def test_ramp(self) -> None:
        """Each is searched to its end, in turns as long as both go on."""
        ramp = Ramp(self.measure, [OURS, BASELINE], start=100)
        points = list(ramp.points())
        self.assertEqual(len(points), len(self.measured))
        self.assertEqual(self.measured[:2], [("service", 100), ("baseline", 100)])
        self.assertEqual(self.measured[-1][0], "service")
        ours, base = ramp.highest()
        self.assertLessEqual(abs(300 - ours.calls), 24)
        self.assertEqual(
            base,
            Highest(contender="baseline", calls=118, capped=False, retried=()),
        )

    def test_ramp_to_the_most(self) -> None:
        """A search ends at the most that was asked for."""
        ramp = Ramp(self.measure, [OURS], start=100, most=150)
        list(ramp.points())
        self.assertEqual(ramp.highest()[0].calls, 150)
