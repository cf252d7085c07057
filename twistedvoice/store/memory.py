# -*- test-case-name: tests.store.test_memory -*-
"""A store in memory, for tests and for a service of one process.

It keeps nothing over a restart and shares nothing with another process. The same
contract test runs on it as on the stores that do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, execute, succeed

from ..errands import ErrandState, KeptErrand, Tally
from ..interfaces import Lease
from .ledger import Ledger
from .rows import KeptReservation, Rows

__all__ = ["MemoryStore"]

T = TypeVar("T")

#: So many records are kept, the newest.
_MOST_CDRS = 1_000


class MemoryStore(Ledger):
    """The store of one process; every answer is there at once."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = _MemoryRows()

    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        return execute(step, self._rows)

    def _let_go(self) -> Deferred[None]:
        return succeed(None)


@define
class _MemoryRows:
    reservations: dict[str, KeptReservation] = field(factory=dict)
    leases: dict[str, Lease] = field(factory=dict)
    records: dict[str, str] = field(factory=dict)
    kept_errands: dict[str, KeptErrand] = field(factory=dict)

    def sweep(self, now: float) -> None:
        self.reservations = {
            call_id: kept
            for call_id, kept in self.reservations.items()
            if kept.reservation.expires_at > now
        }
        self.leases = {
            call_id: lease
            for call_id, lease in self.leases.items()
            if lease.expires_at > now
        }

    def places(self, now: float) -> int:
        reserved = {
            call_id
            for call_id, kept in self.reservations.items()
            if not kept.claimed and kept.reservation.expires_at > now
        }
        leased = {
            call_id for call_id, lease in self.leases.items() if lease.expires_at > now
        }
        return len(reserved | leased)

    def reservation(self, call_id: str) -> KeptReservation | None:
        return self.reservations.get(call_id)

    def put_reservation(self, kept: KeptReservation) -> None:
        self.reservations[kept.reservation.call_id] = kept

    def drop_reservation(self, call_id: str) -> None:
        self.reservations.pop(call_id, None)

    def lease(self, call_id: str) -> Lease | None:
        return self.leases.get(call_id)

    def put_lease(self, lease: Lease) -> None:
        self.leases[lease.call_id] = lease

    def drop_lease(self, call_id: str, holder: str) -> None:
        lease = self.leases.get(call_id)
        if lease is not None and lease.holder == holder:
            del self.leases[call_id]

    def put_cdr(self, session_id: str, cdr: str) -> None:
        self.records[session_id] = cdr
        if len(self.records) > _MOST_CDRS:
            del self.records[next(iter(self.records))]

    def cdr(self, session_id: str) -> str | None:
        return self.records.get(session_id)

    def cdrs(self, limit: int) -> Sequence[str]:
        return list(reversed(self.records.values()))[:limit]

    def errand(self, errand_id: str) -> KeptErrand | None:
        return self.kept_errands.get(errand_id)

    def followers(self, errand_id: str) -> Sequence[KeptErrand]:
        everything = self.kept_errands.values()
        return [kept for kept in everything if kept.errand.after == errand_id]

    def put_errand(self, kept: KeptErrand) -> None:
        self.kept_errands[kept.errand.id] = kept

    def drop_errand(self, errand_id: str) -> None:
        self.kept_errands.pop(errand_id, None)

    def due_errands(
        self, kinds: Collection[str], limit: int, now: float
    ) -> Sequence[KeptErrand]:
        due = [
            kept
            for kept in self.errands(["waiting"], None)
            if kept.errand.kind in kinds and kept.due_at <= now
        ]
        return sorted(due, key=lambda kept: (kept.due_at, kept.errand.id))[:limit]

    def errands(
        self, states: Sequence[ErrandState], limit: int | None
    ) -> Sequence[KeptErrand]:
        found = [kept for kept in self.kept_errands.values() if kept.state in states]
        return sorted(found, key=lambda kept: (kept.posted_at, kept.errand.id))[:limit]

    def sessions(self, states: Sequence[ErrandState]) -> Collection[str]:
        return {kept.errand.session_id for kept in self.errands(states, None)}

    def tally_errands(self) -> Tally:
        waiting = self.errands(["waiting"], None)
        return Tally(
            waiting=len(waiting) + len(self.errands(["blocked"], None)),
            parked=len(self.errands(["parked"], None)),
            oldest_at=waiting[0].posted_at if waiting else None,
        )

    def sweep_errands(self, before: float) -> None:
        for kept in self.errands(["done"], None):
            after = self.followers(kept.errand.id)
            if kept.due_at < before and all(each.state == "done" for each in after):
                self.drop_errand(kept.errand.id)
