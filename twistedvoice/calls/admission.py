# -*- test-case-name: tests.calls.test_admission -*-
"""The one gate that every call passes.

It turns webhooks, streams and ends of calls into what the store is asked, keeps the
leases of this process alive in one batch, and counts. It knows neither how a place is
kept nor what a call does with it. Webhooks reserve and cancel, the media socket claims
or takes, and whoever got a place so gives it back with :meth:`Admission.release`.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..errors import RequestRefused
from ..interfaces import Lease, Reservation, Store

__all__ = ["Admission"]

_log = Logger()

#: A lease outlives this many renewals that fail, less one.
_RENEWALS_PER_LEASE = 3


class Admission:
    """
    The places of this process among those that the service shares.

    A ``StoreError`` reaches whoever asks to be let in, so that no call is answered
    without a place. Giving a place back never fails: what is not given back expires.
    """

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], float],
        store: Store,
        *,
        node_id: str,
        max_calls: int | None,
        new_token: Callable[[], str],
        is_late: Callable[[], bool],
        reservation_seconds: float = 15.0,
        lease_seconds: float = 30.0,
    ) -> None:
        """
        :param wall: gives seconds since the epoch, which processes share.
        :param node_id: names this process among those of the service.
        :param max_calls: places of the whole service; None is no limit, 0 none.
        :param new_token: gives a token that nobody can guess, each time another.
        :param is_late: whether this process is too late for the calls it has; then
            only those that have a place get one.
        :param reservation_seconds: how long a place waits for its stream.
        :param lease_seconds: how long the places of a dead process stay taken.
        """
        #: May be set while calls run; those that have a place keep it.
        self.max_calls = max_calls
        #: Whether new calls are let in; see :meth:`close_gate`.
        self.open = True
        self.reserved = 0
        self.claimed = 0
        self.taken = 0
        self.released = 0
        self.refused_full = 0
        self.refused_closed = 0
        self.refused_late = 0
        self.refused_token = 0
        self._wall = wall
        self._store = store
        self._node_id = node_id
        self._new_token = new_token
        self._is_late = is_late
        self._reservation_seconds = reservation_seconds
        self._lease_seconds = lease_seconds
        self._held: set[str] = set()
        self._renewals = LoopingCall(self._renew)
        self._renewals.clock = clock

    def start(self) -> None:
        """Begin to keep leases alive."""
        running = self._renewals.start(
            self._lease_seconds / _RENEWALS_PER_LEASE, now=False
        )
        running.addErrback(
            lambda failure: _log.failure("Leases are no longer renewed", failure)
        )

    def stop(self) -> None:
        """Renew no more; idempotent. Leases that are still held expire."""
        if self._renewals.running:
            self._renewals.stop()

    def open_gate(self) -> None:
        """Let new calls in, as it does from its beginning."""
        self.open = True

    def close_gate(self) -> None:
        """Let no new call in; a call that has its reservation may still claim it."""
        self.open = False

    def reserve(
        self,
        call_id: str,
        account_id: str,
        *,
        idempotency: str,
        from_number: str,
        to_number: str,
    ) -> Deferred[Reservation]:
        """
        Keep a place for a call whose webhook came.

        :raises RequestRefused: through the Deferred, with ``"full"``, ``"closed"`` or
            ``"late"``: the caller must be told that the service is busy.
        """
        wanted = Reservation(
            call_id=call_id,
            account_id=account_id,
            token=self._new_token(),
            idempotency=idempotency,
            from_number=from_number,
            to_number=to_number,
            expires_at=self._wall() + self._reservation_seconds,
        )
        return Deferred.fromCoroutine(self._reserve(wanted))

    def claim(self, token: str, call_id: str, account_id: str) -> Deferred[Reservation]:
        """
        Let in the stream that shows a token.

        A stream that is gone when this fires has a place all the same, to release.

        :raises RequestRefused: through the Deferred, with ``"token"``: it is unknown,
            used, expired, or was made for another call or account.
        """
        return Deferred.fromCoroutine(self._claim(token, call_id, account_id))

    def take(self, call_id: str) -> Deferred[None]:
        """
        Let in the stream of a trusted call that had no webhook.

        :raises RequestRefused: through the Deferred, with ``"full"``, ``"closed"`` or
            ``"late"``.
        """
        return Deferred.fromCoroutine(self._take(call_id))

    def release(self, call_id: str) -> Deferred[None]:
        """
        Give the place of an ended call back; idempotent, and never fails.

        A call has one place, however many streams it had: while a newer stream of the
        call lives here, the end of an older one must not release it.
        """
        if call_id not in self._held:
            return succeed(None)
        self._held.discard(call_id)
        self.released += 1
        return self._give_back(call_id)

    def cancel(self, call_id: str, account_id: str) -> Deferred[None]:
        """Drop the reservation of a caller who hung up early; never fails."""
        return self._store.cancel(call_id, account_id).addErrback(
            lambda failure: _log.failure(
                "A reservation could not be cancelled and will expire",
                failure,
                call_id=call_id,
            )
        )

    async def _reserve(self, wanted: Reservation) -> Reservation:
        self._check_gate()
        late = self._is_late()
        given = await self._store.reserve(
            wanted, limit=self._limit(late=late), now=self._wall()
        )
        if given is None:
            raise self._no_place(late=late)
        if given.token == wanted.token:
            self.reserved += 1
        return given

    async def _claim(self, token: str, call_id: str, account_id: str) -> Reservation:
        lease = self._lease(call_id)
        given = await self._store.claim(
            token, lease, account_id=account_id, now=self._wall()
        )
        if given is None:
            self.refused_token += 1
            raise RequestRefused("token")
        self._held.add(call_id)
        self.claimed += 1
        return given

    async def _take(self, call_id: str) -> None:
        self._check_gate()
        late = self._is_late()
        lease, limit = self._lease(call_id), self._limit(late=late)
        if not await self._store.take(lease, limit=limit, now=self._wall()):
            raise self._no_place(late=late)
        self._held.add(call_id)
        self.taken += 1

    def _check_gate(self) -> None:
        if not self.open:
            self.refused_closed += 1
            raise RequestRefused("closed", 503)

    def _limit(self, *, late: bool) -> int | None:
        # With no place at all, a call that has one still keeps it.
        return 0 if late else self.max_calls

    def _no_place(self, *, late: bool) -> RequestRefused:
        if late:
            self.refused_late += 1
            return RequestRefused("late", 503)
        self.refused_full += 1
        return RequestRefused("full", 503)

    def _give_back(self, call_id: str) -> Deferred[None]:
        return self._store.release(call_id, self._node_id).addErrback(
            lambda failure: _log.failure(
                "A lease could not be given back and will expire",
                failure,
                call_id=call_id,
            )
        )

    def _renew(self) -> Deferred[None]:
        if not self._held:
            return succeed(None)
        renewed = self._store.renew(
            sorted(self._held), self._node_id, expires_at=self._lease_end()
        )
        return renewed.addErrback(
            lambda failure: _log.failure(
                "{count} leases were not renewed; trying again",
                failure,
                count=len(self._held),
            )
        )

    def _lease(self, call_id: str) -> Lease:
        return Lease(
            call_id=call_id, holder=self._node_id, expires_at=self._lease_end()
        )

    def _lease_end(self) -> float:
        return self._wall() + self._lease_seconds
