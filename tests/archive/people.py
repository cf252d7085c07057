"""Runs ``twistedvoice recordings`` as people do."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.cli import main

__all__ = ["CommandTestCase"]


class CommandTestCase(SynchronousTestCase):
    """A folder of recordings, and what is printed is caught."""

    def setUp(self) -> None:
        """An empty folder."""
        self.folder = Path(self.mktemp())
        #: One that the service makes.
        self.day = self.folder / "2026" / "11" / "20"
        self.day.mkdir(parents=True)
        self.out, self.errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.errors)

    def run_command(self, *words: object) -> int:
        """:returns: the exit status; only what this one prints is kept."""
        for printed in (self.out, self.errors):
            printed.seek(0)
            printed.truncate()
        return main(["recordings", *map(str, words)])

    def exits(self, *words: object) -> object:
        """:returns: the status of a command whose words are wrong."""
        error: SystemExit = self.assertRaises(SystemExit, self.run_command, *words)
        return error.code

    def told(self) -> list[dict[str, Any]]:
        """:returns: what was printed for programs."""
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def names(self) -> set[str]:
        """:returns: the files that there are."""
        return {each.name for each in self.folder.rglob("*") if each.is_file()}
