"""Tests of answers that are poured out piece by piece."""

from __future__ import annotations

from typing import Any

from treq.testing import StubTreq
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import ResponseDone
from twisted.web.server import Site

from tests.web.test_client import URL, Carrier
from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import HttpRequest
from twistedvoice.web.client import TreqClient
from twistedvoice.web.pouring import Pouring

#: trial runs what returns a Deferred on the global reactor.
reactor: Any = global_reactor
DONE = Failure(ResponseDone())


class PouringTests(SynchronousTestCase):
    """The body of one answer, with a slow disk."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        #: What was written, and what each write waits for.
        self.written: list[bytes] = []
        self.writes: list[Deferred[None]] = []
        self.pouring = Pouring(self.clock, self.write, limit=100, idle_seconds=10)
        self.pouring.makeConnection(self.transport)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def write(self, data: bytes) -> Deferred[None]:
        """Begin to write."""
        self.written.append(data)
        self.writes.append(Deferred())
        return self.writes[-1]

    def end(self) -> None:
        """Let the answer end as it should."""
        for each in self.writes:
            if not each.called:
                each.callback(None)
        self.pouring.connectionLost(DONE)
        self.successResultOf(self.pouring.ended)

    def test_not_faster_than_written(self) -> None:
        """Nothing is read while a piece is written; what came meanwhile is next."""
        self.pouring.dataReceived(b"one")
        self.assertEqual(self.transport.producerState, "paused")
        self.pouring.dataReceived(b"two")
        self.pouring.dataReceived(b"three")
        self.assertEqual(self.written, [b"one"])
        self.writes[0].callback(None)
        self.assertEqual(self.written, [b"one", b"twothree"])
        self.assertEqual(self.transport.producerState, "paused")
        self.writes[1].callback(None)
        self.assertEqual(self.transport.producerState, "producing")
        self.end()

    def test_end_waits_for_the_disk(self) -> None:
        """It has ended when the last piece is written, not when it has come."""
        self.pouring.dataReceived(b"one")
        self.pouring.connectionLost(DONE)
        self.assertNoResult(self.pouring.ended)
        self.writes[0].callback(None)
        self.successResultOf(self.pouring.ended)

    def test_idle(self) -> None:
        """The time-out counts from the last piece, and not while one is written."""
        self.clock.advance(9)
        self.pouring.dataReceived(b"one")
        self.clock.advance(60)
        self.writes[0].callback(None)
        self.clock.advance(9.9)
        self.assertNoResult(self.pouring.ended)
        self.clock.advance(0.1)
        self.failureResultOf(self.pouring.ended, CarrierApiError)
        self.assertTrue(self.transport.disconnecting)

    def test_too_large(self) -> None:
        """One byte over the limit breaks it off; later pieces are dropped."""
        self.pouring.dataReceived(b"x" * 100)
        self.writes[0].callback(None)
        self.assertNoResult(self.pouring.ended)
        self.pouring.dataReceived(b"x")
        self.failureResultOf(self.pouring.ended, CarrierApiError)
        self.pouring.dataReceived(b"more")
        self.pouring.connectionLost(DONE)
        self.assertEqual(len(self.written), 1)

    def test_disk_fails(self) -> None:
        """What writing fails with is what comes, and the connection is given up."""
        self.pouring.dataReceived(b"one")
        self.writes[0].errback(OSError(28, "full"))
        self.failureResultOf(self.pouring.ended, OSError)
        self.assertTrue(self.transport.disconnecting)

    def test_broken_off(self) -> None:
        """A connection that is lost in the middle is no end."""
        self.pouring.connectionLost(Failure(ConnectionLost()))
        self.failureResultOf(self.pouring.ended, ConnectionLost)

    def test_cancel(self) -> None:
        """Cancelling gives the connection up; a write under way ends quietly."""
        self.pouring.dataReceived(b"one")
        self.pouring.ended.cancel()
        self.failureResultOf(self.pouring.ended, CancelledError)
        self.assertTrue(self.transport.disconnecting)
        self.writes[0].callback(None)


class FetchTests(SynchronousTestCase):
    """The client's ``fetch``, with a server in memory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.carrier = Carrier()
        self.client = TreqClient(
            self.clock, request=vars(StubTreq(self.carrier))["request"]
        )
        self.written: list[bytes] = []
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def write(self, data: bytes) -> Deferred[None]:
        """Write at once."""
        self.written.append(data)
        return succeed(None)

    def test_fetched(self) -> None:
        """The body of a success is written, and is not in the answer."""
        self.carrier.body = bytes(range(256)) * 40
        request = HttpRequest(method="GET", url=URL, auth=("user", "secret"))
        fetched = self.client.fetch(request, self.write, 1 << 20)
        response = self.successResultOf(fetched)
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(b"".join(self.written), self.carrier.body)
        self.assertEqual(self.carrier.asked[0][3], b"user:secret")

    def test_other_answers(self) -> None:
        """Any other answer is read as usual, and nothing of it is written."""
        self.carrier.status, self.carrier.body = 307, b"over there"
        self.carrier.headers = {"Location": "http://elsewhere.example/"}
        request = HttpRequest(method="GET", url=URL)
        response = self.successResultOf(self.client.fetch(request, self.write, 10))
        self.assertEqual((response.status, response.body), (307, b"over there"))
        self.assertEqual(response.headers["location"], "http://elsewhere.example/")
        self.assertEqual(self.written, [])

    def test_no_answer(self) -> None:
        """A server that says nothing, or half of a refusal, is given up."""
        for status, sent in ((200, 0), (404, 2)):
            self.carrier.status, self.carrier.body = status, b"half"
            self.carrier.hangs_after, self.carrier.hanging = sent, Deferred()
            request = HttpRequest(method="GET", url=URL)
            fetched = self.client.fetch(request, self.write, 10)
            self.clock.advance(10)
            self.failureResultOf(fetched, CarrierApiError)


class SocketTests(TestCase):
    """On a loopback socket, where reading really pauses."""

    async def test_kept_connection(self) -> None:
        """A large answer comes whole through a slow writer; its connection is kept."""
        carrier = Carrier()
        carrier.body = bytes(range(256)) * 4000
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = await endpoint.listen(Site(carrier))
        self.addCleanup(port.stopListening)
        client = TreqClient(reactor)
        self.addCleanup(client.close)
        written: list[bytes] = []

        def write(data: bytes) -> Deferred[None]:
            written.append(data)
            return deferLater(reactor, 0)

        url = f"http://127.0.0.1:{port.getHost().port}/a"
        request = HttpRequest(method="GET", url=url)
        for _ in range(2):
            written.clear()
            await client.fetch(request, write, 1 << 21)
            self.assertEqual(b"".join(written), carrier.body)
            self.assertGreater(len(written), 1)
