# -*- test-case-name: tests.store.test_sqlite -*-
"""A store in one SQLite file, shared by all processes of a service on one machine.

The connection lives in the one thread of the store's own pool, and the reactor never
waits for it. Each step is a transaction that takes the write lock first, so that no
other process comes between its reading and its writing. The SQL is in ``sqlite_rows``
and ``schema/``; the rules of the contract are in ``places``.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from ..errors import StoreError
from .database import open_database
from .ledger import Ledger
from .rows import Rows
from .sqlite_rows import SqliteRows

__all__ = ["BlockingStore", "SqliteStore"]

T = TypeVar("T")

#: How often a step is tried while another process has the file, and the pause between.
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.05
_BUSY_SECONDS = 2.0
_BUSY = frozenset([sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED])


class SqliteStore(Ledger):
    """
    The store of all processes that name the same file.

    File and thread are made when something is first asked, not before: a process that
    forks to become a daemon carries neither over. An ask that fails to open the file
    says why, and the next one tries again.
    """

    def __init__(
        self,
        path: str | Path,
        reactor: IReactorFromThreads,
        *,
        busy_seconds: float = _BUSY_SECONDS,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        :param busy_seconds: how long one attempt waits for another process.
        :param pause: waits some seconds, in the thread of the store.
        """
        super().__init__()
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=1, maxthreads=1, name="twistedvoice-store")
        self._session = _Session(Path(path), busy_seconds, pause)

    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        if not self._pool.started:
            self._pool.start()
        return deferToThreadPool(self._reactor, self._pool, self._session.perform, step)

    def _let_go(self) -> Deferred[None]:
        if not self._pool.started:
            return succeed(None)
        closed = deferToThreadPool(self._reactor, self._pool, self._session.close)
        # The closing was the last work, so the thread is idle and stops at once.
        return closed.addBoth(self._stop_pool)

    def _stop_pool(self, result: T) -> T:
        self._pool.stop()
        return result


class BlockingStore(Ledger):
    """The same for a command without a reactor: every answer is there at once."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._session = _Session(path, _BUSY_SECONDS, time.sleep)

    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        return execute(self._session.perform, step)

    def _let_go(self) -> Deferred[None]:
        return execute(self._session.close)


class _Session:
    """The connection and its transactions; used in the thread of the store alone."""

    def __init__(
        self, path: Path, busy_seconds: float, pause: Callable[[float], object]
    ) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._pause = pause
        self._connection: sqlite3.Connection | None = None

    def perform(self, step: Callable[[Rows], T]) -> T:
        """
        Run ``step`` in a transaction, and try again while the file is busy.

        :raises StoreError: when it stays busy, or cannot be used.
        """
        attempt = 1
        while True:
            try:
                return self._transact(step)
            except (sqlite3.Error, UnicodeError) as problem:
                # Text from the wire that is no Unicode cannot be written.
                if attempt == _ATTEMPTS or not _is_busy(problem):
                    raise StoreError(
                        f"The store {self._path} could not be used: {problem}."
                    ) from problem
            attempt += 1
            self._pause(_PAUSE_SECONDS)

    def close(self) -> None:
        """Give the file back, if it was opened."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transact(self, step: Callable[[Rows], T]) -> T:
        if self._connection is None:
            self._connection = open_database(
                self._path, busy_seconds=self._busy_seconds
            )
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            return step(SqliteRows(connection))


def _is_busy(problem: Exception) -> bool:
    """Whether another process has the file, so that trying again may help."""
    # An extended code keeps the plain one in its lowest byte.
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _BUSY
