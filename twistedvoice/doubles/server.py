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

__all__ = ["ServiceFactory"]


class ServiceFactory(WebSocketServerFactory):
    """Makes the sockets of one service; listen with it on any stream endpoint."""

    noisy = False

    def __init__(self, reactor: Any, service: Service) -> None:
        super().__init__(reactor=reactor)
        self.service = service
        self.protocol = _Peer
        self.setProtocolOptions(
            failByDrop=False, openHandshakeTimeout=0, closeHandshakeTimeout=0
        )


class _Peer(WebSocketServerProtocol):
    """The service's end of a socket: a ``ServiceSocket`` made of Autobahn's."""

    factory: Any
    transport: Any
    _receiver: SocketReceiver | None = None

    def onConnect(self, request: ConnectionRequest) -> None:
        wanted = SocketRequest(
            url=f"ws://{request.host}{self.http_request_uri}", headers=request.headers
        )
        try:
            self._receiver = self.factory.service(wanted, self)
        except SocketRefused as refused:
            raise ConnectionDeny(refused.status or 500, str(refused)) from refused

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

    def close(self) -> None:
        self.hang_up(1000)

    def hang_up(self, code: int, reason: str = "") -> None:
        self._receiver = None
        if code == 1006:
            self.transport.abortConnection()
        elif self.state == self.STATE_OPEN:
            self.sendClose(code, reason)
