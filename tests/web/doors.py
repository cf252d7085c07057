"""The doors of a service, for tests: its real site, in memory and in virtual time.

``Doors`` joins clients to the site as iosim does. A :class:`Wire` is the server's end
of one connection: like Twisted's own it has a bounded buffer and drops its protocol at
the end, and it can be told that the peer reads no more. A :class:`Peer` is the
carrier's Autobahn client; ``ask`` is an HTTP client that reads with the standard
library.
"""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from attrs import frozen
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twilio.request_validator import RequestValidator
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump

from twistedvoice.agents.agent import Agent
from twistedvoice.bench.virtual import advance
from twistedvoice.calls.call import Call
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.carriers.twilio.markup import After, HangUp
from twistedvoice.interfaces import AgentFactory
from twistedvoice.store.memory import MemoryStore
from twistedvoice.web.gate import Gate
from twistedvoice.web.media import MediaFactory
from twistedvoice.web.site import MediaResource, QuietSite, tree
from twistedvoice.web.webhooks import (
    MEDIA_PATH,
    RECORDING_PATH,
    STATUS_PATH,
    VOICE_PATH,
    Webhook,
    Webhooks,
)

from ..calls.doubles import ACCOUNT, FROM_NUMBER, TO_NUMBER, Exchange
from ..carriers.twilio_carrier import TwilioCarrier
from ..fixtures.twilio import load

__all__ = [
    "CALL",
    "CARRIER",
    "FORM",
    "LOOPBACK",
    "SECONDARY",
    "STREAM",
    "SUBACCOUNT",
    "TOKEN",
    "URL",
    "Answer",
    "Browser",
    "Doors",
    "Peer",
    "Talker",
    "Wire",
    "signature",
]

URL = "https://voice.example.com"
STREAM = "wss://voice.example.com/twilio/media"
TOKEN = "0123456789abcdef0123456789abcdef"
SECONDARY = "fedcba9876543210fedcba9876543210"
SUBACCOUNT = "AC" + "5" * 32
LOOPBACK = "127.0.0.1"
CARRIER = "203.0.113.7"
CALL = load("start")["start"]["callSid"]
_HANG_UP = HangUp()
#: What Twilio posts when a call comes in.
FORM = {
    "CallSid": CALL,
    "AccountSid": ACCOUNT,
    "From": FROM_NUMBER,
    "To": TO_NUMBER,
    "CallStatus": "ringing",
}


def signature(
    url: str, form: Mapping[str, str] | None = None, token: str = TOKEN
) -> str:
    """:returns: what Twilio's own library would sign a request with."""
    signed: str = RequestValidator(token).compute_signature(url, form or {})
    return signed


class Talker(Agent):
    """An agent that does nothing by itself; the newest one is kept for the test."""

    def __init__(self, doors: Doors) -> None:
        doors.agent = self
        self.outcome = ""
        self.digits = ""

    def digit_pressed(self, digit: str) -> None:
        self.digits += digit

    def call_ended(self, outcome: str) -> None:
        self.outcome = outcome


class Wire(FakeTransport):
    """The server's end of a connection, as Twisted's TCP is, with a slow peer."""

    bufferSize = 2**16

    def __init__(self, protocol: Any, peer: Any) -> None:
        self._ending = False
        self.stalled = self.aborted = False
        super().__init__(protocol, isServer=True, peerAddress=peer)

    @property  # type: ignore[override]
    def disconnecting(self) -> bool:
        return self._ending and not (self.stalled and self.stream)

    @disconnecting.setter
    def disconnecting(self, value: bool) -> None:
        self._ending = value

    def write(self, data: bytes) -> None:
        if self.aborted or self.disconnected:
            return
        self.stream.append(data)
        if self.stalled and self.buffered() > self.bufferSize:
            producer: Any = self.producer
            producer.pauseProducing()

    def buffered(self) -> int:
        """:returns: how many bytes the peer has not read."""
        return sum(map(len, self.stream))

    def getOutBuffer(self) -> bytes | None:
        data: bytes | None = None if self.stalled else super().getOutBuffer()
        return data

    def stall(self) -> None:
        """The peer reads no more."""
        self.stalled = True

    def read_on(self) -> None:
        """The peer reads all there is."""
        self.stalled = False
        if self.producer is not None:
            self.producer.resumeProducing()

    def abortConnection(self) -> None:
        self.aborted = self._ending = True
        self.stream.clear()

    def reportDisconnect(self) -> None:
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        protocol, self.protocol = self.protocol, None
        protocol.connectionLost(Failure(self.disconnectReason))


class Peer(WebSocketClientProtocol):
    """The carrier's end of a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[dict[str, Any]] = []
        self.pongs: list[bytes] = []
        self.pings = 0
        self.answers_pings = self.answers_closes = True
        self.opened = False
        self.closed: tuple[int | None, str | None] | None = None

    def onOpen(self) -> None:
        self.opened = True

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        assert not isBinary and self.closed is None
        self.received.append(json.loads(payload))

    def onPing(self, payload: bytes) -> None:
        self.pings += 1
        if self.answers_pings:
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        self.pongs.append(payload)

    def onCloseFrame(self, code: Any, reasonRaw: Any) -> Any:
        self.closed = (code, reasonRaw.decode() if reasonRaw else None)
        return super().onCloseFrame(code, reasonRaw) if self.answers_closes else None

    def kinds(self) -> list[str]:
        """:returns: the events of what was received, in order."""
        return [message["event"] for message in self.received]


class Browser(Protocol):
    """An HTTP client that keeps the bytes of the answer."""

    def __init__(self) -> None:
        self.data = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True


@frozen
class Answer:
    """An answer of the site, read by the standard library."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Recorded:
    """A socket that holds what was received."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


class Doors:
    """A service behind its site; nothing listens, and no socket is real."""

    def __init__(
        self,
        *,
        trusted: bool = False,
        agent: AgentFactory | None = None,
        max_calls: int | None = None,
        store: MemoryStore | None = None,
        after_stream: After = _HANG_UP,
        wire_class: type[Wire] = Wire,
        reactor: Any = None,
    ) -> None:
        """:param reactor: a real one, for sockets that are; then nobody is joined."""
        self.reactor: Any = reactor or MemoryReactorClock()
        self.agent: Talker
        self.wire_class = wire_class
        self.exchange = Exchange(
            clock=self.reactor,
            agent=agent or (lambda: Talker(self)),
            max_calls=max_calls,
            store=store,
        )
        self.exchange.services.trusted = trusted
        self.switchboard = self.exchange.switchboard
        self.gate = Gate(
            None if trusted else URL,
            tokens_for=lambda account: {
                ACCOUNT: (TOKEN, SECONDARY),
                SUBACCOUNT: ("sub-token",),
            }.get(account, ()),
            all_tokens=lambda: (TOKEN, SECONDARY, "sub-token"),
            trust_loopback=trusted,
        )
        self.told: list[Mapping[str, str]] = []
        self.expected: list[str] = []
        self.webhooks = Webhooks(
            self.reactor,
            self.exchange.admission,
            self.switchboard,
            public_url=None if trusted else URL,
            after_stream=after_stream,
            late_number=None,
            recorded=self.told.append,
            expect=lambda call: self.expected.append(call.call_id),
        )
        self.media = MediaFactory(
            self.reactor,
            self.gate,
            self.switchboard,
            TwilioDialect,
            look=self.exchange.schedule.look,
        )
        self.site = QuietSite(
            tree(
                {
                    VOICE_PATH: Webhook(self.gate, self.webhooks.voice),
                    STATUS_PATH: Webhook(self.gate, self.webhooks.status),
                    RECORDING_PATH: Webhook(self.gate, self.webhooks.recording),
                    MEDIA_PATH: MediaResource(self.media),
                }
            ),
            self.reactor,
        )
        self._pumps: list[IOPump] = []

    # -- the network -------------------------------------------------------------------

    def join(self, client: Any, peer: Any = None) -> tuple[Wire, FakeTransport]:
        """:returns: both ends of a new connection between a client and the site."""
        address = IPv4Address("TCP", CARRIER, 40000) if peer is None else peer
        channel = self.site.buildProtocol(address)
        wire = self.wire_class(channel, address)
        near = FakeTransport(client, isServer=False)
        pump = IOPump(client, None, near, wire, False, clock=self.reactor)
        self._pumps.append(pump)
        channel.makeConnection(wire)
        client.makeConnection(near)
        pump.flush()
        return wire, near

    def settle(self) -> None:
        """Deliver what is on the way."""
        while sum(pump.flush() for pump in self._pumps):
            pass
        self._pumps = [
            pump
            for pump in self._pumps
            if not (pump.serverIO.disconnected and pump.clientIO.disconnected)
        ]

    def advance(self, seconds: float, step: float = 0.02) -> None:
        """Let time pass, and deliver at each step."""
        until = self.reactor.seconds() + seconds
        while (left := until - self.reactor.seconds()) > 1e-9:
            advance(self.reactor, min(step, left))
            self.settle()

    def hang_up_all(self) -> None:
        """Break every connection, and let what follows from it happen."""
        for pump in self._pumps:
            pump.clientIO.loseConnection()
        self.settle()
        self.advance(5, 1)

    # -- HTTP --------------------------------------------------------------------------

    def send(self, request: bytes, peer: Any = None) -> Browser:
        """:returns: the client that sent these bytes."""
        browser = Browser()
        self.wire, self.near = self.join(browser, peer)
        self.near.write(request)
        self.settle()
        return browser

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        peer: Any = None,
    ) -> Answer:
        """:returns: the answer to one request."""
        head = [f"{method} {path} HTTP/1.1", "Host: voice.example.com"]
        head += [f"{name}: {value}" for name, value in headers]
        if body:
            head.append(f"Content-Length: {len(body)}")
        request = "\r\n".join([*head, "", ""]).encode() + body
        return read(self.send(request, peer).data, method)

    def post(
        self,
        path: str = VOICE_PATH,
        form: Mapping[str, str] | None = None,
        *,
        token: str = TOKEN,
        signed: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """:returns: the answer to a webhook, signed as Twilio signs it."""
        return self.ask("POST", path, *self.webhook(path, form, token, signed, headers))

    def webhook(
        self,
        path: str = VOICE_PATH,
        form: Mapping[str, str] | None = None,
        token: str = TOKEN,
        signed: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> tuple[bytes, list[tuple[str, str]]]:
        """:returns: the body and the headers of a webhook."""
        form = FORM if form is None else form
        signed = signature(URL + path, form, token) if signed is None else signed
        kind = "application/x-www-form-urlencoded"
        said = [("Content-Type", kind), ("X-Twilio-Signature", signed), *headers]
        return urlencode(form).encode(), said

    # -- WebSocket ---------------------------------------------------------------------

    def upgrade(
        self, path: str = MEDIA_PATH, headers: Sequence[tuple[str, str]] = ()
    ) -> Answer:
        """:returns: the answer to the request to upgrade, unsigned."""
        return self.ask(
            "GET",
            path,
            headers=[
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Sec-WebSocket-Version", "13"),
                *headers,
            ],
        )

    def stream(self) -> Line:
        """:returns: an open stream whose upgrade was signed, before ``start``."""
        return Line(self)

    def dial(self, call_id: str = CALL) -> Line:
        """:returns: the stream of a call that was let in."""
        reservation = self.exchange.reserve(call_id)
        line = self.stream()
        line.start(call_id, token=reservation.token)
        return line


class Line:
    """The carrier's side of one stream through the site."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        factory: Any = WebSocketClientFactory(
            STREAM,
            headers={"X-Twilio-Signature": signature(STREAM)},
            reactor=doors.reactor,
        )
        # What the client would time, it would time by the global reactor.
        factory.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
        )
        factory.protocol = Peer
        self.peer: Any = factory.buildProtocol(None)
        self.wire, self.near = doors.join(self.peer)

    @property
    def socket(self) -> Any:
        """The service's end."""
        return self.wire.protocol

    @property
    def call(self) -> Call:
        """The call of this stream; there is one call in this house."""
        [call] = self._doors.switchboard
        return call

    def say(self, *messages: tuple[bytes, bool]) -> None:
        """Send messages."""
        for data, binary in messages:
            self.peer.sendMessage(data, binary)
        self._doors.settle()

    def start(self, call_id: str = CALL, **params: str) -> None:
        """Open the stream."""
        old, new = CALL.encode(), call_id.encode()
        opening = TwilioCarrier().start(**params)
        self.say(*((data.replace(old, new), binary) for data, binary in opening))

    def raw(self, data: bytes) -> None:
        """Send bytes below WebSocket."""
        self.near.write(data)
        self._doors.settle()

    def lose(self) -> None:
        """The connection breaks."""
        self.near.loseConnection()
        self._doors.settle()


def read(data: bytes, method: str = "GET") -> Answer:
    """:returns: the first answer in the bytes."""
    response = http.client.HTTPResponse(_Recorded(data), method=method)  # type: ignore[arg-type]
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())
