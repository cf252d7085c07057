"""Tests for :mod:`twistedvoice.bench.leak`; the run itself is in tests/integration."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.leak import Leak, LeakRun
from twistedvoice.bench.machine import cores

HELD = {"descriptors": 15, "objects": 5000, "rss_kib": 80_000, "rubbish": 3}


class LeakTests(SynchronousTestCase):
    """Whether anything is left."""

    def setUp(self) -> None:
        self.leak = Leak(calls=100, completed=100, idle=HELD, warm=HELD, after=HELD)

    def problems(self, **after: int) -> list[str]:
        """:returns: what is wrong when so much is held afterwards."""
        return list(evolve(self.leak, after=HELD | after).problems())

    def test_nothing_left(self) -> None:
        """Exactly what was held before is no leak, nor is a little less or more."""
        self.assertEqual(self.problems(), [])
        self.assertEqual(self.problems(objects=5200, rss_kib=70_000), [])
        self.assertEqual(self.problems(rubbish=9000), [])

    def test_left(self) -> None:
        """One descriptor is a leak; so are many objects, and much memory."""
        self.assertEqual(
            self.problems(descriptors=16, objects=5201, rss_kib=84_097),
            [
                "1 descriptors more than after the warm-up; 0 may be",
                "201 objects more than after the warm-up; 200 may be",
                "4097 rss_kib more than after the warm-up; 4096 may be",
            ],
        )

    def test_too_few(self) -> None:
        """Calls that did not come about prove nothing."""
        (problem,) = evolve(self.leak, completed=99).problems()
        self.assertEqual(problem, "only 99 of 100 calls came about")

    def test_table(self) -> None:
        """All that was counted is shown, with what is left."""
        rows = evolve(self.leak, after=HELD | {"objects": 5007}).table().rows
        self.assertIn(("objects", "5000", "5000", "5007", "7"), rows)

    def test_job(self) -> None:
        """The places are as many as asked for, but not more than calls."""
        run = LeakRun(cores=cores([0]), calls=100, at_once=50, call_ms=300)
        job = run.job(80, "/", 100)
        self.assertEqual((len(job.indices), job.calls, job.call_ms), (50, 100, 300))
        self.assertEqual(len(run.job(80, "/", 20).indices), 20)
