"""Tests of ``twistedvoice.store.sqlite``: real threads, files and processes."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.utils import getProcessOutput
from twisted.trial.unittest import TestCase

import twistedvoice
from twistedvoice.errors import StoreError
from twistedvoice.interfaces import Store
from twistedvoice.store import sqlite_rows
from twistedvoice.store.sqlite import SqliteStore

from .contract import NOW, StoreContract, lease, wanted
from .errands_contract import ErrandsContract, errand

__all__ = ["FileTests", "ProcessTests", "SqliteStoreTests"]

#: A process that opens the store, claims one token that all share, takes one place of
#: two with a call of its own, and prints what it got.
CHILD = f"""
import sys
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twistedvoice.interfaces import Lease
from twistedvoice.store.sqlite import SqliteStore

def lease(call_id):
    return Lease(call_id=call_id, holder=sys.argv[2], expires_at={NOW} + 30)

async def main(reactor):
    store = SqliteStore(sys.argv[1], reactor, busy_seconds=30)
    claimed = await store.claim("secret-1", lease("CA1"), account_id="AC1", now={NOW})
    taken = await store.take(lease(sys.argv[2]), limit=3, now={NOW})
    await store.close()
    print("claimed" if claimed else "refused", "taken" if taken else "full")

react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


def real_reactor() -> IReactorFromThreads:
    """:returns: the reactor that trial runs, which the threads here call back."""
    from twisted.internet import reactor

    return cast(IReactorFromThreads, reactor)


def store_threads() -> list[str]:
    """:returns: the names of the threads of stores that are alive."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if "twistedvoice-store" in name]


class SqliteStoreTests(StoreContract, ErrandsContract, TestCase):
    """The store in a file keeps the contract."""

    kept = sqlite_rows

    def make_store(self) -> Store:
        return SqliteStore(Path(self.mktemp()) / "store.sqlite", real_reactor())


class FileTests(TestCase):
    """One file, its thread, and others who use it at the same time."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "store.sqlite"

    def open(
        self,
        path: Path | None = None,
        *,
        busy_seconds: float = 30,
        pause: Callable[[float], object] = lambda seconds: None,
    ) -> SqliteStore:
        store = SqliteStore(
            path or self.path, real_reactor(), busy_seconds=busy_seconds, pause=pause
        )
        self.addCleanup(store.close)
        return store

    def lock(self) -> sqlite3.Connection:
        """:returns: a connection of someone else who is busy writing the file."""
        other = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False
        )
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        return other

    async def test_restart_keeps_everything(self) -> None:
        """Tokens, places and records outlive the process that made them."""
        first = self.open()
        await first.reserve(wanted("CA1"), limit=2, now=NOW)
        await first.take(lease("CA2"), limit=2, now=NOW)
        await first.add_cdr("S1", {"outcome": "played"})
        await first.close()
        second = self.open()
        self.assertEqual(await second.places_taken(now=NOW), 2)
        self.assertEqual(await second.cdrs(), [{"outcome": "played"}])
        given = await second.claim("secret-1", lease("CA1"), account_id="AC1", now=NOW)
        self.assertEqual(given, wanted("CA1"))

    async def test_two_stores_that_race_let_one_claim_in(self) -> None:
        """A token is used once whichever process is asked."""
        stores = [self.open(), self.open()]
        await stores[0].reserve(wanted(), limit=1, now=NOW)
        claims = [
            store.claim("secret-1", lease(), account_id="AC1", now=NOW)
            for store in stores
            for _ in range(10)
        ]
        given = await gatherResults(claims)
        self.assertEqual([answer for answer in given if answer], [wanted()])

    async def test_two_stores_that_race_share_one_limit(self) -> None:
        """Not one place too many is given, however many ask at once."""
        stores = [self.open(), self.open()]
        asked = [
            stores[number % 2].take(lease(f"CA{number}"), limit=7, now=NOW)
            for number in range(40)
        ]
        given = await gatherResults(asked)
        self.assertEqual(Counter(given), {True: 7, False: 33})
        self.assertEqual(await stores[0].places_taken(now=NOW), 7)

    async def test_nothing_is_made_before_it_is_asked(self) -> None:
        """A store that was only built has no file and no thread to lose in a fork."""
        store = self.open()
        self.assertFalse(self.path.parent.exists())
        self.assertEqual(store_threads(), [])
        await store.close()
        self.assertFalse(self.path.parent.exists())

    async def test_close_leaves_no_thread_and_no_journal(self) -> None:
        """After close the thread is gone and all is in the one file."""
        store = self.open()
        await store.take(lease(), limit=None, now=NOW)
        self.assertEqual(len(store_threads()), 1)
        await store.close()
        self.assertEqual(store_threads(), [])
        self.assertEqual(list(self.path.parent.iterdir()), [self.path])

    async def test_busy_file_is_tried_again(self) -> None:
        """A step that finds the file locked is done once the lock is gone."""
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            other.execute("ROLLBACK")

        store = self.open(busy_seconds=0, pause=pause)
        await store.places_taken(now=NOW)
        other = self.lock()
        self.assertTrue(await store.take(lease(), limit=1, now=NOW))
        self.assertEqual(len(pauses), 1)

    async def test_file_that_stays_busy_is_an_error(self) -> None:
        """The tries are counted; the error says what is in the way."""
        pauses: list[float] = []
        store = self.open(busy_seconds=0, pause=pauses.append)
        await store.places_taken(now=NOW)
        other = self.lock()
        with self.assertRaisesRegex(StoreError, "store.sqlite.*locked"):
            await store.take(lease(), limit=1, now=NOW)
        self.assertEqual(len(pauses), 2)
        other.execute("ROLLBACK")
        self.assertTrue(await store.take(lease(), limit=1, now=NOW))

    async def test_failed_opening_is_tried_by_the_next_ask(self) -> None:
        """Once an operator has cleared the way the store works."""
        self.path.mkdir(parents=True)
        store = self.open()
        with self.assertRaisesRegex(StoreError, "is a folder"):
            await store.places_taken(now=NOW)
        self.path.rmdir()
        self.assertEqual(await store.places_taken(now=NOW), 0)

    async def test_file_of_another_kind_is_an_error(self) -> None:
        """A file that is no data base is left as it is."""
        self.path.parent.mkdir()
        self.path.write_text("the shopping list " * 100)
        with self.assertRaisesRegex(StoreError, "not a database"):
            await self.open().places_taken(now=NOW)
        self.assertIn("shopping", self.path.read_text())

    async def test_file_of_a_newer_version_is_an_error(self) -> None:
        """An older service does not guess at a newer schema."""
        await self.open().places_taken(now=NOW)
        with sqlite3.connect(self.path) as other:
            other.execute("PRAGMA user_version = 99")
        other.close()
        with self.assertRaisesRegex(StoreError, "upgrade twistedvoice"):
            await self.open().places_taken(now=NOW)

    async def test_folder_without_permission_is_an_error(self) -> None:
        """The error names the folder that may not be written."""
        self.path.parent.mkdir(mode=0o500)
        if os.access(self.path.parent, os.W_OK):
            self.skipTest("this user may write everywhere")
        with self.assertRaisesRegex(StoreError, "cannot be made"):
            await self.open().places_taken(now=NOW)

    async def test_rows_that_somebody_wrote_over_are_parked(self) -> None:
        """They stop no other errand, are listed with a reason, and can be dropped."""
        for column, junk in (
            ("details", "{junk"),
            ("details", "[1]"),
            ("result", b"\xff"),
            ("attempts", "many"),
        ):
            path = Path(self.mktemp()) / "store.sqlite"
            store = self.open(path)
            await store.add_errands([errand(), errand(session="S2")], now=NOW)
            with sqlite3.connect(path) as other:
                other.execute(
                    f"UPDATE errands SET {column} = ? WHERE session_id = 'S1'", [junk]
                )
            other.close()
            taken = await store.take_errands(
                ["export"], "node-a", limit=10, expires_at=NOW + 60, now=NOW
            )
            self.assertEqual([each.id for each in taken], ["S2/export"])
            [parked] = await store.errands(state="parked")
            self.assertIn("cannot be read", parked.reason)
            self.assertEqual(await store.drop_errand("S1/export"), ["S1/export"])

    async def test_text_that_cannot_be_written_is_an_error(self) -> None:
        """A call id from the wire that is no Unicode harms only its own request."""
        store = self.open()
        with self.assertRaises(StoreError):
            await store.take(lease("\ud800"), limit=None, now=NOW)
        self.assertTrue(await store.take(lease(), limit=None, now=NOW))


class ProcessTests(TestCase):
    """Processes that start at the same moment on one file."""

    timeout = 60

    async def test_processes_share_one_store(self) -> None:
        """Four processes get one claim and the two places that are left."""
        path = os.path.abspath(self.mktemp())
        store = SqliteStore(path, real_reactor())
        await store.reserve(wanted(), limit=1, now=NOW)
        await store.close()
        answers = await gatherResults([self.run_child(path, n) for n in "abcd"])
        words = Counter(word for answer in answers for word in answer.split())
        self.assertEqual(words, {b"claimed": 1, b"refused": 3, b"taken": 2, b"full": 2})

    async def test_processes_make_one_file(self) -> None:
        """Four processes that find no file make it together."""
        path = os.path.abspath(self.mktemp())
        answers = await gatherResults([self.run_child(path, n) for n in "abcd"])
        words = Counter(word for answer in answers for word in answer.split())
        self.assertEqual(words, {b"refused": 4, b"taken": 3, b"full": 1})

    def run_child(self, path: str, node_id: str) -> Deferred[bytes]:
        """:returns: fires with what the process printed, its errors included."""
        checkout = Path(twistedvoice.__file__).parent.parent
        printed = getProcessOutput(
            sys.executable,
            ["-c", CHILD, path, node_id],
            env={**os.environ, "PYTHONPATH": str(checkout)},
            errortoo=True,
        )
        return cast("Deferred[bytes]", printed)
