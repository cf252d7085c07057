# -*- test-case-name: tests.test_disk -*-
"""Whether the service can write what it has to write: recordings, store, CDRs.

Asked before anything starts, in the main thread, so that an operator hears of a wrong
path or right at once and not when the first caller hangs up.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from .config import Config
from .errors import ConfigError, StoreError
from .recording.recovery import check_folder
from .store.database import open_database

__all__ = ["check_writable"]

_BUSY_SECONDS = 2.0


def check_writable(config: Config) -> None:
    """
    Make what is not there yet.

    :raises ConfigError: with each place that cannot be written to.
    """
    problems: list[str] = []
    if config.recordings:
        try:
            check_folder(Path(config.recordings))
        except ConfigError as error:
            problems += error.problems
    if config.store != "memory:":
        try:
            open_database(Path(config.store), busy_seconds=_BUSY_SECONDS).close()
        except (StoreError, sqlite3.Error) as error:
            problems.append(f"store: {config.store} cannot be used: {error}")
    if config.cdr:
        try:
            _check_file(Path(config.cdr))
        except OSError as error:
            problems.append(f"cdr: cannot write {config.cdr}: {error.strerror}")
    if problems:
        raise ConfigError(problems)


def _check_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640))
