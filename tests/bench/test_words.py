"""Tests for :mod:`twistedvoice.bench.words`."""

from __future__ import annotations

import io
import os
import sys

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.load import Target
from twistedvoice.bench.words import parse
from twistedvoice.errors import BenchError


class WordsTests(SynchronousTestCase):
    """What may be said."""

    def setUp(self) -> None:
        self.out, self.errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.errors)

    def exits(self, *words: str) -> int | str | None:
        """:returns: the exit status that these words end with."""
        error: SystemExit = self.assertRaises(SystemExit, parse, words)
        return error.code

    def test_load(self) -> None:
        """Numbers, cores and places are read; the rest is for the service."""
        core = min(os.sched_getaffinity(0))
        said = parse(
            ["load", "--calls=7", f"--cores={core}", "--url=ws://h:1/p", "--", "--x=1"]
        )
        self.assertEqual((said.command, said.calls, said.cores), ("load", 7, [core]))
        self.assertEqual(said.url, Target(host="h", port=1, path="/p"))
        self.assertEqual(said.more, ["--x=1"])

    def test_usual(self) -> None:
        """Without further words a load is a short one of the service alone."""
        said = parse(["load"])
        self.assertEqual((said.calls, said.seconds, said.runs), (100, 10.0, 1))
        self.assertEqual((said.agent, said.recordings), ("echo", "on"))
        self.assertEqual((said.baseline, said.more), (False, []))

    def test_table(self) -> None:
        """A table has several numbers."""
        self.assertEqual(parse(["table", "50,100"]).counts, [50, 100])

    def test_wrong(self) -> None:
        """Wrong words are 2."""
        core = max(os.sched_getaffinity(0)) + 1
        for words in (
            (),
            ("lode",),
            ("load", "--calls=0"),
            ("load", "--calls=5", "--ramp"),
            ("load", "--agent=nobody"),
            ("load", f"--cores={core}"),
            ("load", "--cores=x"),
            ("load", "--seconds=0"),
            ("load", "--seconds=x"),
            ("load", "--seconds=300"),
            ("load", "--json=/no/such/folder/x"),
            ("load", "--picture=/no/such/folder/x.png"),
            ("table",),
            ("table", "50,x"),
            ("stall", "--lead-ms=-1"),
        ):
            self.assertEqual(self.exits(*words), 2, words)

    def test_wrong_place(self) -> None:
        """Only a plain WebSocket can be called; without a port it is at 80."""
        for url in ("http://127.0.0.1/", "wss://127.0.0.1/", "ws:///x", "x"):
            self.assertRaises(BenchError, parse, ["load", f"--url={url}"])
        found = Target.parse("ws://h")
        self.assertEqual(found, Target(host="h", port=80, path="/"))

    def test_help(self) -> None:
        """Every command explains itself."""
        for command in ("load", "table", "micro", "leak", "stall"):
            self.assertEqual(self.exits(command, "--help"), 0)
            self.assertIn(f"usage: twistedvoice bench {command}", self.out.getvalue())
        self.assertEqual(self.exits("--help"), 0)
