# -*- test-case-name: tests.calls.test_call -*-
"""One phone call: what the carrier says of it, and what becomes of it.

It joins the listening side, the speaking side, the agent and the life of the call. It
is made when the socket opens, waits for the carrier's ``start`` and for a place, and
after its end holds nothing that holds it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import DialectError
from ..events import (
    AudioReceived,
    DigitReceived,
    MarkEchoed,
    StreamStarted,
    StreamStopped,
)
from ..interfaces import CallRecord, Dialect, MediaTransport, RecordingWish
from ..realtime.schedule import microseconds
from ..realtime.stream import OutgoingStream
from .agentlink import AgentLink
from .audience import tell_asked, tell_started
from .control import Control
from .goodbye import GOODBYE_SECONDS, MARK_GRACE_SECONDS
from .inbound import Inbound
from .latency import Waits
from .lifecycle import OVER, Life, LifeMachine
from .patience import patiently
from .services import CallServices, Route
from .spending import Spending
from .talkspurts import Talkspurts
from .voice import Voice

if TYPE_CHECKING:
    from .switchboard import Switchboard

__all__ = ["Call"]

_log = Logger()

#: How long a started stream waits for its place.
_CLAIM_SECONDS = 10.0
#: What a lead may grow to after late ticks: what hides a stall of 230 ms.
_MOST_LEAD_US = 250_000
#: Ends that mean the whole call, not only its stream.
_DELIBERATE = ("hung_up", "overspent", "too_long")


class Call:
    """
    One call from its open socket to its record.

    ``life`` decides what may happen; the methods under "deeds" are what then happens.
    """

    def __init__(
        self,
        services: CallServices,
        switchboard: Switchboard,
        transport: MediaTransport,
        dialect: Dialect,
    ) -> None:
        self.services = services
        self.dialect = dialect
        self.session_id = services.new_session_id()
        self.state = "Connecting"
        self.outcome = ""
        #: What the carrier said in ``start``; None before.
        self.started: StreamStarted | None = None
        self.record: CallRecord | None = None
        self.route: Route | None = None
        #: How many transfers the carrier has been asked for and has not refused.
        self.transfers = 0
        self.spending = Spending(None)
        #: How the call ends when the agent hangs up.
        self.hang_up_outcome = "hung_up"
        #: Fires once the carrier has ended the call at our asking; None without.
        self.hanging_up: Deferred[None] | None = None
        # What is set anew while calls run counts for those that come after.
        self._limits = services.limits
        self._hang_up_control = (
            services.control if services.hang_up_by_control else None
        )
        self._switchboard: Switchboard | None = switchboard
        self._transport: MediaTransport | None = transport
        self._link: AgentLink | None = None
        self._timers: dict[IDelayedCall, None] = {}
        #: Whether the observers know of the first frame; theirs to set.
        self.first_audio_told = False
        #: The key by which the caller may still agree to be recorded.
        self._consent_key = ""
        self._frames_seen = 0
        self._quiet_since = services.clock.seconds()
        self.inbound = Inbound(dialect, services.clock.seconds, self)
        self.stream = self._new_stream(transport)
        now_us = partial(microseconds, services.clock)
        self.waits = Waits(switchboard.latencies)
        self.voice = Voice(self.stream, dialect, now_us, self.waits)
        self._talkspurts = Talkspurts(dialect.format, now_us, self.waits)
        self.life: Life = LifeMachine(self)
        self._start_timer = self.call_later(
            self._limits.start, lambda: self.life.over("unstarted")
        )

    def _new_stream(self, transport: MediaTransport) -> OutgoingStream:
        services, capabilities = self.services, self.dialect.capabilities
        # A set lead stays; the carrier's own may grow where a clear can cut it.
        lead_ms = services.lead_ms or capabilities.lead_ms
        can_grow = services.lead_ms is None and capabilities.clear
        return OutgoingStream(
            transport,
            self.dialect,
            self.inbound.tracks,
            lead_ms * 1000,
            most_lead_us=_MOST_LEAD_US if can_grow else 0,
            comfort=services.comfort_silence,
        )

    def now_us(self) -> int:
        """:returns: the monotonic clock, in microseconds."""
        return microseconds(self.services.clock)

    @property
    def call_id(self) -> str:
        """The carrier's id, or ours before the carrier has said it."""
        return self.started.call_id if self.started else self.session_id

    # -- from the carrier --------------------------------------------------------------

    def stream_started(self, event: StreamStarted) -> None:
        self.started = event
        self.inbound.started()
        self._start_timer.cancel()
        self._start_timer = self.call_later(
            _CLAIM_SECONDS, lambda: self.life.over("unavailable")
        )
        if self._switchboard is not None:
            self._switchboard.admit(self, event)

    def audio_received(self, event: AudioReceived) -> None:
        payload, timestamp_ms = event
        if self.inbound.tracks is not None:
            self.inbound.tracks.heard.add(timestamp_ms, payload)
        self._talkspurts.listen(payload, timestamp_ms)
        if self._link is not None:
            self._link.heard(payload, timestamp_ms)

    def digit_received(self, event: DigitReceived) -> None:
        # Only the first key is the answer: later ones are for other questions.
        key, self._consent_key = self._consent_key, ""
        if key and event.digit == key:
            self.ask_recorders("consent")
        self.waits.key_pressed(self.now_us())
        self.tell_agent("digit_pressed", event.digit)

    def mark_echoed(self, event: MarkEchoed) -> None:
        self.voice.marks.resolve(event.name, "played")

    def stream_stopped(self, event: StreamStopped) -> None:
        self.life.over("transferred" if self.transfers else "completed")

    def misspoke(self, error: DialectError) -> None:
        _log.warn(
            "the carrier sent {call_id} a bad message: {error}",
            call_id=self.call_id,
            error=str(error),
        )

    def misbehaved(self, outcome: str) -> None:
        self.life.over(outcome)

    def socket_lost(self) -> None:
        """The socket is gone, with or without a farewell."""
        self._transport = None
        self.life.over("lost")

    # -- from the switchboard and the flag watcher -------------------------------------

    def admit(self, record: CallRecord, route: Route) -> None:
        """There is a place: the call is open."""
        self.record = record
        self.route = route
        self._consent_key = route.consent_key
        self.spending = Spending(route.spend_cap)
        if not route.recorded:
            self.inbound.tracks = self.stream.tracks = None
        self.life.admitted()
        self._answer(record, route)

    def look(self, now_us: int) -> None:
        """Do what the tick must not, and what no timer is worth."""
        flags = self.stream.flags
        if flags.failure is not None:
            failure = Failure(flags.failure)
            _log.failure("a tick of {call_id} raised", failure, call_id=self.call_id)
            self.life.over("failed")
            return
        self.voice.look(now_us)
        limits = self._limits
        stalled_us = flags.stalled_since_us
        if stalled_us is not None and now_us - stalled_us > limits.stall * 1_000_000:
            self.life.over("stalled")
        elif self.inbound.frames != self._frames_seen:
            self._frames_seen = self.inbound.frames
            self._quiet_since = self.services.clock.seconds()
        elif self._quiet_for() > limits.silence:
            self.life.over("silent")

    # -- for the agent -----------------------------------------------------------------

    def tell_agent(self, event: str, *details: str) -> None:
        """Tell the agent, while it is on the line."""
        if self._link is not None:
            self._link.tell(event, *details)

    def interrupt(self, reason: str) -> int:
        """:returns: the milliseconds of sound dropped unheard."""
        before, now_us = self.voice.interrupts, self.now_us()
        dropped_ms = self.voice.interrupt()
        if self.voice.interrupts > before:
            self._note_interrupt(now_us)
            if self._switchboard is not None:
                self._switchboard.interrupted.observe(self.voice.clear_took_us)
            self.tell_agent("interrupted", reason)
        return dropped_ms

    def _note_interrupt(self, at_us: int) -> None:
        told_us = at_us + self.voice.clear_took_us
        self.waits.interrupted(
            at_us,
            max(told_us, self.stream.playout.playing_until_us),
            cut=self.dialect.capabilities.clear,
        )

    def ask_recorders(self, wish: RecordingWish) -> None:
        """Have the recorders do what the agent wants; too late is no error."""
        if self.state != "Closed":
            tell_asked(self, wish)

    def spend(self, amount: float) -> None:
        """Note what the agent spent, and end a call that costs too much."""
        if self.spending.add(amount):
            self._must_end("overspent")

    def call_agent_later(
        self, seconds: float, function: Callable[[], Awaitable[object] | None]
    ) -> IDelayedCall:
        """Call a function of the agent later; it is contained like its methods."""
        return self.call_later(seconds, partial(self._call_agent, function))

    def call_later(
        self, seconds: float, function: Callable[[], object]
    ) -> IDelayedCall:
        """Call ``function`` later, unless the call has ended by then."""
        # A timer that has fired must hold nothing that may hold the timer.
        timer = self.services.clock.callLater(seconds, _call_last, [function])
        self._timers = {old: None for old in self._timers if old.active()}
        self._timers[timer] = None
        return timer

    # -- deeds -------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the way out; :meth:`admit` then lets the agent speak."""
        assert self.record is not None
        self.state = "Streaming"
        self._start_timer.cancel()
        self.call_later(self._limits.longest, lambda: self._must_end("too_long"))
        self.waits.answered(self.record.started_us)
        self.stream.open(self.record.started_us)
        self.services.schedule.join(self.stream)
        tell_started(self)

    def drain(self) -> None:
        """Take nothing new; close when what is queued has been heard, or in time."""
        self.state = "Draining"
        self.voice.shut()
        if self._link is not None:
            self._link.ending()
        seconds = self.voice.unheard_us / 1_000_000 + MARK_GRACE_SECONDS
        if not self.voice.is_pending:
            self.life.drained()
            return
        self.voice.send_mark(lambda outcome: self.life.drained())
        self.call_later(seconds, self.life.drained)

    def close(self, outcome: str) -> None:
        """Let go of everything, once, and of all that holds this call."""
        self.state = "Closed"
        self.outcome = outcome
        self.life = OVER
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        if self._link is not None:
            self._link.ending()
        self.services.schedule.leave(self.stream)
        # Its traceback holds the stream.
        self.stream.flags.failure = None
        self.voice.close()
        self.waits.over()
        if self.inbound.tracks is not None and self.record is not None:
            now_us = microseconds(self.services.clock)
            self.inbound.tracks.ended_us = now_us - self.record.started_us
        self.inbound.close()
        link, self._link = self._link, None
        if link is not None:
            link.over(outcome)
        self._close_socket(outcome)
        switchboard, self._switchboard = self._switchboard, None
        if switchboard is not None:
            switchboard.closed(self)

    def _close_socket(self, outcome: str) -> None:
        transport, self._transport = self._transport, None
        control, self._hang_up_control = self._hang_up_control, None
        call_id, clock = self.call_id, self.services.clock
        if transport is None:
            return
        if outcome not in _DELIBERATE or control is None or self.record is None:
            transport.close(outcome)
            return

        def failed(failure: Failure) -> None:
            _log.failure("while hanging up {call_id}", failure, call_id=call_id)

        # The markup goes on with something else once the socket closes, so the call
        # must have ended by then.
        ending = maybeDeferred(control.hang_up, self.record).addErrback(failed)
        self.hanging_up = patiently(clock, ending).addErrback(failed)
        self.hanging_up.addBoth(lambda _: transport.close(outcome))

    def _answer(self, record: CallRecord, route: Route) -> None:
        assert self.started is not None
        try:
            agent = route.make_agent()
        except BaseException:  # the boundary of the agent, sys.exit included
            _log.failure("no agent for {call_id}", call_id=self.call_id)
            self.life.over("failed")
            return
        self._link = AgentLink(agent, self.call_id, self._agent_failed)
        params = {k: v for k, v in self.started.params.items() if k != "token"}
        self._link.started(Control(self, record, params))

    def _must_end(self, outcome: str) -> None:
        """Have the agent end the call, or end it when it does not."""
        if self.state == "Streaming" and self.hang_up_outcome == "hung_up":
            self.hang_up_outcome = outcome
            self.call_later(GOODBYE_SECONDS, lambda: self.life.over(outcome))
            self.tell_agent("must_end", outcome)

    def _call_agent(self, function: Callable[[], Awaitable[object] | None]) -> None:
        if self._link is not None:
            self._link.run(function)

    def _agent_failed(self) -> None:
        self.life.over("failed")

    def _quiet_for(self) -> float:
        return self.services.clock.seconds() - self._quiet_since


def _call_last(functions: list[Callable[[], object]]) -> None:
    functions.pop()()
