# -*- test-case-name: tests.calls.test_switchboard -*-
"""All live calls of one process: lets them in, and sees each to its record.

It asks admission for a place, gives a call its record and its route, lets the newest of
two streams of one call win, and waits for everyone when the service stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeVar

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import RequestRefused
from ..events import StreamStarted
from ..interfaces import CallRecord, Dialect, MediaTransport, Reservation
from ..metrics import LATENCY_BOUNDS_US, LATENESS_BOUNDS_US, Histogram
from ..realtime.schedule import microseconds
from .audience import facts_of, tell_first_audio
from .call import Call
from .cdr import call_detail_record
from .latency import Latencies
from .oneatime import OneATime
from .patience import patiently
from .services import CallServices

__all__ = ["Switchboard"]

_log = Logger()

T = TypeVar("T")


class Switchboard:
    """The calls of one process."""

    def __init__(self, services: CallServices) -> None:
        self._services = services
        #: Every call with an open socket, in order of arrival.
        self._sockets: dict[Call, None] = {}
        #: The call that carries each carrier's id.
        self._by_call_id: dict[str, Call] = {}
        #: How many streams of each call wait for their place.
        self._waiting: Counter[str] = Counter()
        #: Calls that have ended, and when; to see one off takes milliseconds.
        self._leaving = OneATime(services.clock, self._see_off)
        self._finishing: dict[Deferred[None], None] = {}
        self._idle: list[Deferred[None]] = []
        #: Calls ended, by outcome, and streams that never became a call.
        self.outcomes: Counter[str] = Counter()
        self.turned_away: Counter[str] = Counter()
        #: From ``start`` to the first frame on the wire.
        self.first_audio = Histogram(LATENCY_BOUNDS_US)
        #: From an agent's interrupt to the carrier's being told to be silent.
        self.interrupted = Histogram(LATENESS_BOUNDS_US)
        #: What callers waited for.
        self.latencies = Latencies()
        #: Meters of ended calls, added up.
        self.frames: Counter[str] = Counter()
        self.underruns: Counter[str] = Counter()

    # -- for the media socket ----------------------------------------------------------

    def connect(self, transport: MediaTransport, dialect: Dialect) -> Call:
        """:returns: the call of a socket that has just opened."""
        call = Call(self._services, self, transport, dialect)
        self._sockets[call] = None
        return call

    def unstarted(self) -> int:
        """:returns: how many open sockets are not a call yet."""
        return sum(call.state == "Connecting" for call in self._sockets)

    # -- for webhooks, watcher and meters ----------------------------------------------

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._by_call_id.values()))

    def __len__(self) -> int:
        return len(self._by_call_id)

    def carrier_ended(self, call_id: str, account_id: str) -> None:
        """
        The carrier's webhook says that a call is over; its socket may not know.

        :param account_id: whose call it says it was; another's goes on.
        """
        for call in list(self._sockets):
            started = call.started
            if started and (started.call_id, started.account_id) == (
                call_id,
                account_id,
            ):
                call.life.over("completed")

    def end_all(self, outcome: str) -> None:
        """End every call, admitted or not, now."""
        for call in list(self._sockets):
            call.life.over(outcome)

    def idle(self) -> Deferred[None]:
        """:returns: fires once there is no call, and every record is kept."""
        if self._is_idle:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._idle.append(waiter)
        return waiter

    # -- for the call ------------------------------------------------------------------

    def admit(self, call: Call, event: StreamStarted) -> None:
        """Find a place for a call whose stream has started."""
        admission = self._services.admission
        token = event.params.get("token", "")
        place: Deferred[Reservation] | Deferred[None]
        if token or not self._services.trusted:
            place = admission.claim(token, event.call_id, event.account_id)
        else:
            place = admission.take(event.call_id)
        started_us = microseconds(self._services.clock)
        self._waiting[event.call_id] += 1
        place.addBoth(self._answered, event.call_id)
        place.addCallback(self._admitted, call, event, started_us)
        place.addErrback(self._refused, call, event.call_id)

    def closed(self, call: Call) -> None:
        """A call has closed: forget it, and finish its record, soon."""
        self._sockets.pop(call, None)
        if call.record is None:
            self.turned_away[call.outcome] += 1
            _log.info(
                "stream {call_id} turned away: {outcome}",
                call_id=call.call_id,
                outcome=call.outcome,
            )
            self._look_idle()
            return
        if self._by_call_id.get(call.call_id) is call:
            del self._by_call_id[call.call_id]
        self._leaving.add((call, microseconds(self._services.clock)))

    # -- letting in --------------------------------------------------------------------

    def _admitted(
        self,
        reservation: Reservation | None,
        call: Call,
        event: StreamStarted,
        started_us: int,
    ) -> None:
        if call.state != "Connecting":
            self._give_back(event.call_id)
            return
        services = self._services
        elapsed_us = microseconds(services.clock) - started_us
        to_number = reservation.to_number if reservation else ""
        route = services.route(to_number)
        record = CallRecord(
            session_id=call.session_id,
            call_id=event.call_id,
            account_id=event.account_id,
            stream_id=event.stream_id,
            from_number=reservation.from_number if reservation else "",
            to_number=to_number,
            format=event.format,
            started_at=services.wall() - elapsed_us / 1_000_000,
            started_us=started_us,
            needs_consent=bool(route.consent_key),
        )
        older = self._by_call_id.get(event.call_id)
        self._by_call_id[event.call_id] = call
        if older is not None:
            older.life.over("replaced")
        _log.info("call {call_id} answered", call_id=event.call_id)
        call.admit(record, route)
        # A greeting takes a while to be queued, and others may be let in in this turn.
        services.schedule.look()

    def _refused(self, failure: Failure, call: Call, call_id: str) -> None:
        if failure.check(RequestRefused):
            call.life.over("refused")
        else:
            _log.failure("no place for {call_id}", failure, call_id=call_id)
            call.life.over("unavailable")
        self._give_back(call_id)

    def _answered(self, result: T, call_id: str) -> T:
        self._waiting[call_id] -= 1
        if not self._waiting[call_id]:
            del self._waiting[call_id]
        return result

    def _give_back(self, call_id: str) -> None:
        # A call has one place, however many streams it has; the last gives it back.
        if call_id not in self._by_call_id and call_id not in self._waiting:
            self._services.admission.release(call_id)

    # -- seeing off --------------------------------------------------------------------

    def _see_off(self, leaving: tuple[Call, int]) -> None:
        call, ended_us = leaving
        _log.info(
            "call {call_id} ended: {outcome}",
            call_id=call.call_id,
            outcome=call.outcome,
        )
        self._give_back(call.call_id)
        tell_first_audio(self._services.observers, call)
        self._add_up(call)
        finishing = self._finish(call, ended_us)
        self._finishing[finishing] = None
        finishing.addBoth(self._finished, finishing)
        self._services.schedule.look()

    def _add_up(self, call: Call) -> None:
        self.outcomes[call.outcome] += 1
        meters, flags = call.stream.meters, call.stream.flags
        assert call.record is not None
        for name in ("queued", "sent", "flushed", "rejected", "dropped"):
            self.frames[name] += getattr(meters, name)
        self.frames["received"] += call.inbound.frames
        self.frames["malformed"] += call.inbound.malformed
        self.underruns.update(meters.underruns)
        if flags.first_audio_sent_us is not None:
            self.first_audio.observe(flags.first_audio_sent_us - call.record.started_us)

    def _finish(self, call: Call, ended_us: int) -> Deferred[None]:
        hanging_up = call.hanging_up or succeed(None)
        both = gatherResults([self._keep_record(call, ended_us), hanging_up])
        return both.addCallback(lambda _: None)

    def _keep_record(self, call: Call, ended_us: int) -> Deferred[None]:
        clock = self._services.clock
        assert call.record is not None

        def keep(facts: list[Mapping[str, object]]) -> Deferred[None]:
            cdr = call_detail_record(call, ended_us, facts)
            kept = self._services.keep_cdr(cdr).addErrback(failed)
            return patiently(clock, kept)

        def failed(failure: Failure) -> None:
            _log.failure("while finishing {call_id}", failure, call_id=call.call_id)

        return (
            facts_of(clock, self._services.observers, call.record)
            .addCallback(keep)
            .addErrback(failed)
        )

    def _finished(self, result: None, finishing: Deferred[None]) -> None:
        self._finishing.pop(finishing, None)
        self._look_idle()

    @property
    def _is_idle(self) -> bool:
        return not (self._sockets or self._leaving or self._finishing)

    def _look_idle(self) -> None:
        if self._is_idle:
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                waiter.callback(None)
