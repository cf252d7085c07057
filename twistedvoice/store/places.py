# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""The rules of places, tokens and leases, once for every back end.

Each rule is a function of the rows of a back end, which runs it inside one transaction.
A call has a place while it has an unclaimed reservation or a lease; having both, it
still has one. What expired is swept before a rule looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest

from ..interfaces import Lease, Reservation
from .rows import KeptReservation, Rows

__all__ = ["cancel", "claim", "renew", "reserve", "take"]


def reserve(
    rows: Rows, wanted: Reservation, limit: int | None, now: float
) -> Reservation | None:
    """See :meth:`twistedvoice.interfaces.Store.reserve`."""
    rows.sweep(now)
    kept = rows.reservation(wanted.call_id)
    if kept is not None:
        if kept.reservation.account_id != wanted.account_id:
            return None
        if _answers(kept, wanted):
            return kept.reservation
    if not _may_have_place(rows, wanted.call_id, limit, now):
        return None
    rows.put_reservation(KeptReservation(wanted, claimed=False))
    return wanted


def claim(
    rows: Rows, token: str, lease: Lease, account_id: str, now: float
) -> Reservation | None:
    """
    See :meth:`twistedvoice.interfaces.Store.claim`.

    A token shown for another call or account stays good for its own. It opens that
    one call alone, and the carrier sends token and call id side by side, so whoever
    has seen the one has seen the other: to burn it would stop no thief, and would let
    anyone who has seen a token cut off its caller.
    """
    rows.sweep(now)
    kept = rows.reservation(lease.call_id)
    if kept is None or kept.claimed or not _same(token, kept.reservation.token):
        return None
    if kept.reservation.account_id != account_id:
        return None
    rows.put_reservation(KeptReservation(kept.reservation, claimed=True))
    rows.put_lease(lease)
    return kept.reservation


def take(rows: Rows, lease: Lease, limit: int | None, now: float) -> bool:
    """
    See :meth:`twistedvoice.interfaces.Store.take`.

    Without a token nobody takes over a call that another process carries.
    """
    rows.sweep(now)
    held = rows.lease(lease.call_id)
    if held is not None and held.holder != lease.holder:
        return False
    if not _may_have_place(rows, lease.call_id, limit, now):
        return False
    rows.put_lease(lease)
    return True


def renew(rows: Rows, call_ids: Sequence[str], holder: str, expires_at: float) -> None:
    """See :meth:`twistedvoice.interfaces.Store.renew`."""
    for call_id in call_ids:
        held = rows.lease(call_id)
        if held is None or held.holder == holder:
            rows.put_lease(Lease(call_id=call_id, holder=holder, expires_at=expires_at))


def cancel(rows: Rows, call_id: str, account_id: str) -> None:
    """See :meth:`twistedvoice.interfaces.Store.cancel`."""
    kept = rows.reservation(call_id)
    if kept is None or kept.claimed or kept.reservation.account_id != account_id:
        return
    rows.drop_reservation(call_id)


def _answers(kept: KeptReservation, wanted: Reservation) -> bool:
    """Whether ``wanted`` asks again for what was already given."""
    if not kept.claimed:
        return True
    return bool(wanted.idempotency) and (
        wanted.idempotency == kept.reservation.idempotency
    )


def _may_have_place(rows: Rows, call_id: str, limit: int | None, now: float) -> bool:
    """Whether the call has a place, or there is one for it."""
    if limit is None or rows.lease(call_id) is not None or _unclaimed(rows, call_id):
        return True
    return rows.places(now) < limit


def _unclaimed(rows: Rows, call_id: str) -> bool:
    kept = rows.reservation(call_id)
    return kept is not None and not kept.claimed


def _same(token: str, other: str) -> bool:
    # A token from the wire may be any JSON string, lone surrogates included.
    return compare_digest(
        token.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
