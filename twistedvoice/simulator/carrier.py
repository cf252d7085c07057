# -*- test-case-name: tests.simulator.test_carrier -*-
"""The socket of a simulated call: Autobahn's client round the sans-IO core.

It makes the signed upgrade, ticks the core on the injected clock, and moves messages.
Autobahn's own timers run on the global reactor, so they are off; ours bound the
handshake and the close. When the socket is gone nothing is left on the reactor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall

from ..errors import SimulationError
from ..formats import FRAME_MS
from .caller import SimulatedCall
from .line import CONNECT_ERRORS, Line, refused, unreachable
from .markup import StreamOrder
from .plan import CallPlan
from .signature import HEADER, sign

__all__ = ["carry"]

_HANDSHAKE_SECONDS = 5.0
#: From the first close frame to the end of the connection.
_CLOSE_SECONDS = 3.0
_NORMAL_CLOSURE = 1000


async def carry(
    reactor: Any, plan: CallPlan, order: StreamOrder, call: SimulatedCall
) -> bool:
    """
    Open the stream that the markup orders, and carry the call to its end.

    :returns: whether the carrier would go on with the markup: the call outlived its
        stream.
    :raises SimulationError: when the stream could not be opened.
    """
    endpoint = Line(reactor, order.url, plan.connect_to).endpoint()
    factory = _factory(reactor, plan, order.url)
    carriage = _Carriage(reactor, call, order)
    factory.protocol = lambda: _Socket(carriage)
    try:
        await endpoint.connect(factory)
    except CONNECT_ERRORS as error:
        raise unreachable(error, order.url) from error
    return await carriage.done


def _factory(reactor: Any, plan: CallPlan, url: str) -> Any:
    headers = {}
    if plan.auth_token is not None:
        headers[HEADER] = sign(plan.auth_token, url)
    try:
        factory: Any = WebSocketClientFactory(
            url, headers=headers, useragent="twistedvoice-simulator", reactor=reactor
        )
    except ValueError as error:
        raise SimulationError(
            f"{url!r} is no URL of a stream; a carrier needs wss:// (here ws:// too),"
            " and no query or fragment"
        ) from error
    factory.setProtocolOptions(
        openHandshakeTimeout=0, closeHandshakeTimeout=0, serverConnectionDropTimeout=0
    )
    return factory


class _Carriage:
    """
    Carries one call over its socket.

    ``done`` fires when the socket is gone: with whether the call outlived it.
    """

    def __init__(self, reactor: Any, call: SimulatedCall, order: StreamOrder) -> None:
        self.done: Deferred[bool] = Deferred(lambda _: self._abandon())
        self._reactor = reactor
        self._call = call
        self._order = order
        self._socket: Any = None
        self._opened_at: float | None = None
        self._guard: IDelayedCall | None = None
        self._mistake: Exception | None = None
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = reactor

    # the socket calls these

    def connected(self, socket: _Socket) -> None:
        """The connection stands; the upgrade must follow in time."""
        self._socket = socket
        self._arm(_HANDSHAKE_SECONDS)

    def opened(self) -> None:
        """The service took the upgrade."""
        self._rest()
        self._opened_at = self._reactor.seconds()
        self._send(self._call.start(self._order.params))
        self._ticks.start(FRAME_MS / 1000, now=False)

    def received(self, payload: bytes, binary: bool) -> None:
        """The service sent a message."""
        self._send(self._call.receive(payload, binary, self._now_ms()))

    def closing(self) -> None:
        """The service closes, or answers our close; the end must follow in time."""
        self._rest()
        self._arm(_CLOSE_SECONDS)

    def closed(self, clean: bool, error: SimulationError) -> None:
        """
        The connection is gone.

        :param error: what went wrong, if the stream never opened.
        """
        self._rest()
        if self.done.called:
            return
        if self._opened_at is None:
            self.done.errback(self._mistake or error)
            return
        self._call.finish(self._now_ms(), clean=clean)
        if self._mistake is not None:
            self.done.errback(self._mistake)
        else:
            self.done.callback(not self._call.has_stopped)

    def guarded(self, step: Callable[[], None]) -> None:
        """Run ``step``: a mistake of ours fails the call instead of being swallowed."""
        try:
            step()
        except Exception as mistake:
            self._mistake = mistake
            self._abandon()

    def _tick(self) -> None:
        self.guarded(lambda: self._send(self._call.tick(self._now_ms())))

    def _send(self, messages: list[str]) -> None:
        if self._socket.state != self._socket.STATE_OPEN:
            return  # Autobahn has given the connection up and waits for its end
        for message in messages:
            self._socket.sendMessage(message.encode())
        if messages and self._call.has_stopped:
            self.closing()
            self._socket.sendClose(_NORMAL_CLOSURE)

    def _abandon(self) -> None:
        self._rest()
        if self._socket is not None:
            self._socket.transport.abortConnection()

    def _now_ms(self) -> float:
        """:returns: the age of the stream, in whole microseconds: no float dust."""
        assert self._opened_at is not None
        seconds: float = self._reactor.seconds() - self._opened_at
        return round(seconds * 1_000_000) / 1000

    def _rest(self) -> None:
        """Let go of the reactor."""
        guard, self._guard = self._guard, None
        if guard is not None and guard.active():
            guard.cancel()
        if self._ticks.running:
            self._ticks.stop()

    def _arm(self, seconds: float) -> None:
        self._guard = self._reactor.callLater(seconds, self._abandon)


class _Socket(WebSocketClientProtocol):
    """Hands what Autobahn calls on to the carriage; nothing else is here."""

    def __init__(self, carriage: _Carriage) -> None:
        super().__init__()
        self._carriage = carriage

    def connectionMade(self) -> None:
        self._carriage.connected(self)
        super().connectionMade()

    def onOpen(self) -> None:
        self._carriage.guarded(self._carriage.opened)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._carriage.guarded(lambda: self._carriage.received(payload, isBinary))

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        self._carriage.closing()
        return super().onCloseFrame(code, reasonRaw)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self._carriage.closed(wasClean, self._handshake_error(reason))

    def _handshake_error(self, reason: str | None) -> SimulationError:
        """:returns: why the service did not take the upgrade, if it did not."""
        url = str(self.factory.url)
        status = getattr(self, "http_status_line", "").split()[1:2]
        if status and status[0].isdigit() and status[0] != "101":
            return refused(int(status[0]), url)
        return SimulationError(f"{url} did not become a stream: {reason}")
