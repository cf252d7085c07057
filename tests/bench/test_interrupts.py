"""Tests for :mod:`twistedvoice.bench.interrupts`."""

from __future__ import annotations

import io
import sys

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import cli
from twistedvoice.bench.interrupts import Interrupted, fade, interrupt, wrong

__all__ = ["InterruptsTests"]

GOOD = Interrupted(
    delay_ms=0.0, errors_ms=[0.5], at_ms=[10.0], clear_us=[90.0], silence_ms=[40.0]
)


class InterruptsTests(SynchronousTestCase):
    """How fast a call falls silent, in virtual time."""

    def test_model(self) -> None:
        """A model is told to the millisecond what was heard; the ear hears no more."""
        for delay, times in ((0.0, 12), (0.08, 6)):
            found = interrupt(times, delay)
            self.assertGreater(len(found.at_ms), times // 2)
            self.assertGreater(len(found.errors_ms), times // 2)
            self.assertLess(max(map(abs, found.errors_ms)), 1.0)
            self.assertLess(max(found.silence_ms), 1 + 1000 * delay)
            self.assertEqual(wrong({"": found}), [])

    def test_gate(self) -> None:
        """What a gate cuts off fades within 40 ms, a way of the line later."""
        for delay in (0.0, 0.08):
            found = fade(10, delay)
            self.assertEqual((len(found.at_ms), len(found.clear_us)), (10, 10))
            self.assertGreaterEqual(min(found.silence_ms), 20 + 1000 * delay)
            self.assertEqual(wrong({"": found}), [])

    def test_wrong(self) -> None:
        """Each figure beyond its bound is named; those within are not."""
        self.assertEqual(wrong({"near": GOOD}), [])
        far = evolve(GOOD, delay_ms=80.0, errors_ms=[-90.0], silence_ms=[120.0])
        self.assertEqual(wrong({"far": far}), [])
        for bad in (
            evolve(GOOD, errors_ms=[-2.0]),
            evolve(GOOD, clear_us=[]),
            evolve(GOOD, silence_ms=[45.0]),
        ):
            [problem] = wrong({"near": bad})
            self.assertTrue(problem.startswith("near: "), problem)

    def test_command(self) -> None:
        """The command prints a row for each call, and is content with it."""
        out = io.StringIO()
        self.patch(sys, "stdout", out)
        self.assertEqual(cli.main(["bench", "interrupts", "--times=5", "--rst"]), 0)
        self.assertIn("model, no delay", out.getvalue())
        self.assertIn("gate, 80 ms each way", out.getvalue())
