"""Tests for :mod:`twistedvoice.archive.purging`."""

from __future__ import annotations

import os

from tests.archive.made import STARTED_AT, made
from tests.archive.people import CommandTestCase
from twistedvoice.archive.command import recordings


class PurgeTests(CommandTestCase):
    """``twistedvoice recordings purge``."""

    def setUp(self) -> None:
        """Two recordings, an hour apart."""
        super().setUp()
        self.old = made(self.day, "old")
        made(self.day, "new", started_at=STARTED_AT + 3600)

    def purge(self, *words: str) -> int:
        """:returns: the exit status of the command, two hours after the first."""
        given = ["purge", str(self.folder), *words]
        return recordings(given, wall=lambda: STARTED_AT + 7200)

    def test_removed(self) -> None:
        """What is removed is told, and how much room that made."""
        size = sum(
            self.old.with_suffix(each).stat().st_size for each in (".wav", ".jsonl")
        )
        self.assertEqual(self.purge("--older-than", "90m"), 0)
        self.assertEqual(self.names(), {"new.wav", "new.jsonl"})
        self.assertIn("2026-11-20 09:30:00  ", self.out.getvalue())
        freed = f"1 recording removed, {size / 1000:.1f} kB\n"
        self.assertIn(freed, self.out.getvalue())

    def test_each_limit(self) -> None:
        """A size and a number are limits too."""
        self.assertEqual(self.purge("--keep", "1", "--dry-run", "--json"), 0)
        self.assertEqual([each["session_id"] for each in self.told()], ["old"])
        self.assertEqual(self.purge("--larger-than", "1kB"), 0)
        self.assertEqual(self.names(), set())

    def test_dry(self) -> None:
        """A dry run says what would go, and nothing goes."""
        self.assertEqual(self.purge("--keep", "1", "--dry-run"), 0)
        self.assertIn("1 recording would be removed, ", self.out.getvalue())
        self.assertIn("old.wav", self.names())
        self.out.truncate(self.out.seek(0))
        self.purge("--keep", "1", "--dry-run", "--json")
        self.assertEqual([each["removed"] for each in self.told()], [False])

    def test_trouble(self) -> None:
        """What cannot be removed is told, and the status is 1."""

        def unlink(path: str) -> None:
            raise PermissionError(1, "not yours", path)

        self.patch(os, "unlink", unlink)
        self.assertEqual(self.purge("--keep", "1"), 1)
        self.assertIn(f"{self.old.name}: not yours\n", self.out.getvalue())
        self.assertIn("0 recordings removed, 0 B; 1 could not be", self.out.getvalue())

    def test_no_limit(self) -> None:
        """Without a limit nothing is removed, and it is said what to give."""
        self.assertEqual(self.run_command("purge", self.folder), 2)
        self.assertIn("give --older-than", self.errors.getvalue())

    def test_wrong_words(self) -> None:
        """Limits that are none are mistakes."""
        for words in (("--keep", "-1"), ("--keep", "x"), ("--older-than", "30")):
            self.assertEqual(self.exits("purge", self.folder, *words), 2, words)
