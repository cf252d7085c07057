"""Tests of ``twistedvoice.web.dial``: in memory, and over TLS on a real port."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.test.iosim import FakeTransport, IOPump
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.network import Service
from twistedvoice.doubles.server import ServiceFactory
from twistedvoice.events import Message
from twistedvoice.sockets import SocketRequest
from twistedvoice.web.dial import AutobahnDialer
from twistedvoice.web.framing import frame_message

from .dial_contract import KEY, REQUEST, DialerContract, DialerLine

__all__ = ["AutobahnLine", "DialTests"]


class AutobahnLine:
    """Autobahn at both ends, joined in memory."""

    def __init__(self, service: Service) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.factory: WebSocketServerFactory = ServiceFactory(self.reactor, service)
        endpoint: Any = self
        self.dial = AutobahnDialer(self.reactor, lambda *address: endpoint)
        self.answers = True
        self._pumps: list[IOPump] = []
        self.ends: list[Any] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        """Be the endpoint: join a client to the service, or let it wait."""
        if not self.answers:
            return Deferred()
        client: Any = factory.buildProtocol(None)
        server: Any = self.factory.buildProtocol(None)
        near = FakeTransport(client, isServer=False)
        far = FakeTransport(server, isServer=True)
        self.ends += [client, server]
        self._pumps.append(IOPump(client, server, near, far, False, self.reactor))
        server.makeConnection(far)
        client.makeConnection(near)
        return succeed(client)

    def advance(self, seconds: float = 0.0) -> None:
        """Move bytes, let time pass, and move them again."""
        self._flush()
        for _ in range(int(seconds * 10)):
            self.reactor.advance(0.1)
            self._flush()

    def leftovers(self) -> list[object]:
        """:returns: all that waits for its time."""
        return list(self.reactor.getDelayedCalls())

    def _flush(self) -> None:
        for pump in self._pumps:
            pump.flush()


class DialTests(DialerContract, SynchronousTestCase):
    """The contract, and what only a real client can get wrong."""

    line: AutobahnLine

    def make_line(self, service: Service) -> DialerLine:
        return AutobahnLine(service)

    def test_masked(self) -> None:
        """Each frame has a mask of its own: equal messages differ on the wire."""
        socket = self.dialled()
        wire: list[bytes] = []
        server = self.line.ends[1]
        receive = server.dataReceived

        def overhear(data: bytes) -> None:
            wire.append(data)
            receive(data)

        server.dataReceived = overhear
        for _ in range(2):
            socket.send(Message(b"the same", False))
            self.line.advance()
        self.assertNotEqual(wire[0], wire[1])
        self.assertNotIn(b"the same", b"".join(wire))
        self.assertEqual(self.operator.ear.messages, [Message(b"the same", False)] * 2)
        socket.close()

    def test_cut_anywhere(self) -> None:
        """However what comes is cut, the same messages are read."""
        sent = [Message(b"a" * 40, False), Message("für".encode(), False)]
        sent += [Message(b"b" * 300, True), Message(b"", False), Message(b"c", False)]
        socket = self.dialled()
        client = self.line.ends[0]
        wire = b"".join(map(frame_message, sent))
        for size in (1, 2, 3, 41, 42, 43, 50, 345, len(wire)):
            self.ear.messages.clear()
            for at in range(0, len(wire), size):
                client.dataReceived(wire[at : at + size])
            self.assertEqual(self.ear.messages, sent, size)
        socket.close()

    def test_dead_peer(self) -> None:
        """A peer that answers no ping is given up, in two of them."""
        self.dialled()
        self.line.ends[1].dataReceived = lambda data: None
        self.line.advance(39)
        self.assertEqual(self.ear.ends, [])
        self.line.advance(2)
        self.assertEqual([code for code, _ in self.ear.ends], [1006])

    def test_patient(self) -> None:
        """A peer may be given longer to answer."""
        self.dialled(silence_seconds=45.0)
        self.line.ends[1].dataReceived = lambda data: None
        self.line.advance(89)
        self.assertEqual(self.ear.ends, [])
        self.line.advance(2)
        self.assertEqual([code for code, _ in self.ear.ends], [1006])

    def test_pinged(self) -> None:
        """A peer that says nothing but answers pings stays."""
        socket = self.dialled()
        self.line.advance(300)
        self.assertEqual(self.ear.ends, [])
        socket.close()

    def test_peer_that_does_not_read(self) -> None:
        """What waits for a peer is bounded; one that comes back in time is kept."""
        socket = self.dialled()
        client: Any = self.line.ends[0]
        link = client.transport.producer
        for _ in range(2):
            link.pauseProducing()
            for _ in range(7):
                socket.send(Message(b"x" * 65536, False))
            link.resumeProducing()
        self.assertEqual(self.ear.ends, [])
        link.pauseProducing()
        for _ in range(9):
            socket.send(Message(b"x" * 65536, False))
        self.assertEqual([code for code, _ in self.ear.ends], [1006])

    def test_peer_that_does_not_close(self) -> None:
        """A close that nobody answers ends the connection in bounded time."""
        socket = self.dialled()
        self.line.ends[1].dataReceived = lambda data: None
        socket.close()
        self.line.advance(2.8)
        self.assertFalse(self.line.ends[0].transport.disconnected)
        self.line.advance(0.4)
        self.assertTrue(self.line.ends[0].transport.disconnected)

    def test_broken_protocol(self) -> None:
        """A peer that sends no WebSocket frames is left, with 1002."""
        self.dialled()
        self.line.ends[1].transport.write(b"\xff\xff\xff\xff")
        self.line.advance()
        self.assertEqual([code for code, _ in self.ear.ends], [1002])

    def test_too_large(self) -> None:
        """A message beyond all measure ends the socket, with 1009."""
        self.dialled()
        self.operator.socket.send(Message(b"x" * (5 << 20), False))
        self.line.advance()
        self.assertEqual([code for code, _ in self.ear.ends], [1009])

    def test_receiver_raises(self) -> None:
        """What cannot be read ends the socket and is logged, without a key."""
        logged: list[LogEvent] = []
        observer: Any = logged.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        setattr(self.ear, "received", lambda message: 1 // 0)  # noqa: B010
        self.dialled()
        self.operator.socket.send(Message(b"x", False))
        self.line.advance()
        self.assertEqual([code for code, _ in self.ear.ends], [1006])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        for event in logged:
            self.assertNotIn(KEY, f"{formatEvent(event)} {event}")

    def test_secure(self) -> None:
        """A wss URL is dialled over TLS at its port, a ws URL without."""
        asked: list[Any] = []

        def endpoint(*address: Any) -> Any:
            asked.append(address)
            return self.line

        dial = AutobahnDialer(self.line.reactor, endpoint)
        self.line.answers = False
        for scheme in ("wss", "ws"):
            url = REQUEST.url.replace("ws:", f"{scheme}:")
            opening = dial(SocketRequest(url=url), self.ear)
            opening.cancel()
            self.failureResultOf(opening)
        host = "service.example"
        self.assertEqual(asked, [(host, 443, True), (host, 80, False)])
