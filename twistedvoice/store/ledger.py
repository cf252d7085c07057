# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""The store contract, made of rules over rows.

A :class:`Ledger` turns each request of :class:`twistedvoice.interfaces.Store` into one
step over :class:`~twistedvoice.store.rows.Rows`. It does not know where rows are kept:
a back end says how a step is performed as one transaction, and how to let go.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve
from twisted.internet.defer import Deferred, fail

from ..errands import Errand, ErrandState, KeptErrand, Tally
from ..errors import StoreError
from ..interfaces import Lease, Reservation
from . import errand_rules, places
from .rows import Rows

__all__ = ["Ledger"]

T = TypeVar("T")

#: What is still to be done.
_UNDONE: Sequence[ErrandState] = ("waiting", "blocked", "parked")


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

    def amend_cdr(self, session_id: str, facts: Mapping[str, object]) -> Deferred[None]:
        added = dict(facts)

        def amend(rows: Rows) -> None:
            kept = rows.cdr(session_id)
            if kept is not None:
                rows.put_cdr(session_id, json.dumps(json.loads(kept) | added))

        return self._ask(amend)

    def cdrs(self, *, limit: int = 100) -> Deferred[Sequence[Mapping[str, object]]]:
        return self._ask(lambda rows: [json.loads(text) for text in rows.cdrs(limit)])

    def add_errands(self, errands: Sequence[Errand], *, now: float) -> Deferred[None]:
        try:
            plain = [evolve(each, details=_plain(each.details)) for each in errands]
        except (TypeError, ValueError) as problem:
            return fail(StoreError(f"An errand must be plain JSON: {problem}."))
        return self._ask(lambda rows: errand_rules.add(rows, plain, now))

    def take_errands(
        self,
        kinds: Collection[str],
        holder: str,
        *,
        limit: int,
        expires_at: float,
        now: float,
    ) -> Deferred[Sequence[Errand]]:
        wanted = tuple(kinds)
        return self._ask(
            lambda rows: errand_rules.take(rows, wanted, holder, limit, expires_at, now)
        )

    def hold_errands(
        self, ids: Sequence[str], holder: str, *, expires_at: float
    ) -> Deferred[None]:
        named = tuple(ids)
        return self._ask(
            lambda rows: errand_rules.hold(rows, named, holder, expires_at)
        )

    def release_errands(
        self, ids: Sequence[str], holder: str, *, now: float
    ) -> Deferred[None]:
        named = tuple(ids)
        return self._ask(lambda rows: errand_rules.release(rows, named, holder, now))

    def errand_done(
        self, errand_id: str, result: Mapping[str, object], *, now: float
    ) -> Deferred[None]:
        try:
            plain = _plain(result)
        except (TypeError, ValueError) as problem:
            return fail(StoreError(f"A result must be plain JSON: {problem}."))
        return self._ask(lambda rows: errand_rules.done(rows, errand_id, plain, now))

    def errand_failed(
        self, errand_id: str, holder: str, reason: str, *, due_at: float | None
    ) -> Deferred[None]:
        return self._ask(
            lambda rows: errand_rules.failed(rows, errand_id, holder, reason, due_at)
        )

    def errands(
        self, *, state: ErrandState | None = None, limit: int = 1000
    ) -> Deferred[Sequence[KeptErrand]]:
        states = _UNDONE if state is None else (state,)
        return self._ask(lambda rows: rows.errands(states, limit))

    def sessions_to_do(self) -> Deferred[Collection[str]]:
        return self._ask(lambda rows: rows.sessions(_UNDONE))

    def retry_errands(
        self, ids: Sequence[str] | None, *, now: float
    ) -> Deferred[Sequence[str]]:
        named = None if ids is None else tuple(ids)
        return self._ask(lambda rows: errand_rules.retry(rows, named, now))

    def drop_errand(self, errand_id: str) -> Deferred[Sequence[str]]:
        return self._ask(lambda rows: errand_rules.drop(rows, errand_id))

    def tally_errands(self) -> Deferred[Tally]:
        return self._ask(lambda rows: rows.tally_errands())

    def sweep_errands(self, *, before: float) -> Deferred[None]:
        return self._ask(lambda rows: rows.sweep_errands(before))

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


def _plain(values: Mapping[str, object]) -> dict[str, Any]:
    """:returns: a copy of what is written out here and now; see ``add_cdr``."""
    copy: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return copy
