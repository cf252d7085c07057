"""Tests for :mod:`twistedvoice.archive.command`."""

from __future__ import annotations

from tests.archive.people import CommandTestCase

COMMANDS = ("list", "show", "verify", "recover", "export", "purge")


class GroupTests(CommandTestCase):
    """The group as a whole."""

    def test_help(self) -> None:
        """The group names its commands, and each explains itself."""
        self.assertEqual(self.exits("--help"), 0)
        for name in COMMANDS:
            self.assertIn(f"\n    {name} ", self.out.getvalue())
        for name in COMMANDS:
            self.assertEqual(self.exits(name, "--help"), 0)
            self.assertIn(
                f"usage: twistedvoice recordings {name} ", self.out.getvalue()
            )
            self.assertIn("--json", self.out.getvalue())

    def test_wrong_words(self) -> None:
        """No command, one that is none, and a folder that is none are mistakes."""
        for words in (
            [],
            ["bogus"],
            ["list", "/nowhere"],
            ["recover", "/nowhere"],
            ["recover"],
            ["purge", "/nowhere", "--keep", "1"],
            ["show"],
            ["export", self.folder, "--format", "mp3"],
        ):
            self.assertEqual(self.exits(*words), 2, words)

    def test_error(self) -> None:
        """What is not there is told in a sentence, with 2."""
        self.assertEqual(self.run_command("show", "x", "--folder", self.folder), 2)
        self.assertIn("recordings: ", self.errors.getvalue())
        self.assertIn("has no recording x\n", self.errors.getvalue())
