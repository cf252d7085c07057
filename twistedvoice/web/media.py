# -*- test-case-name: tests.web.test_media -*-
"""The media socket: Autobahn's WebSocket at the edge of one call.

It checks who comes, moves whole messages between the wire and the call, and says when
the peer reads too slowly. It knows no carrier's language. Autobahn calls the camelCase
methods and swallows what they raise, so each is one guarded step.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from ..calls.call import Call
from ..calls.switchboard import Switchboard
from ..errors import RequestRefused
from ..events import Message
from ..interfaces import Dialect
from .framing import frame_message
from .gate import Gate
from .receive import FastReceive
from .send import sender

__all__ = ["MediaFactory", "MediaSocket"]

_log = Logger()

#: Far above the largest message of any carrier.
_MOST_MESSAGE_BYTES = 64 * 1024
#: Sockets that are open but have not said ``start`` [SEC-4].
_MOST_UNSTARTED = 200
#: A socket takes about a second of sound before it says that its peer is slow. With
#: the kernel's default it would be minutes, which no interrupt could take back.
_SEND_BUFFER_BYTES = 16 * 1024
_TRANSPORT_BUFFER_BYTES = 8 * 1024
#: What the peer may take to answer our farewell, or to read what comes before.
_FAREWELL_SECONDS = 1
_PING_SECONDS = 20
_PONG_SECONDS = 15


@implementer(IPushProducer)
class MediaSocket(FastReceive):
    """
    One WebSocket, as the transport of one call.

    Implements :class:`twistedvoice.interfaces.MediaTransport`.
    """

    #: A :class:`MediaFactory`.
    factory: Any
    #: A TCP or TLS transport of Twisted's.
    transport: Any
    #: Autobahn's; here it also bounds the wait for the last bytes to be read.
    closeHandshakeTimeoutCall: Any
    writable = False
    _call: Call | None = None
    #: The shortest way to write on ``transport``.
    _out: Callable[[bytes], None]

    # -- from Autobahn ------------------------------------------------------------

    def onConnect(self, request: ConnectionRequest) -> None:
        self.factory.check(request, self.transport)

    def onOpen(self) -> None:
        try:
            self._take_transport()
            self._call = self.factory.new_call(self)
        except Exception:  # Autobahn would swallow it, and keep the socket
            _log.failure("while a stream opens")
            self.dropConnection(abort=True)
        self.writable = self._call is not None

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.factory.look()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self._call is not None:
            try:
                self._call.inbound.message_received(Message(payload, isBinary))
            except Exception:  # Autobahn would only log it
                _log.failure("while {id} reads", id=self._call.call_id)
                self._call.life.over("failed")

    def sendCloseFrame(
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,
        isReply: bool = False,
    ) -> None:
        """
        Say farewell; nothing may be sent after it, and the call is over.

        Autobahn comes here for each: ours, the answer to the peer's, and the one for a
        frame that breaks the protocol.
        """
        super().sendCloseFrame(code, reasonUtf8, isReply)
        self.writable = False
        call, self._call = self._call, None
        if isReply:
            # Autobahn closes once all is written: never, when the peer does not read.
            self.closeHandshakeTimeoutCall = self.factory.call_later(
                _FAREWELL_SECONDS, self.transport.abortConnection
            )
            if call is not None:
                call.socket_lost()
        elif call is not None:
            call.misbehaved("malformed")

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.writable = False
        call, self._call = self._call, None
        if call is not None:
            call.socket_lost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let go of what holds this protocol, so that it is freed at once."""
        super().connectionLost(reason)
        # Autobahn cancels all of its timers but this one,
        timer, self.closeHandshakeTimeoutCall = self.closeHandshakeTimeoutCall, None
        if timer is not None and timer.active():
            timer.cancel()
        # and it fires this with the protocol itself, which the Deferred then keeps.
        self.is_closed.addCallback(lambda _: None)
        self.factory.look()

    # -- for the stream and the call ---------------------------------------------------

    frame = staticmethod(frame_message)

    def write(self, wire: bytes) -> None:
        self._out(wire)

    def close(self, reason: str) -> None:
        """Close politely; a peer that does not read is cut off."""
        self._call = None
        if self.state != self.STATE_OPEN:
            return  # Autobahn is about to close it, in bounded time.
        if self.writable:
            self.sendClose(1000, reason)
        else:
            self.dropConnection(abort=True)

    # -- from Twisted's transport ---------------------------------------------------

    def pauseProducing(self) -> None:
        self.writable = False

    def resumeProducing(self) -> None:
        self.writable = self._call is not None

    def stopProducing(self) -> None:
        self.writable = False
        # TLS would hold us for ever.
        self.transport.unregisterProducer()

    def _take_transport(self) -> None:
        self._out = sender(self.transport)
        # twisted.web's channel is registered until now.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        wire = self.transport
        while isinstance(wire, ProtocolWrapper):  # TLS, for one
            wire = wire.transport
        wire.bufferSize = _TRANSPORT_BUFFER_BYTES
        handle = getattr(wire, "getHandle", lambda: None)()
        if isinstance(handle, socket.socket):
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)


class MediaFactory(WebSocketServerFactory):
    """Makes the media sockets of one carrier."""

    protocol = MediaSocket

    def __init__(
        self,
        reactor: Any,
        gate: Gate,
        switchboard: Switchboard,
        new_dialect: Callable[[], Dialect],
        *,
        look: Callable[[], None],
    ) -> None:
        """
        :param look: called whenever bytes were read or a socket was lost, so that a
            long row of either delays no frame that is due.
        """
        super().__init__(reactor=reactor)
        self.call_later = reactor.callLater
        self._batched_timer = _Timers(reactor)
        self._gate = gate
        self._switchboard = switchboard
        self._new_dialect = new_dialect
        self.look = look
        self.setProtocolOptions(
            maxFramePayloadSize=_MOST_MESSAGE_BYTES,
            maxMessagePayloadSize=_MOST_MESSAGE_BYTES,
            failByDrop=False,
            closeHandshakeTimeout=_FAREWELL_SECONDS,
            autoPingInterval=_PING_SECONDS,
            autoPingTimeout=_PONG_SECONDS,
            allowNullOrigin=True,
        )

    def check(self, request: ConnectionRequest, transport: Any) -> None:
        """:raises ConnectionDeny: unless this peer may open a stream now."""
        peer = getattr(transport.getPeer(), "host", "")
        try:
            if self._switchboard.unstarted() >= _MOST_UNSTARTED:
                self._gate.refuse("crowded", 503)
            self._gate.check_upgrade(request.path, request.headers, peer)
        except RequestRefused as refused:
            raise ConnectionDeny(refused.status, "refused") from refused
        except Exception as failure:  # Autobahn would tell the peer what it was
            _log.failure("while an upgrade is checked")
            raise ConnectionDeny(500, "failed") from failure

    def new_call(self, media: MediaSocket) -> Call:
        """:returns: the call of a socket that has just opened."""
        return self._switchboard.connect(media, self._new_dialect())


class _Timers:
    """
    Autobahn's timers, on our reactor.

    Its own are on the global reactor whatever it was given, and fire in batches: the
    pings of all calls would leave in one turn.
    """

    def __init__(self, reactor: IReactorTime) -> None:
        self.call_later = reactor.callLater
