"""A telephone exchange for tests: everything around calls, in virtual time.

An :class:`Exchange` has all that calls share. A :class:`Line` is the carrier's side of
one call: it reads what was written by itself, plays it in a model of the carrier's
buffer, and sends marks back when the ear has reached them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from tests.carriers.second import BinaryCarrier, BinaryDialect
from tests.carriers.twilio_carrier import TwilioCarrier
from twistedvoice.agents.agent import Agent
from twistedvoice.audio.wav import load
from twistedvoice.bench.virtual import advance
from twistedvoice.calls.admission import Admission
from twistedvoice.calls.call import Call
from twistedvoice.calls.overload import Overload
from twistedvoice.calls.services import CallLimits, CallServices, Route
from twistedvoice.calls.switchboard import Switchboard
from twistedvoice.calls.watcher import FlagWatcher
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.events import Message
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.interfaces import (
    AgentFactory,
    CallControl,
    CallObserver,
    CallRecord,
    Dialect,
    RecordingWish,
    Reservation,
)
from twistedvoice.realtime.schedule import Schedule
from twistedvoice.simulator.playout import PlayoutBuffer
from twistedvoice.store.memory import MemoryStore

from ..fixtures.twilio import load as fixture

__all__ = [
    "ACCOUNT",
    "EPOCH",
    "FROM_NUMBER",
    "TO_NUMBER",
    "BinaryLine",
    "Exchange",
    "HangUps",
    "Line",
    "Notebook",
    "Onlooker",
    "limits_of",
    "tone",
]

EPOCH = 1_700_000_000.0
ACCOUNT = fixture("start")["start"]["accountSid"]
FROM_NUMBER = "+15550100002"
TO_NUMBER = "+15550100001"


def tone(milliseconds: int, format: AudioFormat = MULAW_8K) -> bytes:  # noqa: A002
    """:returns: sound whose bytes all say where they stand, and are never silence."""
    size = format.bytes_in(milliseconds * 1000)
    return (bytes(range(1, 128)) * (size // 127 + 1))[:size]


def limits_of(
    *,
    start: float = 3.0,
    longest: float = 4 * 3600.0,
    silence: float = 4 * 3600.0,
    stall: float = 10.0,
) -> CallLimits:
    """:returns: watchdogs that do not mind a caller who says nothing."""
    return CallLimits(start=start, longest=longest, silence=silence, stall=stall)


class Notebook(Agent):
    """An agent that says nothing, and writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.heard: list[tuple[bytes, int]] = []

    def call_started(self, call: CallControl) -> Any:
        self.events.append(("started",))

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        self.heard.append((payload, timestamp_ms))

    def digit_pressed(self, digit: str) -> Any:
        self.events.append(("digit", digit))

    def mark_reached(self, name: str, outcome: str) -> Any:
        self.events.append(("mark", name, outcome))

    def interrupted(self, reason: str) -> Any:
        self.events.append(("interrupted", reason))

    def call_ended(self, outcome: str) -> Any:
        self.events.append(("ended", outcome))

    def endings(self) -> list[str]:
        """:returns: every outcome that it was told."""
        return [event[1] for event in self.events if event[0] == "ended"]


class Onlooker:
    """An observer that writes down what it is told, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[tuple[str, str, float]] = []
        #: What ``call_ended`` returns, for each call anew.
        self.facts: Callable[[], Deferred[Mapping[str, object]]] = lambda: succeed({})

    def call_started(self, record: CallRecord, tracks: Any) -> None:
        self._note("started", record)

    def first_audio_sent(self, record: CallRecord) -> None:
        self._note("first audio", record)

    def asked(self, record: CallRecord, wish: RecordingWish) -> None:
        self._note(wish, record)

    def call_ended(self, record: CallRecord) -> Deferred[Mapping[str, object]]:
        self._note("ended", record)
        return self.facts()

    def times(self, event: str) -> list[float]:
        """:returns: when it was told of ``event``."""
        return [at for name, _, at in self.events if name == event]

    def _note(self, event: str, record: CallRecord) -> None:
        self.events.append((event, record.call_id, self._clock.seconds()))


class HangUps:
    """The carrier's API: notes what it is asked, and answers when told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer: Deferred[None] = Deferred()

    def hang_up(self, record: CallRecord) -> Deferred[None]:
        self.asked.append(("hang up", record.call_id))
        return self.answer

    def transfer(self, record: CallRecord, number: str) -> Deferred[None]:
        self.asked.append(("transfer", number))
        return self.answer


class Line:
    """
    The carrier's side of one stream, and the transport of the call at our side.

    Nothing the service writes comes back within the write itself.
    """

    dialect_class: Callable[[], Dialect] = TwilioDialect

    def __init__(self, exchange: Exchange, call_id: str, delay: float) -> None:
        self.clock = exchange.clock
        self.call_id = call_id
        self.delay = delay
        #: What arrived: ``media``, ``mark`` or ``clear``, what with it, and when.
        self.wire: list[tuple[str, bytes | str, float]] = []
        self.closed: list[str] = []
        self.writable = True
        #: Whether marks come back.
        self.echoes = True
        self.heard = bytearray()
        self.buffer = PlayoutBuffer(jitter_ms=0)
        self._timers: list[IDelayedCall] = []
        self._millis = 0
        self.call: Call | None = exchange.switchboard.connect(
            self, self.dialect_class()
        )

    # -- for the service ---------------------------------------------------------------

    def frame(self, message: Message) -> bytes:
        return (b"B" if message.binary else b"T") + message.data

    def write(self, wire: bytes) -> None:
        assert not self.closed, "a write on a closed transport"
        what = self._understand(Message(wire[1:], wire[:1] == b"B"))
        if self.delay:
            self._later(self.delay, lambda: self._arrived(*what))
        else:
            self._arrived(*what)

    def close(self, reason: str) -> None:
        self.closed.append(reason)
        self._hang_up()

    # -- for the test: the caller and the carrier --------------------------------------

    def start(self, **params: str) -> None:
        """Say ``start``."""
        for message in self.opening(**params):
            self.receive(message)

    def opening(self, **params: str) -> list[Message]:
        """:returns: the messages that open the stream."""
        opening = TwilioCarrier().start(**params)
        old, new = fixture("start")["start"]["callSid"].encode(), self.call_id.encode()
        return [Message(data.replace(old, new), binary) for data, binary in opening]

    def receive(self, message: Message) -> None:
        """Send one message to the service, if the call is there to read it."""
        if self.call is not None:
            self.call.inbound.message_received(message)

    def sound(self, payload: bytes = tone(20)) -> None:
        """Send the caller's next frame."""
        self.receive(TwilioCarrier().sound(payload, self._millis))
        self._millis += 20

    def press(self, digit: str) -> None:
        """The caller presses a key."""
        self.receive(TwilioCarrier().digit(digit))

    def echo(self, name: str) -> None:
        """Say that a mark was reached."""
        self.receive(TwilioCarrier().mark(name))

    def stop(self) -> None:
        """Say ``stop``."""
        self.receive(TwilioCarrier().stop())

    def lose(self) -> None:
        """The socket is gone."""
        self.writable = False
        call, self.call = self.call, None
        self._hang_up()
        if call is not None:
            call.socket_lost()

    def listen(self) -> bytes:
        """:returns: what the ear has heard by now, without the silence."""
        self._play()
        return bytes(self.heard).replace(b"\xff", b"")

    def arrivals(self, kind: str) -> list[float]:
        """:returns: when each message of a kind arrived."""
        return [at for what, _, at in self.wire if what == kind]

    # -- within ------------------------------------------------------------------------

    def _understand(self, message: Message) -> tuple[str, bytes | str]:
        return TwilioCarrier().understand(message)

    def _arrived(self, kind: str, what: bytes | str) -> None:
        self.wire.append((kind, what, self.clock.seconds()))
        self._play()
        if kind == "media":
            assert isinstance(what, bytes)
            self.buffer.media(what)
        elif kind == "mark":
            self.buffer.mark(str(what))
            self._later(self.buffer.waiting / 8000, self._play)
        else:
            self._echo(self.buffer.clear())

    def _play(self) -> None:
        now_ms = round(self.clock.seconds() * 1e6) / 1000
        heard, marks = self.buffer.advance(now_ms)
        self.heard += heard
        self._echo(marks)

    def _echo(self, marks: list[str]) -> None:
        for name in marks:
            if self.echoes:
                self._later(self.delay, partial(self.echo, name))

    def _later(self, seconds: float, function: Callable[[], None]) -> None:
        if not self.closed:
            self._timers = [timer for timer in self._timers if timer.active()]
            self._timers.append(self.clock.callLater(seconds, function))

    def _hang_up(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()


class BinaryLine(Line):
    """The side of a carrier without marks and without clear; see ``second``."""

    dialect_class = BinaryDialect

    def opening(self, **params: str) -> list[Message]:
        [(data, binary)] = BinaryCarrier().start(**params)
        return [Message(data.replace(b"call-2", self.call_id.encode()), binary)]

    def stop(self) -> None:
        self.receive(BinaryCarrier().stop())

    def _understand(self, message: Message) -> tuple[str, bytes | str]:
        return BinaryCarrier().understand(message)

    def _arrived(self, kind: str, what: bytes | str) -> None:
        self.wire.append((kind, what, self.clock.seconds()))


class Exchange:
    """All that calls share; attributes of ``services`` may be set before a call."""

    def __init__(
        self,
        *,
        agent: AgentFactory = Notebook,
        observers: tuple[CallObserver, ...] = (),
        max_calls: int | None = None,
        clock: Clock | None = None,
        store: MemoryStore | None = None,
        limits: CallLimits | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.store = store or MemoryStore()
        tokens, sessions = count(1), count(1)
        self.schedule = Schedule(self.clock)
        #: Not started: no test is late by chance.
        self.overload = Overload(self.clock, self.schedule.lateness, late_ms=40)
        self.admission = Admission(
            self.clock,
            self.wall,
            self.store,
            node_id="node-a",
            max_calls=max_calls,
            new_token=lambda: f"token-{next(tokens)}",
            is_late=lambda: self.overload.is_on,
        )
        self.cdrs: list[dict[str, object]] = []
        self.make_agent = agent
        self.onlooker = Onlooker(self.clock)
        observers = (*observers, self.onlooker)
        self.services = CallServices(
            clock=self.clock,
            wall=self.wall,
            schedule=self.schedule,
            admission=self.admission,
            route=lambda number: Route(agent_name="test", make_agent=self.make_agent),
            new_session_id=lambda: f"session-{next(sessions)}",
            node_id="node-a",
            limits=limits or limits_of(),
            trusted=True,
            observers=observers,
            load_sound=lambda *args: maybeDeferred(load, *args),
            keep_cdr=self._keep_cdr,
        )
        self.switchboard = Switchboard(self.services)
        self.watcher = FlagWatcher(self.clock, self.switchboard, observers)
        self.watcher.startService()

    def wall(self) -> float:
        """:returns: seconds since the epoch."""
        return EPOCH + self.clock.seconds()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        advance(self.clock, seconds)

    def open(
        self,
        call_id: str = "CA1",
        *,
        delay: float = 0.0,
        line_class: type[Line] = Line,
    ) -> Line:
        """:returns: the carrier's side of a socket that has just opened."""
        return line_class(self, call_id, delay)

    def dial(
        self,
        call_id: str = "CA1",
        *,
        delay: float = 0.0,
        line_class: type[Line] = Line,
    ) -> Line:
        """:returns: a line whose call has been let in."""
        line = self.open(call_id, delay=delay, line_class=line_class)
        line.start()
        return line

    def reserve(self, call_id: str = "CA1", account_id: str = ACCOUNT) -> Reservation:
        """:returns: what the webhook of a call got."""
        given: list[Reservation] = []
        self.admission.reserve(
            call_id,
            account_id,
            idempotency="",
            from_number=FROM_NUMBER,
            to_number=TO_NUMBER,
        ).addCallback(given.append)
        return given[0]

    def places(self) -> int:
        """:returns: how many places of the service are taken."""
        taken: list[int] = []
        self.store.places_taken(now=self.wall()).addCallback(taken.append)
        return taken[0]

    def leftovers(self) -> list[object]:
        """:returns: what is left once no call should be: timers, streams, places."""
        self.watcher.stopService()
        left: list[object] = list(self.clock.getDelayedCalls())
        left += list(self.switchboard)
        left += [f"{self.places()} places"] * bool(self.places())
        left += ["a stream on the schedule"] * len(self.schedule)
        left += ["not idle"] * (not self.switchboard.idle().called)
        return left

    def _keep_cdr(self, cdr: dict[str, object]) -> Deferred[None]:
        self.cdrs.append(cdr)
        return succeed(None)
