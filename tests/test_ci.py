# -*- test-case-name: tests.test_ci -*-
"""Tests for what ``.ci/run`` counts, extracts and compares."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.util import module_from_spec, spec_from_file_location
from io import StringIO
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

CHECKOUT = Path(__file__).parents[1]

_MIXED = """\
from twisted.trial.unittest import SynchronousTestCase

class Tests(SynchronousTestCase):
    def test_right(self): pass
    def test_right_too(self): pass
    def test_wrong(self): self.fail()
    def test_broken(self): raise ValueError
    def test_left_out(self): pass
    test_left_out.skip = "not here"
    def test_hoped_for(self): self.fail()
    test_hoped_for.todo = "later"
"""


def _load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"ci_{name}", CHECKOUT / ".ci" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


trial = _load("trial")
readme = _load("readme")
wheel = _load("wheel")


class CountsTests(SynchronousTestCase):
    """What is made of trial's output."""

    def assertJudged(self, output: str, line: str, status: int) -> None:
        self.assertEqual(trial.judge(output), (line, status))

    def run_trial(self, tests: str, end_seconds: float = 60.0) -> str:
        """:returns: what trial writes, of a run with workers."""
        folder = Path(self.mktemp()).absolute()
        (folder / "planted").mkdir(parents=True)
        (folder / "planted" / "__init__.py").touch()
        (folder / "planted" / "test_it.py").write_text(tests)
        shown = StringIO()
        self.patch(sys, "stdout", shown)
        command = f"{sys.executable} -m twisted.trial -j2 planted"
        output, _ = trial.run(f"cd {folder} && {command}", end_seconds)
        self.assertEqual(shown.getvalue(), output)
        return str(output)

    def test_all_passed(self) -> None:
        """Tests that passed are counted."""
        self.assertJudged(
            "Ran 3 tests in 0.1s\n\nPASSED (successes=3)\n", "3 passed, 0 failed", 0
        )

    def test_skips(self) -> None:
        """Skipped tests are told, and are neither passed nor failed."""
        self.assertJudged(
            "PASSED (skips=2, successes=3)\n", "3 passed, 0 failed, 2 skipped", 0
        )

    def test_failures_and_errors(self) -> None:
        """Failures, errors and what should have failed are failed tests."""
        self.assertJudged(
            "FAILED (failures=1, errors=2, unexpectedSuccesses=1, successes=3)\n",
            "3 passed, 4 failed",
            1,
        )

    def test_no_test(self) -> None:
        """A run without a test is not a success, whatever trial says."""
        self.assertJudged("Ran 0 tests in 0.0s\n\nPASSED\n", "0 passed, 0 failed", 1)

    def test_only_skips(self) -> None:
        """A run in which all was skipped is not a success."""
        self.assertJudged("PASSED (skips=3)\n", "0 passed, 0 failed, 3 skipped", 1)

    def test_no_summary(self) -> None:
        """A run that broke off is not a success."""
        self.assertJudged("tests.test_ci ... [OK]\n", "0 passed, 0 failed", 1)

    def test_last_summary(self) -> None:
        """What a test prints before trial's own last line counts for nothing."""
        self.assertJudged(
            "PASSED (successes=9)\nFAILED (errors=1)\n", "0 passed, 1 failed", 1
        )

    def test_trial_itself(self) -> None:
        """Every outcome that trial knows is read from its own words."""
        self.assertJudged(self.run_trial(_MIXED), "3 passed, 2 failed, 1 skipped", 1)

    def test_trial_finds_nothing(self) -> None:
        """Trial passes a folder without tests, and hangs; it is no success here."""
        output = self.run_trial("", end_seconds=1.0)
        self.assertIn("PASSED\n", output)
        self.assertJudged(output, "0 passed, 0 failed", 1)


class ReadmeTests(SynchronousTestCase):
    """The commands of the README."""

    def test_two_commands(self) -> None:
        """There is one command for the demo and one for the tests."""
        demo, tests = readme.commands((CHECKOUT / "README.rst").read_text())
        self.assertTrue(demo.endswith(".venv/bin/twistedvoice demo"), demo)
        self.assertTrue(
            tests.endswith(".venv/bin/python -m twisted.trial -j2 tests"), tests
        )

    def test_says_what_it_is_first(self) -> None:
        """The README opens with what this is, in three lines."""
        lines = (CHECKOUT / "README.rst").read_text().splitlines()
        opening = lines[3 : lines.index("", 3)]
        self.assertEqual((lines[0], len(opening)), ("twistedvoice", 3))


class RunTests(SynchronousTestCase):
    """The script itself, in a checkout where trial finds something else."""

    def run_with(self, command: str) -> tuple[int, list[str]]:
        """:returns: status and lines of the run whose README says ``command``."""
        folder = Path(self.mktemp()).absolute()
        (folder / ".ci").mkdir(parents=True)
        for name in ("run", "trial.py", "readme.py"):
            (folder / ".ci" / name).write_text((CHECKOUT / ".ci" / name).read_text())
        (folder / "README.rst").write_text(
            f"\nTry it\n------\n\n    demo\n    {command}\n\nWhat it does\n"
        )
        done = subprocess.run(
            ["bash", ".ci/run"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            # The steps that follow the tests must not get far.
            env={"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"},
        )
        return done.returncode, done.stdout.splitlines()

    def test_failed_tests(self) -> None:
        """A failed test ends the run, with the count alone on a line."""
        status, lines = self.run_with("echo 'FAILED (failures=1, successes=4)'")
        self.assertEqual(status, 1)
        self.assertEqual(lines[-2], "4 passed, 1 failed")
        self.assertTrue(lines[-1].startswith("== tests: FAILED"), lines)

    def test_crash_after_summary(self) -> None:
        """When the command fails, a good summary does not save the run."""
        status, lines = self.run_with("echo 'PASSED (successes=4)'; exit 7")
        self.assertEqual(status, 7)
        self.assertIn("4 passed, 0 failed", lines)

    def test_next_step(self) -> None:
        """When all tests passed the next step begins; its failure ends the run too."""
        status, lines = self.run_with("echo 'PASSED (successes=4)'")
        self.assertNotEqual(status, 0)
        self.assertIn("== tools", lines)
        self.assertTrue(lines[-1].startswith("== tools: FAILED"), lines)


class WheelTests(SynchronousTestCase):
    """What a wheel must hold."""

    def make_wheel(self, *names: str) -> Path:
        path = Path(self.mktemp())
        with ZipFile(path, "w") as archive:
            for name in (*names, "twistedvoice-1.dist-info/METADATA"):
                archive.writestr(name, "")
        return path

    def test_as_expected(self) -> None:
        """A wheel with just the package's files has no problem."""
        made = self.make_wheel("twistedvoice/a.py")
        self.assertEqual(list(wheel.problems(made, {"twistedvoice/a.py"})), [])

    def test_missing_and_stale(self) -> None:
        """A file that is missing is named, and so is one that is left over."""
        made = self.make_wheel("twistedvoice/gone.py")
        self.assertEqual(
            list(wheel.problems(made, {"twistedvoice/menu.toml"})),
            [
                "twistedvoice/menu.toml is not in the wheel",
                "twistedvoice/gone.py is in the wheel alone",
            ],
        )

    def test_packaged(self) -> None:
        """Code, data and the plugin belong to the package, caches do not."""
        found = wheel.packaged(CHECKOUT)
        self.assertLessEqual(
            {
                "twisted/plugins/twistedvoice_plugin.py",
                "twistedvoice/agents/prompts/menu.toml",
                "twistedvoice/py.typed",
            },
            found,
        )
        self.assertFalse([name for name in found if "__pycache__" in name])
        self.assertFalse([name for name in found if name.endswith(".so")])

    def test_compiled(self) -> None:
        """The scanner is in a wheel of one kind of machine, if it can be compiled."""
        ours, pure = (
            Path("a-1-cp311-abi3-linux_x86_64.whl"),
            Path("a-1-py3-none-any.whl"),
        )
        scanner = {"twistedvoice/_scan.abi3.so"}
        self.patch(os, "environ", {"CC": f"{sys.executable} -O2"})
        self.patch(sysconfig, "get_path", lambda name: self.headers())
        self.assertEqual(wheel.compiled(ours), scanner)
        self.assertEqual(wheel.compiled(pure), set())
        self.patch(os, "environ", {"CC": "/no/such/compiler"})
        self.assertEqual(wheel.compiled(ours), set())

    def headers(self) -> str:
        """:returns: a folder with a file of the name that matters."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "Python.h").touch()
        return str(folder)
