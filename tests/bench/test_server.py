"""Tests for :mod:`twistedvoice.bench.server`, with processes that are short."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.contender import RECORDS, Contender
from twistedvoice.bench.server import environ, running
from twistedvoice.errors import BenchError

_CORES = sorted(os.sched_getaffinity(0))[:1]
_UP = (
    "import sys; print('taking calls on 127.0.0.1:4711', file=sys.stderr, flush=True)\n"
)


def program(text: str) -> Contender:
    """:returns: a contender that runs some Python."""
    return Contender(
        name="thing",
        path="/",
        command=lambda folder, accounts: [sys.executable, "-c", text],
    )


class RunningTests(SynchronousTestCase):
    """A contender as a child process."""

    def test_running(self) -> None:
        """It is asked and measured while it runs, on its cores, and is gone after."""
        text = _UP + (
            "import json, os\n"
            "for line in sys.stdin:\n"
            "    cores = len(os.sched_getaffinity(0))\n"
            "    answer = {'pid': os.getpid(), 'cores': cores}\n"
            "    print(json.dumps(answer), flush=True)\n"
        )
        with running(program(text), _CORES) as server:
            self.assertEqual(server.port, 4711)
            answer = server.ask()
            self.assertEqual(answer["cores"], 1)
            self.assertGreater(server.usage().rss_kib, 1000)
        self.assertFalse(Path(f"/proc/{answer['pid']}").exists())

    def test_unrecorded(self) -> None:
        """Its records say how many calls were not recorded whole."""
        records = (
            '{"recording":{"degraded":true}}\n{"recording":{"degraded":false}}\n{}'
        )

        def command(folder: Path, accounts: Mapping[str, str]) -> list[str]:
            (folder / RECORDS).write_text(records, "utf-8")
            return [sys.executable, "-c", _UP + "sys.stdin.readline()"]

        contender = Contender(name="thing", path="/", command=command)
        with running(contender, _CORES) as server:
            server.stop()
            self.assertEqual(server.unrecorded(), 1)
        with running(program(_UP + "sys.stdin.readline()"), _CORES) as server:
            self.assertEqual(server.unrecorded(), 0)

    def assert_fails(self, text: str, words: str) -> None:
        """This program fails, and it is said how."""
        with (
            self.assertRaises(BenchError) as caught,
            running(program(text), _CORES) as server,
        ):
            server.ask()
        self.assertIn(words, str(caught.exception))

    def test_does_not_start(self) -> None:
        """A program that ends is an error that shows its log."""
        self.assert_fails("raise SystemExit('no such thing')", "no such thing")

    def test_no_meter(self) -> None:
        """One that does not answer has no meter."""
        self.assert_fails(_UP + "sys.stdin.readline()", "the thing has no meter")

    def test_ends(self) -> None:
        """One that ends by itself cannot be measured."""
        text = _UP + (
            "sys.stdin.readline(); print('{}', flush=True)\n"
            "sys.stderr.write('I give up')\n"
            "sys.stdout.close(); sys.stdin.readline(); import os; os._exit(3)\n"
        )
        with running(program(text), _CORES) as server:
            server.ask()
            with self.assertRaises(BenchError):
                server.ask()
            server.stop()
            error = self.assertRaises(BenchError, server.usage)
        self.assertIn("I give up", str(error))

    def test_environ(self) -> None:
        """A child has no settings of ours, and finds this package."""
        theirs = environ({"TWISTEDVOICE_AGENT": "x", "HOME": "/h"})
        self.assertEqual(theirs["HOME"], "/h")
        self.assertFalse([name for name in theirs if name.startswith("TWISTEDVOICE")])
        self.assertTrue((Path(theirs["PYTHONPATH"]) / "twistedvoice").is_dir())
