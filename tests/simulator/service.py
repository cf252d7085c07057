"""A service for the simulated carrier to call, in memory and in virtual time.

``World`` holds the reactor, a web site that answers webhooks with what a test says,
and a media server that keeps what it gets and sends what a test says.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from attrs import Factory, define, frozen
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.test.iosim import ConnectionCompleter, IOPump
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import Site

__all__ = ["LOUD", "SPOKEN", "Posted", "ServiceStream", "World", "markup"]

VOICE_URL = "http://service.example:8000/twilio/voice"
STATUS_URL = "http://service.example:8000/twilio/status"
STREAM_URL = "ws://service.example:8001/twilio/media"

#: One frame of a loud square wave: mu-law bytes of both signs near full scale.
LOUD = b"\x8f" * 80 + b"\x0f" * 80
#: One second of it.
SPOKEN = LOUD * 50


def markup(*, params: str = "", after: str = "", url: str = STREAM_URL) -> bytes:
    """:returns: TwiML that opens a stream."""
    return (
        f'<?xml version="1.0"?><Response><Connect><Stream url="{url}">{params}'
        f"</Stream></Connect>{after}</Response>"
    ).encode()


@frozen
class Posted:
    """A request that the web site got."""

    path: str
    headers: dict[str, str]
    form: list[tuple[str, str]]


@define
class World:
    """Everything outside the simulator."""

    reactor: Any = Factory(MemoryReactorClock)
    #: Status and body by path.
    answers: dict[str, tuple[int, bytes]] = Factory(dict)
    posted: list[Posted] = Factory(list)
    streams: list[ServiceStream] = Factory(list)
    #: Called with each message of the carrier.
    on_message: Callable[[ServiceStream, dict[str, Any]], object] = lambda *_: None
    #: The HTTP status that the upgrade is refused with, 0 takes it.
    refuse: int = 0
    #: The upgrade is never answered.
    holds_upgrades: bool = False
    #: The service does not answer a close.
    ignores_closes: bool = False
    _pumps: list[IOPump] = Factory(list)

    def __attrs_post_init__(self) -> None:
        self.reactor.listenTCP(8000, Site(_Web(self), reactor=self.reactor))
        media: Any = WebSocketServerFactory(reactor=self.reactor)
        media.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        media.protocol = lambda: ServiceStream(self)
        self.reactor.listenTCP(8001, media)

    def settle(self) -> None:
        """Connect who wants to, and deliver what is on the way."""
        moved = True
        while moved:
            pump = ConnectionCompleter(self.reactor).succeedOnce()
            if pump is not None:
                self._pumps.append(pump)
            moved = pump is not None
            for known in self._pumps:
                moved = bool(known.flush(advanceClock=False)) or moved

    def run(self, seconds: float) -> None:
        """Let time pass, in steps of 5 ms."""
        self.settle()
        for _ in range(round(seconds * 200)):
            self.reactor.advance(0.005)
            self.settle()

    def refuse_connection(self) -> None:
        """Nobody listens where somebody wants to connect to."""
        ConnectionCompleter(self.reactor).failOnce()

    def open_connections(self) -> int:
        """:returns: how many connections somebody has not let go of."""
        return sum(
            not (pump.clientIO.disconnected and pump.serverIO.disconnected)
            for pump in self._pumps
        )

    def sever(self) -> None:
        """The newest connection breaks."""
        self._pumps[-1].serverIO.disconnecting = True
        self.settle()


class _Web(Resource):
    isLeaf = True

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def render_POST(self, request: Request) -> bytes:
        path = request.path.decode()
        args: dict[bytes, list[bytes]] = request.args or {}
        headers = {
            name.decode().lower(): values[0].decode()
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        form = [(k.decode(), v.decode()) for k, vs in args.items() for v in vs]
        self._world.posted.append(Posted(path, headers, form))
        status, body = self._world.answers.get(path, (404, b""))
        request.setResponseCode(status)
        return body


class ServiceStream(WebSocketServerProtocol):
    """The service's end of one stream."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.received: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}
        self.closed_with: int | None = None

    def onConnect(self, request: Any) -> Any:
        self.headers = request.headers
        if self.world.holds_upgrades:
            return Deferred()
        if self.world.refuse:
            raise ConnectionDeny(self.world.refuse, "no")
        self.world.streams.append(self)
        return None

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        if self.world.ignores_closes:
            return None
        return super().onCloseFrame(code, reasonRaw)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        message = json.loads(payload)
        self.received.append(message)
        self.world.on_message(self, message)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.closed_with = code

    def play(self, audio: bytes) -> None:
        """Send sound, in one message."""
        payload = base64.b64encode(audio).decode()
        self.say({"event": "media", "media": {"payload": payload}})

    def mark(self, name: str) -> None:
        """Send a mark."""
        self.say({"event": "mark", "mark": {"name": name}})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message of this stream."""
        sid = self.received[1]["streamSid"]
        self.raw(json.dumps({"streamSid": sid, **message}).encode())

    def raw(self, data: bytes, *, binary: bool = False) -> None:
        """Send anything."""
        self.sendMessage(data, binary)

    def kinds(self) -> list[str]:
        """:returns: the events of the carrier's messages, in order, media left out."""
        return [m["event"] for m in self.received if m["event"] != "media"]
