# -*- test-case-name: tests.web.test_dial -*-
"""Opens WebSockets to other services: Autobahn's client behind the seam.

It knows time-outs, TLS, pings and how a connection can end, and no service. What is
sent is framed here, since Autobahn's general engine costs more than the message.
Autobahn's own timers run on the global reactor, so they are off; ours bound everything.
Keys are in the requests, and never in a log or an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IDelayedCall,
    IPushProducer,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import SocketRefused
from ..events import Message
from ..sockets import Socket, SocketReceiver, SocketRequest
from .framing import mask_message, take_message
from .send import sender

__all__ = ["AutobahnDialer"]

_log = Logger()

_PORTS = {"ws": 80, "wss": 443}
#: What comes in at once. A reply comes in pieces of a few kilobytes.
_MOST_MESSAGE_BYTES = 4 << 20
#: What may wait for a peer that does not read: half a minute of sound.
_MOST_WAITING_BYTES = 512 << 10
_CLOSE_SECONDS = 3.0
_NORMAL, _NO_CODE, _ABNORMAL = 1000, 1005, 1006

#: From host, port and whether it is over TLS, to where to connect.
_Endpoint = Callable[[str, int, bool], IStreamClientEndpoint]


class AutobahnDialer:
    """Implements :data:`twistedvoice.sockets.Dialer`."""

    def __init__(self, reactor: Any, endpoint: _Endpoint | None = None) -> None:
        """:param endpoint: by default the host over TCP, its certificate checked."""
        self._reactor = reactor
        self._endpoint = endpoint or partial(_endpoint, reactor)

    def __call__(
        self, request: SocketRequest, receiver: SocketReceiver
    ) -> Deferred[Socket]:
        """
        Open a socket.

        :returns: fires once it is open. Cancelling it, or the request's time-out,
            breaks the attempt off.
        :raises SocketRefused: through the Deferred.
        """
        link = _Link(self._reactor, receiver, request.silence_seconds)
        try:
            factory, endpoint = self._prepared(request, link)
        except ValueError:
            link.opened.errback(SocketRefused("the URL is not that of a WebSocket"))
            return link.opened
        link.attempt = endpoint.connect(factory)
        link.attempt.addErrback(link.not_connected)
        link.opened.addTimeout(request.timeout_seconds, self._reactor, _timed_out)
        return link.opened

    def _prepared(
        self, request: SocketRequest, link: _Link
    ) -> tuple[Any, IStreamClientEndpoint]:
        """:raises ValueError: when the URL cannot be dialled."""
        parts = urlsplit(request.url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError
        factory: Any = WebSocketClientFactory(
            request.url,
            headers=dict(request.headers),
            useragent="twistedvoice",
            reactor=self._reactor,
        )
        factory.setProtocolOptions(
            maxFramePayloadSize=_MOST_MESSAGE_BYTES,
            maxMessagePayloadSize=_MOST_MESSAGE_BYTES,
            failByDrop=False,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
        )
        factory.noisy = False
        factory.protocol = lambda: _Client(link)
        port = parts.port or _PORTS[parts.scheme]
        return factory, self._endpoint(parts.hostname, port, parts.scheme == "wss")


def _endpoint(reactor: Any, host: str, port: int, secure: bool) -> Any:
    plain = HostnameEndpoint(reactor, host, port)
    return wrapClientTLS(optionsForClientTLS(host), plain) if secure else plain


@implementer(IPushProducer)
class _Link:
    """One socket from its first attempt on; implements ``sockets.Socket``."""

    def __init__(
        self, reactor: Any, receiver: SocketReceiver, silence_seconds: float
    ) -> None:
        self.opened: Deferred[Socket] = Deferred(lambda _: self._give_up())
        self.attempt: Deferred[Any] | None = None
        self._reactor = reactor
        self._receiver: SocketReceiver | None = receiver
        self._client: Any = None
        #: The shortest way to write on its transport.
        self._write: Callable[[bytes], None]
        self._is_open = False
        self._alive = False
        #: Written while the peer does not read; None while it does.
        self._waiting: int | None = None
        self._guard: IDelayedCall | None = None
        #: A socket on which nothing came between two pings is dead.
        self._ping_seconds = silence_seconds
        self._pings = LoopingCall(self._ping)
        self._pings.clock = reactor

    # -- for whoever dialled -----------------------------------------------------------

    def send(self, message: Message) -> None:
        if not self._is_open:
            return
        if self._waiting is not None:
            self._waiting += len(message.data)
            if self._waiting > _MOST_WAITING_BYTES:
                self._abort(_ABNORMAL, "the peer does not read")
                return
        self._write(mask_message(message, os.urandom(4)))

    def close(self) -> None:
        self._receiver = None
        if self._is_open:
            self._client.sendClose(_NORMAL)

    # -- from the connection -----------------------------------------------------------

    def connected(self, client: Any) -> None:
        self._client = client

    def not_connected(self, failure: Failure) -> None:
        """The attempt failed; who cancelled it knows."""
        if not failure.check(CancelledError, error.ConnectingCancelledError):
            self.opened.errback(SocketRefused(_reason(failure.value)))

    def handshaken(self) -> None:
        if self._receiver is None:
            return  # given up meanwhile
        self._is_open = self._alive = True
        self._write = sender(self._client.transport)
        self._client.transport.registerProducer(self, True)
        self._pings.start(self._ping_seconds, now=False)
        self.opened.callback(self)

    def heard(self) -> None:
        self._alive = True

    def received(self, message: Message) -> None:
        if self._receiver is not None:
            try:
                self._receiver.received(message)
            except Exception:  # Autobahn would only log it
                _log.failure("while a message was read")
                self._abort(_ABNORMAL, "a message could not be read")

    def closing(self, code: int, reason: str) -> None:
        """One side says farewell: nothing may be sent after it."""
        self._lost(code, reason)
        if self._guard is None:
            self._guard = self._reactor.callLater(
                _CLOSE_SECONDS, self._client.transport.abortConnection
            )

    def gone(self, code: int | None, reason: str | None, status: int | None) -> None:
        """:param status: the HTTP status, where the handshake got that far."""
        if self._guard is not None and self._guard.active():
            self._guard.cancel()
        if self._receiver is not None and not self.opened.called:
            words = "the handshake failed" if status is None else f"HTTP {status}"
            self.opened.errback(SocketRefused(words, status=status))
        self._lost(code or _ABNORMAL, reason or "")

    # -- from the transport ------------------------------------------------------------

    def pauseProducing(self) -> None:
        self._waiting = 0

    def resumeProducing(self) -> None:
        self._waiting = None

    def stopProducing(self) -> None:
        self._client.transport.unregisterProducer()

    # -- within ------------------------------------------------------------------------

    def _ping(self) -> None:
        if not self._alive:
            self._abort(_ABNORMAL, "the peer has fallen silent")
            return
        self._alive = False
        self._client.sendPing()

    def _give_up(self) -> None:
        self._receiver = None
        if self._client is not None:
            self._client.transport.abortConnection()
        elif self.attempt is not None:
            self.attempt.cancel()

    def _abort(self, code: int, reason: str) -> None:
        self._client.transport.abortConnection()
        self._lost(code, reason)

    def _lost(self, code: int, reason: str) -> None:
        was_open = self._is_open
        self._rest()
        receiver, self._receiver = self._receiver, None
        if was_open and receiver is not None:
            receiver.lost(code, reason)

    def _rest(self) -> None:
        self._is_open = False
        if self._pings.running:
            self._pings.stop()


class _Client(WebSocketClientProtocol):
    """
    Hands what Autobahn calls on to the link.

    Whole messages that came in one piece do not pass through Autobahn's engine, like
    the carrier's in :mod:`.receive`, and by the same state of Autobahn's.
    """

    #: From Autobahn, which sets them without types.
    data: bytes
    current_frame: Any
    inside_message: bool

    def __init__(self, link: _Link) -> None:
        super().__init__()
        self._link = link

    def connectionMade(self) -> None:
        self._link.connected(self)
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        self._link.heard()
        data = self._take_messages(data)
        if data:
            super().dataReceived(data)

    def _take_messages(self, data: bytes) -> bytes:
        """:returns: what is left when the usual messages at the beginning are taken."""
        start = 0
        while self.state == self.STATE_OPEN and not (
            self.data or self.current_frame or self.inside_message
        ):
            message, end = take_message(data, start)
            if message is None:
                break
            start = end
            self._link.received(message)
        return data[start:] if start else data

    def onOpen(self) -> None:
        self._link.handshaken()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._link.received(Message(payload, isBinary))

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        # A farewell may have neither.
        reason = (reasonRaw or b"").decode("utf-8", "replace")
        self._link.closing(code or _NO_CODE, reason)
        return super().onCloseFrame(code, reasonRaw)

    def sendCloseFrame(
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,
        isReply: bool = False,
    ) -> None:
        # Autobahn comes here too when the peer broke the protocol.
        super().sendCloseFrame(code, reasonUtf8, isReply)
        self._link.closing(code or _NO_CODE, "")

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        status = getattr(self, "http_status_line", "").split()[1:2]
        known = status and status[0].isdigit() and status[0] != "101"
        self._link.gone(code, reason, int(status[0]) if known else None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        # Autobahn fires this with the protocol itself, which the Deferred then keeps.
        self.is_closed.addCallback(lambda _: None)


def _reason(trouble: BaseException | None) -> str:
    if isinstance(trouble, error.ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(trouble, error.DNSLookupError):
        return "there is no such host"
    return "it cannot be reached"


def _timed_out(result: object, seconds: float) -> Socket:
    raise SocketRefused(f"not open within {seconds:g} seconds")
