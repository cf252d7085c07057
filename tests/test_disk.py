"""Tests for :mod:`twistedvoice.disk`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.house import settings
from twistedvoice.disk import check_writable
from twistedvoice.errors import ConfigError


class CheckWritableTests(SynchronousTestCase):
    """What is asked of the disk before anything starts."""

    def setUp(self) -> None:
        """A folder, and a file where a folder should be."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "file"
        self.file.touch()

    def check(self, folder: Path) -> None:
        """Check a service that keeps everything in ``folder``."""
        check_writable(
            settings(
                recordings=str(folder / "recordings"),
                store=str(folder / "store.sqlite"),
                cdr=str(folder / "cdr.jsonl"),
            )
        )

    def test_good(self) -> None:
        """What is not there yet is made, and what is there is left alone."""
        for _ in range(2):
            self.check(self.folder / "state")
        (self.folder / "state/cdr.jsonl").write_text("kept")
        self.check(self.folder / "state")
        self.assertEqual((self.folder / "state/cdr.jsonl").read_text(), "kept")

    def test_nothing_to_write(self) -> None:
        """A service that keeps nothing has nothing to check."""
        check_writable(settings())

    def test_all_wrong(self) -> None:
        """Each place that cannot be written to is told, at once."""
        error = self.assertRaises(ConfigError, self.check, self.file)
        keys = [problem.partition(":")[0] for problem in error.problems]
        self.assertEqual(keys, ["recordings", "store", "cdr"])

    def test_no_database(self) -> None:
        """A file that is no store is told by its name."""
        store = self.folder / "store.sqlite"
        store.write_text("something else, and long enough to be read as a header")
        error = self.assertRaises(ConfigError, self.check, self.folder)
        (problem,) = error.problems
        self.assertIn(f"store: {store} cannot be used", problem)
