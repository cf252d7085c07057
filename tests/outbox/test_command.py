"""Tests of ``twistedvoice.outbox.command``."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.cli import main
from twistedvoice.store.sqlite import BlockingStore

from .clerk import errand

__all__ = ["CommandTests"]


class CommandTests(SynchronousTestCase):
    """``twistedvoice outbox`` on the store of a service."""

    def setUp(self) -> None:
        self.out, self.errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.errors)
        self.path = Path(self.mktemp())
        self.store = BlockingStore(self.path)
        self.addCleanup(self.store.close)
        self.now = time.time()
        chain = [errand(), errand("frame", after="S1/paint"), errand(session="S2")]
        self.store.add_errands(chain, now=self.now - 60)
        self.store.take_errands(
            ["paint"], "n-1", limit=1, expires_at=self.now + 60, now=self.now
        )

    def park(self) -> None:
        self.store.errand_failed("S1/paint", "n-1", "no brush", due_at=None)

    def run_it(self, *words: str) -> int:
        """:returns: the exit status."""
        return main(("outbox", *words, "--store", str(self.path)))

    def states(self) -> dict[str, str]:
        kept = self.successResultOf(self.store.errands())
        return {each.errand.id: each.state for each in kept}

    def test_list(self) -> None:
        """A row for each, in columns, with what it waits for."""
        self.assertEqual(self.run_it("list"), 0)
        self.assertEqual(
            self.out.getvalue().split("\n\n")[1].splitlines(),
            [
                "id        state    begun  next            last error",
                "S1/frame  blocked      0  after S1/paint",
                "S1/paint  at work      1  by n-1",
                "S2/paint  waiting      0  now",
            ],
        )

    def test_list_of_one_that_failed(self) -> None:
        """Its error is shown, and when it is tried the next time."""
        due_at = self.now + 3600
        self.store.errand_failed("S1/paint", "n-1", "no brush", due_at=due_at)
        self.run_it("list")
        self.assertRegex(
            self.out.getvalue(),
            r"S1/paint  waiting      1  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +no brush\n",
        )

    def test_list_parked(self) -> None:
        """Only what waits for somebody."""
        self.park()
        self.run_it("list", "--parked")
        self.assertEqual(
            self.out.getvalue().split("\n\n")[1].splitlines()[1:],
            ["S1/paint  parked      1  when retried  no brush"],
        )

    def test_list_as_json(self) -> None:
        """One line each, with all there is to know."""
        self.park()
        self.run_it("list", "--json", "--parked")
        [line] = self.out.getvalue().splitlines()
        told = json.loads(line)
        self.assertEqual((told["id"], told["state"]), ("S1/paint", "parked"))
        self.assertEqual(told["details"], {"path": "a.wav"})
        self.assertEqual((told["attempts"], told["reason"]), (1, "no brush"))

    def test_retry(self) -> None:
        """A parked one is due again; what is due already is none to retry."""
        self.park()
        self.assertEqual(self.run_it("retry", "S1/paint"), 0)
        self.assertEqual(self.states()["S1/paint"], "waiting")
        self.assertEqual(self.out.getvalue(), "S1/paint: tried again\n")
        self.assertEqual(self.run_it("retry", "S1/paint"), 1)
        self.assertIn("S1/paint: there is none", self.errors.getvalue())

    def test_retry_late(self) -> None:
        """One that would be tried later is tried now."""
        self.store.errand_failed("S1/paint", "n-1", "no", due_at=self.now + 3600)
        self.assertEqual(self.run_it("retry", "S1/paint"), 0)
        self.assertEqual(self.out.getvalue(), "S1/paint: tried again\n")

    def test_retry_all(self) -> None:
        """All that are parked, which may be none."""
        self.park()
        self.assertEqual(self.run_it("retry", "--all"), 0)
        self.assertEqual(self.states()["S1/paint"], "waiting")
        self.assertEqual(self.run_it("retry", "--all"), 0)

    def test_drop(self) -> None:
        """It goes, and what waits for it; once."""
        self.assertEqual(self.run_it("drop", "S1/paint"), 0)
        self.assertEqual(self.states(), {"S2/paint": "waiting"})
        self.assertEqual(self.out.getvalue(), "S1/paint: dropped\nS1/frame: dropped\n")
        self.assertEqual(self.run_it("drop", "S1/paint"), 1)

    def test_wrong_words(self) -> None:
        """No file, no id, or both an id and all: nothing is done."""
        for words in (
            ("list", "--store", "/no/such/file"),
            ("retry", "--store", str(self.path)),
            ("retry", "S1/paint", "--all", "--store", str(self.path)),
        ):
            error: SystemExit = self.assertRaises(SystemExit, main, ("outbox", *words))
            self.assertEqual(error.code, 2)

    def test_file_that_is_no_store(self) -> None:
        """One sentence, and 2."""
        path = Path(self.mktemp())
        path.write_text("the shopping list " * 100)
        self.assertEqual(main(("outbox", "list", "--store", str(path))), 2)
        self.assertIn("not a database", self.errors.getvalue())

    def test_beside_a_service(self) -> None:
        """It works while another process has the store open."""
        with sqlite3.connect(self.path) as other:
            other.execute("SELECT * FROM errands").fetchall()
            self.assertEqual(self.run_it("drop", "S2/paint"), 0)
        other.close()
        self.assertNotIn("S2/paint", self.states())
