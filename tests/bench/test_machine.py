"""Tests for :mod:`twistedvoice.bench.machine`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.machine import (
    Usage,
    cores,
    describe,
    stolen_seconds,
    usage,
)


class CoresTests(SynchronousTestCase):
    """Who runs where."""

    def test_usual(self) -> None:
        """The service has the last core, generators the others."""
        found = cores([0, 1, 2])
        self.assertEqual((found.service, found.generators), ((2,), (0, 1)))
        self.assertFalse(found.shared)

    def test_one(self) -> None:
        """With one core they share it, and that is known."""
        found = cores([3])
        self.assertEqual((found.service, found.generators), ((3,), (3,)))
        self.assertTrue(found.shared)

    def test_asked(self) -> None:
        """What was asked for is done; generators keep out of the service's way."""
        self.assertEqual(cores([0, 1, 2], [0, 1]).generators, (2,))
        found = cores([0, 1], [0], [0, 1])
        self.assertEqual((found.service, found.generators), ((0,), (0, 1)))


class ProcTests(SynchronousTestCase):
    """What is read in /proc."""

    def setUp(self) -> None:
        self.proc = Path(self.mktemp())

    def write(self, name: str, text: str) -> None:
        """Make a file."""
        path = self.proc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")

    def test_usage(self) -> None:
        """All threads of a process and of its children are added up."""
        for pid, children in (("7", "8 "), ("8", "")):
            self.write(f"{pid}/task/{pid}/schedstat", "1500000000 20 3\n")
            self.write(f"{pid}/task/{pid}/children", children)
            self.write(f"{pid}/status", "Name:\tx\nVmRSS:\t   100 kB\n")
        self.write("7/task/9/schedstat", "500000000 20 3\n")
        self.assertEqual(usage(7, self.proc), Usage(cpu_seconds=3.5, rss_kib=200))

    def test_gone(self) -> None:
        """A process that has ended has used nothing that can be known."""
        self.write("other", "")
        self.assertEqual(usage(7, self.proc), Usage(cpu_seconds=0, rss_kib=0))

    def test_ours(self) -> None:
        """This process has memory, and has worked."""
        ours = usage(os.getpid())
        self.assertGreater(ours.rss_kib, 1000)
        self.assertGreater(ours.cpu_seconds, 0)

    def test_stolen(self) -> None:
        """What was stolen of some cores is in seconds."""
        ticks = os.sysconf("SC_CLK_TCK")
        self.write(
            "stat",
            f"cpu 9 9 9 9 9 9 9 900 0 0\ncpu0 1 1 1 1 1 1 1 {ticks} 0 0\n"
            f"cpu1 1 1 1 1 1 1 1 {2 * ticks} 0 0\nintr 5\n",
        )
        self.assertEqual(stolen_seconds([0], self.proc), 1.0)
        self.assertEqual(stolen_seconds([0, 1], self.proc), 3.0)

    def test_describe(self) -> None:
        """The machine is told with what runs on it."""
        for word in (f"{os.cpu_count()} cores", "Linux ", "Python 3.", "autobahn "):
            self.assertIn(word, describe())
