# -*- test-case-name: tests.test_interfaces -*-
"""The seam towards the store: what processes of one service share.

A place for a call is reserved by its webhook, claimed by its stream and leased to the
process that carries it. Implemented in ``store/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

from .errands import ErrandStore

__all__ = ["Lease", "Reservation", "Store"]


@frozen(kw_only=True)
class Reservation:
    """A place kept for a call between its webhook and its stream."""

    call_id: str
    account_id: str
    token: str = field(repr=False)
    #: The carrier's idempotency token of the webhook, empty when it sent none.
    idempotency: str = ""
    from_number: str = field(repr=False, default="")
    to_number: str = field(repr=False, default="")
    #: Seconds since the epoch.
    expires_at: float


@frozen(kw_only=True)
class Lease:
    """The right of one process to carry one call, until it expires."""

    call_id: str
    #: The node id of the process that carries the call.
    holder: str
    #: Seconds since the epoch.
    expires_at: float


class Store(ErrandStore, Protocol):
    """
    What processes of one service share: places, tokens, leases, CDRs and errands.

    Each method is atomic across processes. ``now`` is seconds since the epoch. A
    place is taken by a reservation or a lease that has not expired, one a call.
    Failures arrive through the Deferred as :class:`~twistedvoice.errors.StoreError`.
    """

    def reserve(
        self, wanted: Reservation, *, limit: int | None, now: float
    ) -> Deferred[Reservation | None]:
        """
        Keep a place for a call.

        The same call gets the reservation it already has back, token and all, while
        that is unclaimed and unexpired, or when a non-empty ``idempotency`` is equal.
        Otherwise a call that has a place keeps it and gets ``wanted`` for a new token.

        :param limit: the most places that may be taken; None is no limit, 0 none.
        :returns: the reservation that counts, or None when every place is taken, or
            the call is another account's.
        """

    def claim(
        self, token: str, lease: Lease, *, account_id: str, now: float
    ) -> Deferred[Reservation | None]:
        """
        Use a token once, and turn its place into a lease.

        :returns: the reservation, or None when the token is unknown, used, expired,
            or was made for another call than ``lease.call_id`` or another account.
        """

    def take(self, lease: Lease, *, limit: int | None, now: float) -> Deferred[bool]:
        """
        Take a place without a reservation.

        :returns: whether there was one, or it was ours already.
        """

    def renew(
        self, call_ids: Sequence[str], holder: str, *, expires_at: float
    ) -> Deferred[None]:
        """
        Move the end of these calls' leases, all in one step.

        A lease that is gone, since the store or its process stalled for longer than it
        lasts, is put back, over any limit: the call is live. One that another holder
        has stays as it is.
        """

    def release(self, call_id: str, holder: str) -> Deferred[None]:
        """Give a lease back; nothing happens when ``holder`` does not hold it."""

    def cancel(self, call_id: str, account_id: str) -> Deferred[None]:
        """
        Drop an unclaimed reservation: the caller hung up before the stream came.

        Nothing happens when it is another account's.
        """

    def places_taken(self, *, now: float) -> Deferred[int]:
        """:returns: how many reservations and leases count now."""

    def add_cdr(self, session_id: str, cdr: Mapping[str, object]) -> Deferred[None]:
        """Keep the record of a finished call; the same session again replaces it."""

    def amend_cdr(self, session_id: str, facts: Mapping[str, object]) -> Deferred[None]:
        """Add to the record of a call, unless it is not kept (any more)."""

    def cdrs(self, *, limit: int = 100) -> Deferred[Sequence[Mapping[str, object]]]:
        """:returns: the newest records first."""

    def close(self) -> Deferred[None]:
        """Finish what was asked and let go of everything; idempotent."""
