"""The far side of an outgoing stream, for tests: a transport, and a carrier that reads.

A :class:`Line` is one call's way out from the queue to the carrier's understanding. It
is made for each dialect and each transport, so that nothing of Twilio or of WebSocket
is taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.events import Message
from twistedvoice.interfaces import Dialect
from twistedvoice.realtime.spoken import Spoken
from twistedvoice.realtime.stream import OutgoingStream
from twistedvoice.realtime.tracks import Tracks
from twistedvoice.web.framing import frame_message

from ..carriers.contract import Carrier
from ..carriers.second import BinaryCarrier, BinaryDialect
from ..carriers.twilio_carrier import TwilioCarrier

__all__ = [
    "BINARY_OVER_PREFIXES",
    "BINARY_OVER_WEBSOCKET",
    "TWILIO_OVER_PREFIXES",
    "TWILIO_OVER_WEBSOCKET",
    "FakeTransport",
    "Line",
    "PrefixTransport",
]


class FakeTransport:
    """Frames as for WebSocket, and writes into a list of events."""

    def __init__(self) -> None:
        #: ``("write", wire)`` and ``("close", reason)``, in order.
        self.events: list[tuple[str, bytes | str]] = []
        self.writable = True
        #: How many more writes the peer has room for, None for any number.
        self.room: int | None = None

    def frame(self, message: Message) -> bytes:
        """:returns: one frame of RFC 6455, as the service makes it."""
        return frame_message(message)

    def write(self, wire: bytes) -> None:
        """Write; the peer's room may end with it."""
        self.events.append(("write", wire))
        if self.room is not None:
            self.room -= 1
            self.writable = self.writable and self.room > 0

    def close(self, reason: str) -> None:
        """Close; nothing can be written any more."""
        self.events.append(("close", reason))
        self.writable = False

    def pause(self) -> None:
        """The peer reads no more for now."""
        self.writable = False

    def resume(self) -> None:
        """The peer reads again, without bounds."""
        self.writable = True
        self.room = None

    def messages(self) -> list[Message]:
        """:returns: all that was written, as messages."""
        return [
            self.unframe(wire)
            for kind, wire in self.events
            if kind == "write" and isinstance(wire, bytes)
        ]

    def unframe(self, wire: bytes) -> Message:
        """:returns: the message in exactly one unmasked frame."""
        size, start = wire[1], 2
        if size == 126:
            size, start = int.from_bytes(wire[2:4], "big"), 4
        assert wire[0] in (0x81, 0x82) and len(wire) == start + size
        return Message(wire[start:], wire[0] == 0x82)


class PrefixTransport(FakeTransport):
    """No WebSocket: a byte for the kind and two for the length, as in AudioSocket."""

    def frame(self, message: Message) -> bytes:
        """:returns: the message behind its prefix."""
        kind = 0x10 if message.binary else 0x01
        return bytes([kind]) + len(message.data).to_bytes(2, "big") + message.data

    def unframe(self, wire: bytes) -> Message:
        """:returns: the message behind exactly one prefix."""
        assert int.from_bytes(wire[1:3], "big") == len(wire) - 3
        return Message(wire[3:], wire[0] == 0x10)


@frozen
class Line:
    """One call's way out, with a carrier that understands what arrives."""

    dialect: Dialect
    carrier: Carrier
    transport: FakeTransport
    tracks: Tracks
    stream: OutgoingStream
    #: The last frame that was made, so that no two are equal.
    _made: list[int] = field(factory=lambda: [0])

    def open(self, now_us: int = 0) -> Line:
        """The carrier starts the stream."""
        for message in self.carrier.start():
            list(self.dialect.receive(message))
        self.stream.open(now_us)
        return self

    def frame(self) -> bytes:
        """:returns: a frame of sound unlike all others."""
        self._made[0] += 1
        return self._made[0].to_bytes(self.dialect.format.frame_bytes, "big")

    def say(self, frames: int, spoken: Spoken | None = None) -> list[bytes]:
        """:returns: new frames, which were queued."""
        spoken = spoken or Spoken(self.stream.generation)
        said = [self.frame() for _ in range(frames)]
        for payload in said:
            self.stream.queue_frame(payload, spoken)
        return said

    def arrived(self) -> list[tuple[str, bytes | str]]:
        """:returns: what the carrier understood of all that was written."""
        return [self.carrier.understand(each) for each in self.transport.messages()]

    def sound(self) -> list[bytes | str]:
        """:returns: the frames that arrived."""
        return [what for kind, what in self.arrived() if kind == "media"]


@frozen
class _LineFactory:
    """Makes lines of one dialect and one transport."""

    dialect: Callable[[], Dialect]
    carrier: Callable[[], Carrier]
    transport: Callable[[], FakeTransport]

    def __call__(self, lead_us: int | None = None, *, comfort: bool = False) -> Line:
        """:returns: a line that is not open; its lead is the dialect's by default."""
        dialect, transport = self.dialect(), self.transport()
        tracks = Tracks(dialect.format)
        lead_us = lead_us or dialect.capabilities.lead_ms * 1000
        stream = OutgoingStream(transport, dialect, tracks, lead_us, comfort=comfort)
        return Line(dialect, self.carrier(), transport, tracks, stream)


TWILIO_OVER_WEBSOCKET = _LineFactory(TwilioDialect, TwilioCarrier, FakeTransport)
TWILIO_OVER_PREFIXES = _LineFactory(TwilioDialect, TwilioCarrier, PrefixTransport)
BINARY_OVER_WEBSOCKET = _LineFactory(BinaryDialect, BinaryCarrier, FakeTransport)
BINARY_OVER_PREFIXES = _LineFactory(BinaryDialect, BinaryCarrier, PrefixTransport)
