"""Tests for :mod:`twistedvoice.archive.chains`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.archive.chains import chains_in
from twistedvoice.store.cdrfile import append_cdr


class ChainsTests(SynchronousTestCase):
    """What a CDR file says."""

    def test_read(self) -> None:
        """Finished recordings have a chain; whatever else is in the file is no harm."""
        path = Path(self.mktemp())
        for session_id, rest in (
            ("a", {"recording": {"state": "done", "chain": "aa"}}),
            ("b", {"recording": {"state": "failed", "chain": ""}}),
            ("c", {"recording": {"state": "skipped"}}),
            ("a", {"call_id": "CA1", "carrier_copy": {"verdict": "alike"}}),
        ):
            append_cdr(path, {"session_id": session_id, **rest})
        with path.open("a") as file:
            file.write('[]\n{"session_id": "e", "recording": {"chain": "e')
        self.assertEqual(chains_in(path), {"a": "aa"})
