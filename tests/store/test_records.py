"""Tests of ``twistedvoice.store.records``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errands import Errand
from twistedvoice.errors import StoreError
from twistedvoice.store.memory import MemoryStore
from twistedvoice.store.records import Records

CDR: dict[str, object] = {"session_id": "s-1", "call_id": "CA1", "agent": "e"}
COPY = Errand(id="s-1/copy", kind="copy", session_id="s-1", details={"call_id": "CA1"})
FOUND = {"carrier_copy": {"verdict": "alike"}}


class RecordsTests(SynchronousTestCase):
    """Where the record of a call goes."""

    def setUp(self) -> None:
        self.store = MemoryStore()
        self.file = Path(self.mktemp())
        self.told: list[Mapping[str, object]] = []
        self.records = self.new(self.file)

    def new(self, file: Path | None) -> Records:
        """:returns: one that tells of what the store has."""
        return Records(self.store, file, maybeDeferred, self.told.append)

    def lines(self) -> list[dict[str, object]]:
        """:returns: what the file has."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def test_both(self) -> None:
        """It is kept in the store and in the file, and told of once."""
        self.successResultOf(self.records.keep(CDR))
        self.assertEqual(self.successResultOf(self.store.cdrs()), [CDR])
        self.assertEqual((self.lines(), self.told), ([CDR], [CDR]))

    def test_amended(self) -> None:
        """What is found later is in the store's record, and in a line of its own."""
        self.successResultOf(self.records.keep(CDR))
        self.successResultOf(self.records.amend(COPY, FOUND))
        self.assertEqual(self.successResultOf(self.store.cdrs()), [CDR | FOUND])
        [first, second] = self.lines()
        self.assertEqual((first, first | second), (CDR, CDR | FOUND))
        self.assertEqual(set(second), {"session_id", "call_id", "carrier_copy"})

    def test_no_file(self) -> None:
        """Without a file the store has all of it."""
        records = self.new(None)
        self.successResultOf(records.keep(CDR))
        self.successResultOf(records.amend(COPY, FOUND))
        self.assertEqual(self.successResultOf(self.store.cdrs()), [CDR | FOUND])

    def test_store_fails(self) -> None:
        """Whoever keeps a record hears when the store cannot; the file has it."""
        self.store.add_cdr = (  # type: ignore[method-assign]
            lambda session_id, cdr: fail(StoreError("full"))
        )
        self.failureResultOf(self.records.keep(CDR))
        self.assertEqual((self.lines(), self.told), ([CDR], []))

    def test_waits(self) -> None:
        """It is kept when what follows from it is posted, too."""
        posting: Deferred[None] = Deferred()
        records = Records(self.store, None, maybeDeferred, lambda cdr: posting)
        kept = records.keep(CDR)
        self.assertNoResult(kept)
        posting.callback(None)
        self.successResultOf(kept)
