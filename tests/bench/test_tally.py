"""Tests for :mod:`twistedvoice.bench.tally`."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.ear import Heard
from twistedvoice.bench.tally import Job, Tally

from .values import job


def heard(*deviations_ms: float, sound_ns: int = 0, dry: tuple[int, ...] = ()) -> Heard:
    """:returns: what an ear heard."""
    return Heard(
        deviations_ms=np.array(deviations_ms, np.float32),
        sound_ns=sound_ns,
        underruns_ns=list(dry),
    )


class JobTests(SynchronousTestCase):
    """What a generator is told."""

    def test_crosses(self) -> None:
        """A job is the same after it was sent, in one line."""
        told = job(3, call_ms=300, total=10)
        line = told.to_json()
        self.assertEqual(line.count(b"\n"), 1)
        self.assertEqual(Job.from_json(line), told)

    def test_calls(self) -> None:
        """Each place has one call, unless more are to be made."""
        self.assertEqual(job(3).calls, 3)
        self.assertEqual(job(3, total=10).calls, 10)


class TallyTests(SynchronousTestCase):
    """What it counted."""

    def test_heard(self) -> None:
        """What all ears heard is put together; an ear that heard nothing is counted."""
        tally = Tally()
        tally.heard(
            [heard(1, 2, sound_ns=40_000_000, dry=(5_000_000, 7_000_000)), heard()]
        )
        self.assertEqual(tally.gaps_ms.tolist(), [1, 2])
        self.assertEqual(
            dict(tally.counts),
            {"sound_ms": 40, "underruns": 2, "dry_ms": 12, "silent": 1},
        )

    def test_crosses(self) -> None:
        """A tally is the same after it was sent."""
        tally = Tally(late_ms=np.array([0.5], np.float32))
        tally.errors["lost"] = 2
        tally.heard([heard(3)])
        got = Tally.from_bytes(tally.to_bytes())
        self.assertEqual((got.counts, got.errors), (tally.counts, tally.errors))
        self.assertEqual((got.gaps_ms.tolist(), got.late_ms.tolist()), ([3], [0.5]))

    def test_not_a_tally(self) -> None:
        """Other bytes are refused."""
        with self.assertRaises(ValueError):
            Tally.from_bytes(b"Traceback ...")

    def test_sum(self) -> None:
        """Two tallies are one: every count and every time is in it."""
        one, other = Tally(), Tally()
        one.heard([heard(1)])
        other.heard([heard(2)])
        other.errors["lost"] += 1
        both = one + other
        self.assertEqual(both.gaps_ms.tolist(), [1, 2])
        self.assertEqual((both.counts["silent"], both.errors["lost"]), (2, 1))
