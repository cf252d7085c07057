# -*- test-case-name: tests.web.test_dial tests.integration.test_dial -*-
"""WebSockets on a real port for the double of a service.

Autobahn's server round a :data:`~.network.Service`: it lets in or refuses, and moves
messages. What the service says is the double's business.
"""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest

from ..errors import SocketRefused
from ..events import Message
from ..sockets import SocketReceiver, SocketRequest
from .network import Service

__all__ = ["Peer", "ServiceFactory"]

#: The longest that a client of such services may say at once.
_MOST_MESSAGE_BYTES = 16 << 20


class ServiceFactory(WebSocketServerFactory):
    """Makes the sockets of one service; listen with it on any stream endpoint."""

    noisy = False

    def __init__(self, reactor: Any, service: Service) -> None:
        super().__init__(reactor=reactor)
        self.service = service
        self.protocol = Peer
        self.setProtocolOptions(
            maxFramePayloadSize=_MOST_MESSAGE_BYTES,
            maxMessagePayloadSize=_MOST_MESSAGE_BYTES,
            failByDrop=False,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
        )


class Peer(WebSocketServerProtocol):
    """The service's end of a socket: a ``ServiceSocket`` made of Autobahn's."""

    factory: Any
    transport: Any
    _receiver: SocketReceiver | None = None

    def __init__(self) -> None:
        super().__init__()
        #: What the service says as soon as it has let somebody in.
        self._early: list[Message] = []

    def onConnect(self, request: ConnectionRequest) -> None:
        wanted = SocketRequest(
            url=f"ws://{request.host}{self.http_request_uri}", headers=request.headers
        )
        try:
            self._receiver = self.factory.service(wanted, self)
        except SocketRefused as refused:
            raise ConnectionDeny(refused.status or 500, str(refused)) from refused

    def onOpen(self) -> None:
        for message in self._early:
            self.send(message)
        self._early.clear()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self._receiver is not None:
            self._receiver.received(Message(payload, isBinary))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost(code or 1006, reason or "")

    def send(self, message: Message) -> None:
        if self.state == self.STATE_OPEN:
            self.sendMessage(message.data, message.binary)
        elif self.state == self.STATE_CONNECTING:
            self._early.append(message)

    def close(self) -> None:
        self.hang_up(1000)

    def hang_up(self, code: int, reason: str = "") -> None:
        self._receiver = None
        if code == 1006:
            self.transport.abortConnection()
        elif self.state == self.STATE_OPEN:
            self.sendClose(code, reason)
