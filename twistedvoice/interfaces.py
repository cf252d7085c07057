# -*- test-case-name: tests.test_interfaces -*-
"""The seams of the house, as protocols.

Each seam has one contract test that runs on every implementation. What a method
must do stands here; how it does it stands with the implementation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

from .errands import Errand, ErrandStore, Performer
from .events import CarrierEvent, Message
from .formats import AudioFormat
from .leases import Lease, Reservation, Store

__all__ = [
    "Agent",
    "AgentFactory",
    "CallControl",
    "CallObserver",
    "CallRecord",
    "Capabilities",
    "CarrierControl",
    "Dialect",
    "Errand",
    "ErrandStore",
    "Hold",
    "HttpClient",
    "HttpFetch",
    "HttpRequest",
    "HttpResponse",
    "Lease",
    "MediaTransport",
    "Performer",
    "RecordingWish",
    "Reservation",
    "Store",
    "Utterance",
]


# -- towards the carrier ------------------------------------------------------------


@frozen(kw_only=True)
class Capabilities:
    """What a carrier's stream can do, and how far ahead it is fed."""

    #: It can be told to drop what it has not played yet.
    clear: bool
    #: It tells when it has played up to a point.
    marks: bool
    #: How much sound it may hold ahead of the ear. 20 sends one frame a tick.
    lead_ms: int


class Dialect(Protocol):
    """
    One carrier's language on one stream.

    No I/O, no clock, no log: bytes in, events out; requests in, messages out. A
    dialect belongs to one stream and may remember its id.
    """

    capabilities: Capabilities
    #: What the carrier sends and expects; valid before ``StreamStarted`` too.
    format: AudioFormat

    def receive(self, message: Message) -> Iterable[CarrierEvent]:
        """
        Read one message.

        :raises DialectError: when the carrier broke its protocol. The stream goes on
            or not as the caller decides; the dialect stays usable.
        """

    def media(self, payload: bytes) -> Message:
        """:returns: the message that plays ``payload``, in ``format``."""

    def mark(self, name: str) -> Message:
        """:returns: the message that asks to be told when the ear got this far."""

    def clear(self) -> Message:
        """:returns: the message that drops what is not played yet."""


class MediaTransport(Protocol):
    """Where a stream's messages leave. It never blocks and never calls back."""

    #: Open, and taking more: False while the peer reads slower than we write.
    writable: bool

    def frame(self, message: Message) -> bytes:
        """:returns: ``message`` as it goes over the wire; may cost, so done early."""

    def write(self, wire: bytes) -> None:
        """Hand framed bytes to the socket; only while ``writable``, or a control."""

    def close(self, reason: str) -> None:
        """Close politely, with a bounded wait; idempotent."""


# -- towards the agent --------------------------------------------------------------


class Utterance(Protocol):
    """Something the agent says: sound that is played, interrupted and timed as one."""

    def write(self, audio: bytes) -> None:
        """
        Say more, in the call's format; any size. After an interrupt it is dropped.

        :raises QueueFull: when more would wait than a call may hold.
        :raises CallStateError: after :meth:`end`.
        """

    def end(self) -> None:
        """Nothing more follows: pad the last frame, and mark where it ends."""

    def finished(self) -> Deferred[str]:
        """
        :returns: fires once the caller has heard the end, or never will, with
            ``"played"``, ``"cleared"``, ``"lost"`` or ``"assumed"``.
        """

    def heard_ms(self) -> int:
        """:returns: how much of it the caller has heard, in milliseconds."""


class Hold(Protocol):
    """Sound that a caller hears over and over."""

    def resume(self) -> None:
        """Fall silent, to talk again: drops all that waits. Later it does nothing."""


class CallControl(Protocol):
    """What an agent can do with its call. All of it is quick and never blocks."""

    call_id: str
    session_id: str
    #: The number that was called and the number that calls, as the carrier says.
    to_number: str
    from_number: str
    #: What the markup asked the carrier to hand back, without the token.
    params: Mapping[str, str]
    format: AudioFormat

    @property
    def is_playing(self) -> bool:
        """Whether something is being heard, or waits to be."""

    def say(self, audio: bytes) -> Utterance:
        """Say all of ``audio``, in the call's format, after what is queued."""

    def say_file(self, path: str) -> Deferred[Utterance]:
        """Read a WAV file off the reactor, convert it to the call's format, say it."""

    def speak(self) -> Utterance:
        """
        Begin to say something that is not whole yet.

        It ends the utterance before, if that is still open: what is said is played in
        the order of its beginnings.
        """

    def hold(self, audio: bytes) -> Hold:
        """
        Say ``audio`` over and over, after what is queued.

        It ends when resumed, by an interrupt, or when something else is said, which is
        then heard after what waits: some seconds of it.

        :raises ValueError: when it is empty.
        """

    def hold_file(self, path: str) -> Deferred[Hold]:
        """Read a WAV file off the reactor, and :meth:`hold` the caller with it."""

    def interrupt(self, reason: str) -> int:
        """
        Fall silent at once: drop what waits here and what waits at the carrier.

        :returns: how many milliseconds of sound were dropped unheard.
        """

    def room(self) -> Deferred[None]:
        """:returns: fires when little enough waits that more should be said."""

    def send_digits(self, digits: str) -> Utterance:
        """
        Press keys for whoever listens: say them as tones, after what is queued.

        :param digits: of ``0123456789*#ABCD``, and ``w`` for half a second of silence;
            at most 80.
        :raises ValueError: when there are others or too many; it never says which.
        """

    def send_mark(self, name: str) -> Deferred[str]:
        """:returns: fires like ``Utterance.finished`` for all that was said so far."""

    def hang_up_after(self, utterance: Utterance) -> None:
        """Hang up once ``utterance`` was heard; an interrupt takes this back."""

    def hang_up(self) -> None:
        """End the call now; what is queued is still sent."""

    def transfer(self, number: str) -> Deferred[None]:
        """Hand the caller to another number by new markup; ends the stream."""

    def warm_transfer(self, number: str) -> Deferred[None]:
        """
        Talk to whoever answers ``number`` first, then hand the caller over.

        :raises NotSupported: through the Deferred, always: no calls go out.
        """

    def pause_recording(self) -> None:
        """Have only silence recorded from now on, on both sides, until resumed."""

    def resume_recording(self) -> None:
        """Have sound recorded again; this and a pause may be asked for twice."""

    def consent_to_recording(self) -> None:
        """The caller agreed to be recorded: begin, where that was waited for."""

    def spent(self, amount: float) -> None:
        """
        Say what the call has cost, over and above what was said before; may be late.

        Over the ``spend_cap`` of the number, the agent is told that it ``must_end``.

        :param amount: 0 or more, in the unit of that cap.
        """

    def call_later(self, seconds: float, function: Callable[[], object]) -> Any:
        """Call ``function`` later unless the call has ended; ``cancel()`` undoes it."""


class Agent(Protocol):
    """
    The voice at the other end: one object a call.

    A method may be a coroutine or return a Deferred. What any of them raises ends
    this call, and no other.
    """

    def call_started(self, call: CallControl) -> Awaitable[object] | None:
        """The caller is on the line."""

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """The caller's sound, as it came; called fifty times a second, so be quick."""

    def digit_pressed(self, digit: str) -> Awaitable[object] | None:
        """The caller pressed a key."""

    def mark_reached(self, name: str, outcome: str) -> Awaitable[object] | None:
        """A mark set with ``send_mark`` was resolved."""

    def interrupted(self, reason: str) -> Awaitable[object] | None:
        """What was being said is cut off; ``heard_ms`` of each utterance is final."""

    def must_end(self, reason: str) -> Awaitable[object] | None:
        """
        The call has lasted (``too_long``) or cost (``overspent``) as much as it may.

        Say goodbye and hang up: in 15 seconds the call is ended whatever is said.
        """

    def call_ended(self, outcome: str) -> Awaitable[object] | None:
        """The call is over; nothing more can be said."""


#: Makes the agent of one call.
AgentFactory = Callable[[], Agent]


# -- towards the outside ------------------------------------------------------------


@frozen(kw_only=True)
class HttpRequest:
    """An HTTP request as a value; one shell performs them all."""

    method: str
    url: str
    form: Sequence[tuple[str, str]] = ()
    #: Sent as it is; not together with a form.
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    #: User and password of HTTP Basic.
    auth: tuple[str, str] | None = field(default=None, repr=False)


@frozen(kw_only=True)
class HttpResponse:
    """The answer to an :class:`HttpRequest`, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class HttpClient(Protocol):
    """Performs HTTP requests."""

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        """
        :returns: fires with any answer the server gave, errors included.
        :raises CarrierApiError: through the Deferred, when no answer came.
        """


#: Performs a request with a large answer: the body of a success is handed to a function
#: piece by piece, the next when the Deferred of the last has fired; of at most so many
#: bytes. Fires with a response without that body; all else is as with ``perform``.
HttpFetch = Callable[
    [HttpRequest, Callable[[bytes], Deferred[None]], int], Deferred[HttpResponse]
]


class CarrierControl(Protocol):
    """What only the carrier's API can do to a call."""

    def hang_up(self, record: CallRecord) -> Deferred[None]:
        """End the call; one that has ended already is a success."""

    def transfer(self, record: CallRecord, number: str) -> Deferred[None]:
        """Give the call new markup that dials ``number``; the stream ends by it."""


@frozen(kw_only=True)
class CallRecord:
    """What the observers of a call know of it."""

    session_id: str
    call_id: str
    account_id: str
    stream_id: str
    from_number: str = field(repr=False)
    to_number: str = field(repr=False)
    format: AudioFormat
    #: Seconds since the epoch when the stream started.
    started_at: float
    #: The same moment on the service's monotonic clock, in microseconds.
    started_us: int
    #: Whether nothing of it may be recorded before a wish says ``consent``.
    needs_consent: bool = False


RecordingWish = Literal["pause", "resume", "consent"]


class CallObserver(Protocol):
    """
    Someone who works beside a call: the recorder of its sound, say.

    Called from the reactor, never from the schedule; must not block.
    """

    def call_started(self, record: CallRecord, tracks: Any) -> None:
        """
        :param tracks: the call's :class:`twistedvoice.realtime.tracks.Tracks`, or None
            when its sound is not kept.
        """

    def first_audio_sent(self, record: CallRecord) -> None:
        """The first frame was written on the open transport; once a call."""

    def asked(self, record: CallRecord, wish: RecordingWish) -> None:
        """The agent, or the caller by a key, wants something of the recording."""

    def call_ended(self, record: CallRecord) -> Deferred[Mapping[str, object]]:
        """:returns: fires with what belongs into the CDR, once all is on disk."""
