# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""The store contract, made of rules over rows.

A :class:`Ledger` turns each request of :class:`twistedvoice.interfaces.Store` into one
step over :class:`~twistedvoice.store.rows.Rows`. It does not know where rows are kept:
a back end says how a step is performed as one transaction, and how to let go.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred, fail

from ..errors import StoreError
from ..interfaces import Lease, Reservation
from . import places
from .rows import Rows

__all__ = ["Ledger"]

T = TypeVar("T")


class Ledger(ABC):
    """What every back end shares; each method is described by ``interfaces.Store``."""

    def __init__(self) -> None:
        self._closed: Deferred[None] | None = None

    @abstractmethod
    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        """Run ``step`` in one transaction; steps are performed in order."""

    @abstractmethod
    def _let_go(self) -> Deferred[None]:
        """Finish the steps that were asked, then free everything; called once."""

    def reserve(
        self, wanted: Reservation, *, limit: int | None, now: float
    ) -> Deferred[Reservation | None]:
        return self._ask(lambda rows: places.reserve(rows, wanted, limit, now))

    def claim(
        self, token: str, lease: Lease, *, account_id: str, now: float
    ) -> Deferred[Reservation | None]:
        return self._ask(lambda rows: places.claim(rows, token, lease, account_id, now))

    def take(self, lease: Lease, *, limit: int | None, now: float) -> Deferred[bool]:
        return self._ask(lambda rows: places.take(rows, lease, limit, now))

    def renew(
        self, call_ids: Sequence[str], holder: str, *, expires_at: float
    ) -> Deferred[None]:
        named = tuple(call_ids)
        return self._ask(lambda rows: places.renew(rows, named, holder, expires_at))

    def release(self, call_id: str, holder: str) -> Deferred[None]:
        return self._ask(lambda rows: rows.drop_lease(call_id, holder))

    def cancel(self, call_id: str, account_id: str) -> Deferred[None]:
        return self._ask(lambda rows: places.cancel(rows, call_id, account_id))

    def places_taken(self, *, now: float) -> Deferred[int]:
        return self._ask(lambda rows: rows.places(now))

    def add_cdr(self, session_id: str, cdr: Mapping[str, object]) -> Deferred[None]:
        # Written out here and now: the caller may change its mapping afterwards.
        try:
            text = json.dumps(dict(cdr))
        except (TypeError, ValueError) as problem:
            return fail(StoreError(f"A call record must be plain JSON: {problem}."))
        return self._ask(lambda rows: rows.put_cdr(session_id, text))

    def cdrs(self, *, limit: int = 100) -> Deferred[Sequence[Mapping[str, object]]]:
        return self._ask(lambda rows: [json.loads(text) for text in rows.cdrs(limit)])

    def close(self) -> Deferred[None]:
        if self._closed is None:
            self._closed = self._let_go()
        done: Deferred[None] = Deferred()
        self._closed.chainDeferred(done)
        return done

    def _ask(self, step: Callable[[Rows], T]) -> Deferred[T]:
        if self._closed is not None:
            return fail(StoreError("The store is closed."))
        return self._perform(step)
