"""Tests of ``twistedvoice.store.database``."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import StoreError
from twistedvoice.store import schema
from twistedvoice.store.database import open_database, schema_scripts, upgrade

__all__ = ["OpenTests", "SchemaTests", "UpgradeTests"]

FIRST = "-- One; two.\nCREATE TABLE one (a);\nINSERT INTO one VALUES ('x;\ny');\n"
SECOND = "ALTER TABLE one ADD COLUMN b;\n"
BROKEN = "CREATE TABLE two (a);\nCREATE TABLE one (a);\n"


def version_of(connection: sqlite3.Connection) -> int:
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


class UpgradeTests(SynchronousTestCase):
    """Scripts are applied once, in order, all or none."""

    def setUp(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(self.connection.close)

    def columns(self, table: str) -> list[str]:
        rows = self.connection.execute(f"PRAGMA table_info({table})")
        return [row[1] for row in rows]

    def test_applies_every_script_to_a_new_file(self) -> None:
        """A new file gets all scripts, in order."""
        upgrade(self.connection, [FIRST, SECOND])
        self.assertEqual(self.columns("one"), ["a", "b"])
        self.assertEqual(version_of(self.connection), 2)

    def test_applies_only_what_the_file_has_not_had(self) -> None:
        """An upgrade keeps what the file holds."""
        upgrade(self.connection, [FIRST])
        upgrade(self.connection, [FIRST, SECOND])
        upgrade(self.connection, [FIRST, SECOND])
        rows = self.connection.execute("SELECT a, b FROM one").fetchall()
        self.assertEqual(rows, [("x;\ny", None)])

    def test_failed_upgrade_changes_nothing(self) -> None:
        """A script that fails half-way leaves the file as it was."""
        upgrade(self.connection, [FIRST])
        with self.assertRaises(sqlite3.OperationalError):
            upgrade(self.connection, [FIRST, SECOND, BROKEN])
        self.assertEqual(self.columns("one"), ["a"])
        self.assertEqual(self.columns("two"), [])
        self.assertEqual(version_of(self.connection), 1)

    def test_newer_file_is_refused_untouched(self) -> None:
        """A file of a later version is not written, and the way out is said."""
        upgrade(self.connection, [FIRST, SECOND])
        with self.assertRaisesRegex(StoreError, "upgrade twistedvoice"):
            upgrade(self.connection, [FIRST])
        self.assertEqual(version_of(self.connection), 2)
        self.assertFalse(self.connection.in_transaction)


class SchemaTests(SynchronousTestCase):
    """The schema files are what the number in the data base counts."""

    def test_files_are_numbered_without_a_gap(self) -> None:
        """The n-th file is number n, so that a version means one schema."""
        names = sorted(
            entry.name
            for entry in files(schema).iterdir()
            if entry.name.endswith(".sql")
        )
        numbers = [int(name.split("_")[0]) for name in names]
        self.assertEqual(numbers, list(range(1, len(names) + 1)))
        self.assertEqual(len(schema_scripts()), len(names))


class OpenTests(SynchronousTestCase):
    """The file is made where it was named, or a sentence says why not."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.path = self.folder / "deep" / "store.sqlite"

    def open(self, path: Path) -> sqlite3.Connection:
        connection = open_database(path, busy_seconds=0)
        self.addCleanup(connection.close)
        return connection

    def test_file_is_private(self) -> None:
        """Nobody but the owner reads the file or what SQLite puts beside it."""
        connection = self.open(self.path)
        connection.execute("INSERT INTO leases VALUES ('CA1', 'node-a', 1)")
        modes = {
            entry.name: entry.stat().st_mode & 0o777
            for entry in self.path.parent.iterdir()
        }
        self.assertEqual(
            modes,
            {
                "store.sqlite": 0o600,
                "store.sqlite-shm": 0o600,
                "store.sqlite-wal": 0o600,
            },
        )

    def test_opened_again_has_this_schema_journal_and_cache(self) -> None:
        """A second opening finds the file ready."""
        self.open(self.path).close()
        connection = self.open(self.path)
        self.assertEqual(version_of(connection), len(schema_scripts()))
        [kib] = connection.execute("PRAGMA cache_size").fetchone()
        self.assertEqual(kib, -256)
        [mode] = connection.execute("PRAGMA journal_mode").fetchone()
        self.assertEqual(mode, "wal")

    def test_folder_in_the_way(self) -> None:
        """A path that is a folder is said to be one."""
        self.folder.mkdir()
        with self.assertRaisesRegex(StoreError, "is a folder"):
            self.open(self.folder)

    def test_file_in_the_way(self) -> None:
        """A folder that cannot be made, since a file has its name, is named."""
        self.folder.write_text("")
        with self.assertRaisesRegex(StoreError, "cannot be made"):
            self.open(self.folder / "store.sqlite")
        with self.assertRaisesRegex(StoreError, "cannot be made"):
            self.open(self.path)

    def test_link_to_nothing_in_the_way(self) -> None:
        """A link whose target is missing is not followed to make a file there."""
        self.folder.mkdir()
        path = self.folder / "store.sqlite"
        path.symlink_to(self.folder / "elsewhere")
        with self.assertRaisesRegex(StoreError, "cannot be made"):
            self.open(path)
