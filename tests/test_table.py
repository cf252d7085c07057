"""Tests for :mod:`twistedvoice.table`."""

from __future__ import annotations

import io
import os
import sys

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import table as module
from twistedvoice.table import Table, printable, show

TABLE = Table(
    title="Calls",
    columns=("what", "calls", ""),
    rows=(("service", "900", "a"), ("baseline", "1,150", "")),
)


class Terminal(io.StringIO):
    """Somewhere that people look at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


class TableTests(SynchronousTestCase):
    """One table in three ways."""

    def test_text(self) -> None:
        """Words are flush left, numbers flush right, and no line ends in blanks."""
        self.assertEqual(
            TABLE.as_text().splitlines(),
            [
                "Calls",
                "",
                "what      calls",
                "service     900  a",
                "baseline  1,150",
            ],
        )

    def test_rst(self) -> None:
        """For a page it is a list-table: a row is a list of cells."""
        self.assertEqual(
            TABLE.as_rst().splitlines(),
            [
                ".. list-table:: Calls",
                "   :header-rows: 1",
                "",
                *("   * - what", "     - calls", "     -"),
                *("   * - service", "     - 900", "     - a"),
                *("   * - baseline", "     - 1,150", "     -"),
            ],
        )

    def shown(self, out: io.StringIO, table: Table = TABLE) -> str:
        """:returns: what is printed there."""
        self.patch(sys, "stdout", out)
        show(table)
        return out.getvalue()

    def test_show_in_a_file(self) -> None:
        """Into a file goes plain text."""
        self.assertIn("\nbaseline  1,150\n", self.shown(io.StringIO()))

    def test_show_on_a_terminal(self) -> None:
        """On a terminal the same words are in a drawn table."""
        shown = self.shown(Terminal())
        self.assertIn("\u2502", shown)
        for row in TABLE.rows:
            for cell in row:
                self.assertIn(cell, shown)

    def test_colours(self) -> None:
        """On a terminal some words have a colour; what looks like markup has none."""
        table = Table(
            title="", columns=("a",), rows=(("[b]",),), colours={"[b]": "red"}
        )
        self.patch(os, "environ", {"TERM": "xterm", "COLUMNS": "80"})
        self.assertIn("\x1b[31m[b]", self.shown(Terminal(), table))

    def test_show_without_rich(self) -> None:
        """Where rich is not installed it is plain text too."""
        self.patch(module, "find_spec", lambda name: None)
        self.assertIn("\nbaseline  1,150\n", self.shown(Terminal()))

    def test_words_of_others(self) -> None:
        """No cell can command a terminal, begin a line or fail to be printed."""
        cells = ("a\x1b[2J", "b\n", "c\u202e\ud800")
        table = Table(title="", columns=("a", "b", "c"), rows=(cells,))
        row = table.as_text().splitlines()[-1]
        self.assertEqual(row.split(), ["a\\x1b[2J", "b\\n", "c\\u202e\\ud800"])
        self.assertEqual(printable("Zürich 5"), "Zürich 5")
