# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""What a back end must be able to keep, row by row.

Rows know nothing of limits, tokens that match or calls that come back: those rules are
in ``places`` and ``errand_rules``, once. A back end gives :class:`Rows` to a rule
inside one transaction that no other process can interleave with; a new data base is one
more set of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from attrs import frozen

from ..errands import ErrandState, KeptErrand, Tally
from ..interfaces import Lease, Reservation

__all__ = ["KeptReservation", "Rows"]


@frozen
class KeptReservation:
    """A reservation and whether its token was used."""

    reservation: Reservation
    claimed: bool


class Rows(Protocol):
    """
    One reservation and one lease a call, the records of finished calls, and errands.

    What expired may still be found until :meth:`sweep`.
    """

    def sweep(self, now: float) -> None:
        """Drop every reservation and lease whose end is at or before ``now``."""

    def places(self, now: float) -> int:
        """:returns: calls with an unclaimed reservation or a lease after ``now``."""

    def reservation(self, call_id: str) -> KeptReservation | None:
        """:returns: the call's reservation, claimed or not."""

    def put_reservation(self, kept: KeptReservation) -> None:
        """Keep it in place of the one that its call has."""

    def drop_reservation(self, call_id: str) -> None:
        """Forget the call's reservation, if there is one."""

    def lease(self, call_id: str) -> Lease | None:
        """:returns: the call's lease, whoever holds it."""

    def put_lease(self, lease: Lease) -> None:
        """Keep it in place of the one that its call has."""

    def drop_lease(self, call_id: str, holder: str) -> None:
        """Forget the call's lease if ``holder`` holds it."""

    def put_cdr(self, session_id: str, cdr: str) -> None:
        """
        Keep a record, in the place of the same session's earlier one.

        The oldest go when there are more than the back end keeps.
        """

    def cdr(self, session_id: str) -> str | None:
        """:returns: the session's record, if it is kept."""

    def cdrs(self, limit: int) -> Sequence[str]:
        """:returns: at most ``limit`` records; the session added last comes first."""

    def errand(self, errand_id: str) -> KeptErrand | None:
        """:returns: the errand, in whatever state; nothing found with it."""

    def followers(self, errand_id: str) -> Sequence[KeptErrand]:
        """:returns: the errands that come after this one."""

    def put_errand(self, kept: KeptErrand) -> None:
        """Keep it in place of the one with its id."""

    def drop_errand(self, errand_id: str) -> None:
        """Forget it, if it is there."""

    def due_errands(
        self, kinds: Collection[str], limit: int, now: float
    ) -> Sequence[KeptErrand]:
        """:returns: at most ``limit`` waiting ones of these, the longest due first."""

    def errands(
        self, states: Sequence[ErrandState], limit: int | None
    ) -> Sequence[KeptErrand]:
        """:returns: those in one of these states, in the order they were posted in."""

    def sessions(self, states: Sequence[ErrandState]) -> Collection[str]:
        """:returns: the ids of those that have errands in one of these states."""

    def tally_errands(self) -> Tally:
        """:returns: how many there are to do."""

    def sweep_errands(self, before: float) -> None:
        """Drop those that were done before this time and that none waits for."""
