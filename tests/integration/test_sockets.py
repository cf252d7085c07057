"""Media sockets over real connections, in this process: what no memory can show."""

from __future__ import annotations

import gc
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory
from twisted.internet import reactor as global_reactor
from twisted.internet import ssl
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.task import deferLater
from twisted.internet.tcp import Server
from twisted.trial.unittest import TestCase
from twisted.web.http import HTTPChannel

from twistedvoice.calls.call import Call
from twistedvoice.web.media import MediaSocket
from twistedvoice.web.site import BoundedRequest

from ..calls.doubles import tone
from ..carriers.twilio_carrier import TwilioCarrier
from ..fixtures.twilio import load
from ..web.doors import Doors, Peer

__all__ = ["TcpTests", "TlsTests"]

reactor: Any = global_reactor
CARRIER = TwilioCarrier()
CALL = load("start")["start"]["callSid"].encode()


class Caller(Peer):
    """A carrier's end that tells when it is open, and when it has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: Deferred[None] = Deferred()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        super().onClose(wasClean, code, reason)
        self.ended.callback(None)

    def say(self, *messages: tuple[bytes, bool]) -> None:
        """Send messages."""
        for data, binary in messages:
            self.sendMessage(data, binary)


class TcpTests(TestCase):
    """Over plain TCP."""

    timeout = 60
    #: What must be gone after a call.
    kinds: tuple[type, ...] = (MediaSocket, Call, BoundedRequest, HTTPChannel, Server)

    def setUp(self) -> None:
        self.doors = Doors(trusted=True, reactor=reactor)
        self.callers: list[Caller] = []
        self.port = self.listen()
        self.addCleanup(self.port.stopListening)
        self.addCleanup(self.doors.exchange.watcher.stopService)

    def listen(self) -> Any:
        """:returns: the port of the service."""
        return reactor.listenTCP(0, self.doors.site, interface="127.0.0.1")

    def endpoint(self) -> Any:
        """:returns: the way to it."""
        return TCP4ClientEndpoint(reactor, "127.0.0.1", self.port.getHost().port)

    async def call(self, number: int = 0) -> Caller:
        """:returns: a call that has begun, and hears sound."""
        factory: Any = WebSocketClientFactory(
            "ws://127.0.0.1/twilio/media", reactor=reactor
        )
        factory.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
        )
        factory.protocol = Caller
        caller: Caller = await self.endpoint().connect(factory)
        self.callers.append(caller)
        await caller.is_open
        caller.say(
            *(
                (data.replace(CALL, b"CA%032d" % number), binary)
                for data, binary in CARRIER.start()
            )
        )
        await self.until(lambda: any(self.named(number)))
        self.doors.agent.call.say(tone(100))
        caller.say(CARRIER.sound(tone(20), 0))
        await self.until(lambda: "mark" in caller.kinds())
        return caller

    def named(self, number: int) -> list[Call]:
        """:returns: the call of this number, while it is live."""
        return [
            call
            for call in self.doors.switchboard
            if call.call_id == f"CA{number:032d}"
        ]

    async def until(self, true: Callable[[], bool]) -> None:
        """Let the reactor turn until something is so."""
        while not true():
            await deferLater(reactor, 0)

    def living(self) -> Counter[str]:
        """:returns: how many new objects of each kind that matters there are."""
        return Counter(
            type(each).__name__
            for each in gc.get_objects()
            if isinstance(each, self.kinds)
        )

    async def test_little_waits_in_the_kernel(self) -> None:
        """The socket's own buffer is small, so that an interrupt is soon heard."""
        caller = await self.call()
        [wire] = [each for each in reactor.getReaders() if isinstance(each, Server)]
        size = wire.getHandle().getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        # Linux doubles what it is asked for, to have room for its own accounts.
        self.assertLessEqual(size, 2 * 16 * 1024)
        self.assertEqual(wire.bufferSize, 8 * 1024)
        self.end(caller, 0)
        await self.quiet()

    async def test_ended_calls_are_freed(self) -> None:
        """Fifty calls end in different ways; reference counts alone free them all."""
        self.end(await self.call(), 0)
        await self.quiet()
        gc.disable()
        self.addCleanup(gc.enable)
        # What is there already is not looked through, nor counted.
        gc.freeze()
        self.addCleanup(gc.unfreeze)
        for number in range(50):
            self.end(await self.call(number), number)
        await self.quiet()
        self.assertEqual(self.living(), Counter())
        self.assertEqual(self.doors.switchboard.outcomes["completed"], 18)

    def end(self, caller: Caller, number: int) -> None:
        """End a call, each in a way of its own."""
        if number % 3 == 0:
            caller.say(CARRIER.stop())
        elif number % 3 == 1:
            self.doors.agent.call.hang_up()
            caller.say(CARRIER.mark("m2"))
        else:
            transport: Any = caller.transport
            transport.abortConnection()

    async def quiet(self) -> None:
        """Wait until all connections are gone, and forget the last agent."""
        await self.doors.switchboard.idle()
        for caller in self.callers:
            await caller.ended
        self.callers.clear()
        await self.until(lambda: self.doors.media.countConnections == 0)
        # The reactor itself holds a connection until it is out of its last event.
        await deferLater(reactor, 0)
        del self.doors.agent


class TlsTests(TcpTests):
    """The same over TLS of our own, where a transport wraps another."""

    # A TLS connection that ends without a farewell of its own fails with an error whose
    # traceback holds the connection. That is between Twisted and OpenSSL.
    kinds = (MediaSocket, Call, BoundedRequest, HTTPChannel)

    def setUp(self) -> None:
        key = ssl.KeyPair.generate(size=2048)
        self.certificate = key.selfSignedCert(1, CN="voice.example.com")
        super().setUp()

    def listen(self) -> Any:
        return reactor.listenSSL(
            0, self.doors.site, self.certificate.options(), interface="127.0.0.1"
        )

    def endpoint(self) -> Any:
        return wrapClientTLS(ssl.CertificateOptions(), super().endpoint())
