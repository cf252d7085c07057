# -*- test-case-name: tests.store.test_database -*-
"""The SQLite file: made, opened and brought up to the schema of this version.

The schema is the numbered files in ``schema/``; ``PRAGMA user_version`` says how many
of them the file has had. Everything here blocks, and is called in the thread of the
store alone.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from ..errors import StoreError
from . import schema

__all__ = ["open_database", "schema_scripts", "upgrade"]

#: SQLite's own 2 MiB would fill with thousands of calls that nobody asks for again.
#: What is not in it, the system has.
_CACHE_KIB = 256


def open_database(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """
    Open the file for the calling thread; make it, and its folder, if there is none.

    :param busy_seconds: how long a statement waits for another process.
    :raises StoreError: when the file cannot be there, or a newer version wrote it.
    :raises sqlite3.Error: when SQLite cannot use it.
    """
    _make(path)
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        upgrade(connection, schema_scripts())
    except BaseException:
        connection.close()
        raise
    return connection


def schema_scripts() -> Sequence[str]:
    """:returns: the text of the numbered schema files, in order."""
    folder = sorted(files(schema).iterdir(), key=lambda entry: entry.name)
    return [entry.read_text("utf-8") for entry in folder if entry.name.endswith(".sql")]


def upgrade(connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """
    Apply the scripts that the file has not had, all or none.

    Two processes that start at once wait for each other, and the second finds it done.

    :raises StoreError: when the file has had more scripts than there are.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version > len(scripts):
            raise StoreError(
                f"The store was written by a newer version of twistedvoice (schema "
                f"{version}, known here up to {len(scripts)}): upgrade twistedvoice."
            )
        for script in scripts[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(scripts)}")


def _make(path: Path) -> None:
    """Make an empty file that only its owner may read: it holds tokens, numbers."""
    try:
        if path.is_dir():
            raise StoreError(f"The store {path} is a folder; name a file in it.")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An existing file is never opened here: closing it again would drop the
        # locks that SQLite holds on it in this process.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as problem:
        if not path.is_file():
            raise _unusable(path, problem) from problem
    except OSError as problem:
        raise _unusable(path, problem) from problem


def _unusable(path: Path, problem: OSError) -> StoreError:
    return StoreError(
        f"The store {path} cannot be made ({problem.strerror}: {problem.filename}); "
        f"name a file in a folder that this user may write."
    )


def _statements(script: str) -> Iterator[str]:
    """Cut a script in statements; ``executescript`` would commit before the first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
