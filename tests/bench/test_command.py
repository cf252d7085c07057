"""Tests for :mod:`twistedvoice.bench.command`; runs are in tests/integration."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import cli
from twistedvoice.bench import command
from twistedvoice.bench.contender import Contender
from twistedvoice.bench.figures import HOLDS, Limits, Spread
from twistedvoice.bench.leak import Leak, LeakRun
from twistedvoice.bench.load import Point, Stand, Target
from twistedvoice.errors import BenchError

from .values import figures, point, server


class CommandTestCase(SynchronousTestCase):
    """The command, on a stand that knows what each server can do."""

    def setUp(self) -> None:
        self.out, self.errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.errors)
        self.limits = {"service": 300, "unrecorded": 300, "baseline": 110}
        self.measured: list[tuple[str, int]] = []
        self.stands: list[Stand] = []
        self.contenders: list[Contender] = []
        self.targets: list[Target] = []
        test = self

        class FakeStand(Stand):
            def measure(self, contender: Contender, calls: int) -> Point:
                test.contenders.append(contender)
                return test.measure(self, contender.name, calls)

            def measure_url(self, target: Target, calls: int) -> Point:
                test.targets.append(target)
                return test.measure(self, "service", calls)

        self.patch(command, "Stand", FakeStand)

    def measure(self, stand: Stand, name: str, calls: int) -> Point:
        """:returns: a point of a server with a limit."""
        self.stands.append(stand)
        self.measured.append((name, calls))
        holds = calls <= self.limits[name]
        return point(name, calls, "holds" if holds else "fails", server=server())

    def run_bench(self, *words: str) -> int:
        """:returns: the exit code."""
        return cli.main(["bench", *words])


class LoadTests(CommandTestCase):
    """``bench load`` and ``bench table``."""

    def test_holds(self) -> None:
        """A service that holds is 0, and shown in a table with the machine."""
        self.assertEqual(self.run_bench("load"), 0)
        self.assertEqual(self.measured, [("service", 100)])
        self.assertIn("service, 100 calls: holds\n", self.errors.getvalue())
        self.assertRegex(self.out.getvalue(), r"100 +service +holds")
        self.assertIn("Python 3.", self.out.getvalue())

    def test_fails(self) -> None:
        """A service that does not hold is 1."""
        self.assertEqual(self.run_bench("load", "--calls=301"), 1)

    def test_invalid(self) -> None:
        """A run that does not count is 3."""
        self.patch(self, "measure", lambda *_: point(outcome="invalid"))
        self.assertEqual(self.run_bench("load"), 3)

    def test_baseline_in_turns(self) -> None:
        """The baseline is measured in turns; whether it holds is not the question."""
        words = ("load", "--calls=200", "--baseline", "--runs=2")
        self.assertEqual(self.run_bench(*words), 0)
        self.assertEqual(self.measured, [("service", 200), ("baseline", 200)] * 2)
        self.assertIn("service / baseline", self.out.getvalue())

    def test_recordings(self) -> None:
        """With and without recordings can be measured in turns."""
        self.run_bench("load", "--recordings=both")
        self.run_bench("load", "--recordings=off")
        names = [name for name, _ in self.measured]
        self.assertEqual(names, ["service", "unrecorded", "unrecorded"])

    def test_ramp(self) -> None:
        """A ramp finds the most of each, and their ratio."""
        self.assertEqual(self.run_bench("load", "--ramp", "--baseline"), 0)
        self.assertRegex(self.out.getvalue(), r"\nservice +289 ")
        self.assertRegex(self.out.getvalue(), r"\nbaseline +106 ")

    def test_ramp_of_nothing(self) -> None:
        """A service that holds not one call is 1, unless nothing counted: 3."""
        self.limits["service"] = 0
        words = ("load", "--ramp", "--start=2")
        self.assertEqual(self.run_bench(*words), 1)
        self.patch(self, "measure", lambda *_: point(outcome="invalid"))
        self.assertEqual(self.run_bench(*words), 3)

    def test_table(self) -> None:
        """A table has each number of calls, for a page when asked for."""
        self.assertEqual(self.run_bench("table", "50,100", "--rst"), 0)
        self.assertEqual(self.measured, [("service", 50), ("service", 100)])
        self.assertIn(".. list-table:: ", self.out.getvalue())

    def test_files(self) -> None:
        """All figures go into a file, and a picture into another."""
        figures_file, picture = Path(self.mktemp()), Path(self.mktemp() + ".png")
        self.run_bench("load", f"--json={figures_file}", f"--picture={picture}")
        written = json.loads(figures_file.read_text("utf-8"))
        self.assertEqual(written["points"][0]["figures"]["calls"], 100)
        self.assertIn("Python", written["machine"])
        self.assertTrue(picture.read_bytes().startswith(b"\x89PNG"))

    def test_stand(self) -> None:
        """How is measured can be said, and the service's own options behind it."""
        core = str(min(os.sched_getaffinity(0)))
        self.run_bench(
            *("load", "--seconds=3", "--max-stolen=7", f"--cores={core}"),
            *(
                "--arrivals=25",
                "--max-late=4",
                f"--generator-cores={core}",
                "--agent=prompt",
                "--",
                "--lead-ms=200",
            ),
        )
        (stand,) = self.stands
        self.assertEqual((stand.seconds, stand.arrivals), (3.0, 25))
        job = stand.job(Target(host="127.0.0.1", port=1, path="/"), 100)
        self.assertEqual(job.apart_ns, 40_000_000)
        self.assertEqual(job.from_ns - job.begin_ns, 4_000_000_000 + 1_500_000_000)
        self.assertEqual(stand.limits, Limits(stolen=0.07, late_p99_ms=4.0))
        self.assertTrue(stand.cores.shared)
        self.assertIn("share a core", self.errors.getvalue())
        folder = Path(self.mktemp())
        folder.mkdir()
        self.assertIn("--lead-ms=200", self.contenders[0].command(folder, {}))

    def test_url(self) -> None:
        """A service that runs already is called where it is."""
        self.run_bench("load", "--url=ws://127.0.0.1:8080/twilio/media")
        self.assertEqual(
            self.targets, [Target(host="127.0.0.1", port=8080, path="/twilio/media")]
        )


class StallTests(CommandTestCase):
    """``bench stall``."""

    def command(self) -> list[str]:
        """:returns: the command line of the service that was measured."""
        folder = Path(self.mktemp())
        folder.mkdir()
        return self.contenders[0].command(folder, {})

    def test_stall(self) -> None:
        """Stalls up to the lead less a tick: only holes count, and no buffer helps."""
        self.assertEqual(self.run_bench("stall", "--lead-ms=120"), 0)
        (stand,) = self.stands
        self.assertEqual(stand.jitter_ms, 20)
        uneven = figures(gap_ms=Spread(p99=80.0))
        self.assertEqual(stand.limits.judge(uneven).outcome, "holds")
        hole = figures(counts={"spoken": 1, "underruns": 1})
        self.assertEqual(stand.limits.judge(hole).outcome, "fails")
        # Of ten seconds, 120 ms may come after their end.
        self.assertAlmostEqual(stand.limits.audio, 0.983)
        words = self.command()
        self.assertIn("--stall-ms=100", words)
        self.assertIn("--lead-ms=120", words)

    def test_busy_thread(self) -> None:
        """Beside a thread that computes, frames may be 10 ms off."""
        self.run_bench("stall", "--busy-thread")
        (stand,) = self.stands
        self.assertEqual((stand.jitter_ms, stand.limits.gap_p99_ms), (60, 10.0))
        self.assertEqual(stand.limits.audio, HOLDS.audio)
        self.assertIn("--busy-thread", self.command())


class OtherTests(CommandTestCase):
    """What is neither."""

    def test_micro(self) -> None:
        """The steps of one frame are timed and shown."""
        self.patch(command, "timed", list)
        self.assertEqual(self.run_bench("micro"), 0)
        self.assertIn("One frame", self.out.getvalue())

    def test_leak(self) -> None:
        """Nothing left is 0; what is left is told, and 1."""
        held = {"descriptors": 9, "objects": 5, "rss_kib": 7, "rubbish": 0}
        for more, code in ((0, 0), (1, 1)):
            leak = Leak(
                calls=2,
                completed=2,
                idle=held,
                warm=held,
                after=held | {"descriptors": 9 + more},
            )
            self.patch(LeakRun, "measure", lambda *_, leak=leak: leak)
            self.assertEqual(self.run_bench("leak", "--calls=2"), code)
        self.assertIn("1 descriptors more", self.errors.getvalue())
        self.assertIn("What is held", self.out.getvalue())

    def test_wrong(self) -> None:
        """A picture is refused before the measuring, not after, when it cannot be."""

        def refuse() -> None:
            raise BenchError("no matplotlib")

        self.patch(command, "require_matplotlib", refuse)
        self.assertEqual(self.run_bench("load", "--picture=x.png"), 2)
        self.assertEqual(self.measured, [])
        self.assertIn("twistedvoice bench: no matplotlib", self.errors.getvalue())
