"""Tests for :mod:`twistedvoice.bench.truth`; true figures are in tests/recording."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import cli
from twistedvoice.bench import command
from twistedvoice.bench.alignment import Alignment
from twistedvoice.bench.hour import Figures
from twistedvoice.bench.truth import truth_table, wrong

HOUR = Figures(length_off_ms=3.0, caller_wrong=0, caller_missing=0, caller_lost=7,
               gaps_ms=140.0, service_off_ms=[0.0] * 1999 + [40.0],
               service_missing=2)  # fmt: skip
CALL = Alignment(path=Path("a.wav"), service_ms=[1.0, -19.5], caller_ms=[0.125])


class TruthTests(SynchronousTestCase):
    """Figures, and what they should be."""

    def test_table(self) -> None:
        """Each figure has its row; the worst place of each side is shown."""
        table = truth_table(HOUR, {"near": CALL})
        figures = {(what, of): figure for what, of, figure in table.rows}
        hour = "an hour of trouble"
        self.assertEqual(figures[hour, "the end: off"], "+3.0 ms")
        self.assertEqual(figures[hour, "caller: gaps in the sidecar"], "7 frames")
        self.assertEqual(figures[hour, "service: within a frame"], "99.950%")
        self.assertEqual(
            figures["call, near", "service: off"], "19.5 ms at most, 2 places"
        )

    def test_wrong(self) -> None:
        """Each figure beyond its bound is named; those within are not."""
        self.assertEqual(wrong(HOUR, {"near": CALL}), [])
        for change in (
            {"length_off_ms": -20.0},
            {"caller_wrong": 5},
            {"caller_missing": 5},
            {"service_off_ms": [0.0] * 100 + [40.0] * 3},
        ):
            self.assertEqual(len(wrong(evolve(HOUR, **change), {})), 1, change)
        off = evolve(CALL, caller_ms=[-20.0])
        self.assertEqual(
            wrong(HOUR, {"near": CALL, "far": off}),
            ["a call (far) lies beside what was heard"],
        )

    def test_command(self) -> None:
        """The command prints them; its exit code is 1 when one is wrong."""
        out = io.StringIO()
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", io.StringIO())
        hours = [HOUR, evolve(HOUR, caller_wrong=5)]
        test = self

        class Known:
            def run(self) -> Figures:
                return hours.pop(0)

        test.patch(command, "Hour", Known)
        test.patch(command, "aligned", lambda: {"near": CALL})
        self.assertEqual(cli.main(["bench", "recording"]), 0)
        self.assertIn("+3.0 ms", out.getvalue())
        self.assertEqual(cli.main(["bench", "recording"]), 1)
