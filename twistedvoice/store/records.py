# -*- test-case-name: tests.store.test_records -*-
"""Keeps the records of finished calls: in the store, and in the CDR file.

What is found out later is added: in the store to the record, in the file as one more
line. What else follows from a record is posted by :mod:`twistedvoice.keeping`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, succeed

from ..errands import Errand
from ..interfaces import Store
from .cdrfile import append_cdr

__all__ = ["Records"]


class Records:
    """
    The records of the calls of one process.

    :param file: gets a line for each; None for no file.
    :param defer_to_thread: writes lines.
    :param kept: told of each record that the store has.
    """

    def __init__(
        self,
        store: Store,
        file: Path | None,
        defer_to_thread: Callable[..., Deferred[Any]],
        kept: Callable[[Mapping[str, Any]], Deferred[None] | None],
    ) -> None:
        self._store = store
        self._file = file
        self._defer_to_thread = defer_to_thread
        self._kept = kept

    def keep(self, cdr: dict[str, object]) -> Deferred[None]:
        """
        Keep the record of a call that has ended.

        :raises StoreError: or ``OSError``, through the Deferred, when one of the two
            cannot; the other has it then.
        """
        added = self._store.add_cdr(str(cdr["session_id"]), cdr)
        added.addCallback(lambda _: self._kept(cdr))
        both = gatherResults([added, self._write(cdr)], consumeErrors=True)
        return both.addCallback(lambda _: None)

    def amend(self, errand: Errand, facts: Mapping[str, object]) -> Deferred[None]:
        """Add to the record of an errand's call; once more does no harm."""
        call_id = errand.details["call_id"]
        line = {"session_id": errand.session_id, "call_id": call_id, **facts}
        amended = self._store.amend_cdr(errand.session_id, facts)
        return amended.addCallback(lambda _: self._write(line))

    def _write(self, line: Mapping[str, object]) -> Deferred[None]:
        if self._file is None:
            return succeed(None)
        return self._defer_to_thread(append_cdr, self._file, line)
