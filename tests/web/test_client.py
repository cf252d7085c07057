"""Tests of the HTTP client, in memory and on a real socket of this machine."""

from __future__ import annotations

import gzip
from typing import Any

from treq.testing import StubTreq
from twisted.internet import error, reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import (  # type: ignore[attr-defined]
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.http import Request
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import HttpRequest, HttpResponse
from twistedvoice.web.client import TreqClient

URL = "http://carrier.example/things"


class Carrier(Resource):
    """Answers with ``status`` and ``body``, or waits, and notes what it was asked."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.body = b"{}"
        self.headers: dict[str, str] = {}
        #: How much of the body is sent before the answer hangs; None: nothing hangs.
        self.hangs_after: int | None = None
        #: Fires when a request hangs.
        self.hanging: Deferred[None] = Deferred()
        self.asked: list[tuple[bytes, bytes, dict[bytes, list[bytes]], bytes]] = []
        #: The body of each request, and its header ``x-about``.
        self.bodies: list[tuple[bytes, str | None]] = []

    def render(self, request: Request) -> bytes | int:
        user = request.getUser() + b":" + request.getPassword()
        self.asked.append((request.method, request.uri, request.args, user))
        assert request.content is not None
        self.bodies.append((request.content.read(), request.getHeader("x-about")))
        request.setResponseCode(self.status)
        for name, value in self.headers.items():
            request.setHeader(name, value)
        if self.hangs_after is None:
            return self.body
        if self.hangs_after:
            request.write(self.body[: self.hangs_after])
        self.hanging.callback(None)
        return NOT_DONE_YET


class MemoryTests(SynchronousTestCase):
    """The client with a server in memory and a clock in hand."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.carrier = Carrier()
        self.client = TreqClient(
            self.clock,
            timeout_seconds=10,
            max_body_bytes=1000,
            request=vars(StubTreq(self.carrier))["request"],
        )
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def get(self) -> Deferred[HttpResponse]:
        """Perform a plain GET."""
        return self.client.perform(HttpRequest(method="GET", url=URL))

    def carrier_error(self, deferred: Deferred[HttpResponse]) -> CarrierApiError:
        """:returns: the error with which ``deferred`` has failed."""
        failure = self.failureResultOf(deferred, CarrierApiError)
        value = failure.value
        assert isinstance(value, CarrierApiError)
        return value

    def test_post(self) -> None:
        """The form, its order and repetitions, and the credentials reach the server."""
        request = HttpRequest(
            method="POST",
            url=URL + "?page=2",
            form=[("A", "1"), ("B", "ä &="), ("A", "2")],
            auth=("user", "secret"),
        )
        self.successResultOf(self.client.perform(request))
        ((method, uri, args, user),) = self.carrier.asked
        self.assertEqual((method, uri), (b"POST", b"/things?page=2"))
        self.assertEqual(args[b"A"], [b"1", b"2"])
        self.assertEqual(args[b"B"], ["ä &=".encode()])
        self.assertEqual(user, b"user:secret")

    def test_body_and_headers(self) -> None:
        """A body goes out byte for byte, under the headers of its request."""
        body = bytes(range(256))
        request = HttpRequest(
            method="PUT", url=URL, body=body, headers={"X-About": "sound"}
        )
        self.successResultOf(self.client.perform(request))
        self.assertEqual(self.carrier.bodies, [(body, "sound")])

    def test_any_status_is_an_answer(self) -> None:
        """An error of the server is an answer, with headers in lower case."""
        self.carrier.status = 429
        self.carrier.body = b"slowly"
        self.carrier.headers = {"Retry-After": "3"}
        response = self.successResultOf(self.get())
        self.assertEqual((response.status, response.body), (429, b"slowly"))
        self.assertEqual(response.headers["retry-after"], "3")

    def test_empty_body(self) -> None:
        """An answer without a body has an empty one."""
        self.carrier.status, self.carrier.body = 204, b""
        self.assertEqual(self.successResultOf(self.get()).body, b"")

    def test_redirect_is_not_followed(self) -> None:
        """A redirect is an answer: the credentials go nowhere else."""
        self.carrier.status = 307
        self.carrier.headers = {"Location": "http://elsewhere.example/"}
        self.assertEqual(self.successResultOf(self.get()).status, 307)
        self.assertEqual(len(self.carrier.asked), 1)

    def test_large_body(self) -> None:
        """A body over the limit is an error that does not say that nothing was done."""
        self.carrier.body = b"x" * 1000
        self.assertEqual(len(self.successResultOf(self.get()).body), 1000)
        self.carrier.body = b"x" * 1001
        error = self.carrier_error(self.get())
        self.assertEqual((error.status, error.retryable), (200, False))

    def test_large_packed_body(self) -> None:
        """A body that is small on the wire and large unpacked is too large as well."""
        self.carrier.body = gzip.compress(b"x" * 100_000)
        self.carrier.headers = {"Content-Encoding": "gzip"}
        self.assertEqual(self.carrier_error(self.get()).status, 200)

    def test_no_answer(self) -> None:
        """A server that never answers is a time-out, after which nobody knows."""
        self.carrier.hangs_after = 0
        answer = self.get()
        self.clock.advance(9.9)
        self.assertNoResult(answer)
        self.clock.advance(0.1)
        error = self.carrier_error(answer)
        self.assertEqual((error.status, error.retryable), (None, False))

    def test_half_an_answer(self) -> None:
        """The time-out covers the body of the answer too."""
        self.carrier.body, self.carrier.hangs_after = b"half", 2
        answer = self.get()
        self.assertNoResult(answer)
        self.clock.advance(10)
        error = self.carrier_error(answer)
        self.assertEqual((error.status, error.retryable), (None, False))

    def test_cancel(self) -> None:
        """A cancelled request fires with CancelledError, and leaves nothing."""
        for sent in (0, 2):
            self.carrier.body, self.carrier.hangs_after = b"half", sent
            self.carrier.hanging = Deferred()
            answer = self.get()
            answer.cancel()
            self.failureResultOf(answer, CancelledError)

    def test_close(self) -> None:
        """Closing cancels what is under way; closing again is harmless."""
        self.carrier.hangs_after = 0
        answer = self.get()
        self.successResultOf(self.client.close())
        self.failureResultOf(answer, CancelledError)
        self.successResultOf(self.client.close())


def connecting(reason: Exception) -> Deferred[Any]:
    """:returns: a connection under way, which tells ``reason`` when cancelled."""
    return Deferred(lambda d: d.errback(reason))


class Answered:
    """An answer without a body, as treq gives it."""

    code = 201
    headers = Headers()

    def deliverBody(self, body: Protocol) -> None:
        """Say at once that there is no more."""
        body.connectionLost(Failure(ResponseDone()))


class FailureTests(SynchronousTestCase):
    """How the ways of failing are told apart."""

    def perform(self, answer: Deferred[Any]) -> Deferred[HttpResponse]:
        """Perform a request which treq answers with ``answer``."""
        self.clock = Clock()
        client = TreqClient(self.clock, request=lambda *a, **k: answer)
        return client.perform(HttpRequest(method="GET", url=URL))

    def test_failures(self) -> None:
        """Only what the server cannot have seen is retryable."""
        lost = Failure(error.ConnectionLost())
        table = [
            (error.ConnectionRefusedError(), True),
            (error.TCPTimedOutError(), True),
            (error.NoRouteError(), True),
            (error.DNSLookupError(), True),
            (RequestNotSent(), True),
            (RequestTransmissionFailed([lost]), False),
            (ResponseNeverReceived([lost]), False),
            (ResponseFailed([lost]), False),
            (error.ConnectionLost(), False),
        ]
        for reason, retryable in table:
            answer = self.perform(fail(reason))
            found = self.failureResultOf(answer, CarrierApiError).value
            assert isinstance(found, CarrierApiError)
            self.assertEqual(
                (found.status, found.code, found.retryable), (None, None, retryable)
            )
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_time_out_while_connecting(self) -> None:
        """A time-out before there was a connection is retryable."""
        for reason in (error.ConnectingCancelledError(None), error.DNSLookupError()):
            answer = self.perform(connecting(reason))
            self.clock.advance(10)
            found = self.failureResultOf(answer, CarrierApiError).value
            assert isinstance(found, CarrierApiError)
            self.assertTrue(found.retryable)

    def test_answer_in_the_last_moment(self) -> None:
        """An answer that a time-out could no longer stop is an answer."""
        late: Deferred[Any] = Deferred(lambda d: d.callback(Answered()))
        answer = self.perform(late)
        self.clock.advance(10)
        self.assertEqual(self.successResultOf(answer).status, 201)

    def test_cancel_while_connecting(self) -> None:
        """A request that is cancelled before there was a connection is cancelled."""
        for reason in (error.ConnectingCancelledError(None), error.DNSLookupError()):
            answer = self.perform(connecting(reason))
            answer.cancel()
            self.failureResultOf(answer, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bug(self) -> None:
        """What is no failure of the network is not dressed up as one."""
        answer = self.perform(fail(ZeroDivisionError()))
        self.failureResultOf(answer, ZeroDivisionError)


class HangUp(Protocol):
    """Closes the connection as soon as it has seen some of the request."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class SocketTests(TestCase):
    """The client with its own pool, on a loopback socket."""

    async def serve(self, factory: IProtocolFactory) -> IListeningPort:
        """Listen with ``factory`` until the test is over."""
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port: IListeningPort = await endpoint.listen(factory)
        self.addCleanup(port.stopListening)
        return port

    def client_of(self, port: IListeningPort) -> tuple[TreqClient, HttpRequest]:
        """:returns: a client that is closed after the test, and a request."""
        client = TreqClient(reactor)
        self.addCleanup(client.close)
        address = port.getHost()
        assert isinstance(address, IPv4Address)
        url = f"http://127.0.0.1:{address.port}/a"
        return client, HttpRequest(method="POST", url=url, form=[("A", "1")])

    async def failing(self, answer: Deferred[HttpResponse]) -> tuple[int | None, bool]:
        """:returns: the status of the error that comes, and if it is retryable."""
        try:
            await answer
        except CarrierApiError as error:
            return error.status, error.retryable
        raise AssertionError("it was answered")

    async def test_answer(self) -> None:
        """Requests are answered over one kept connection, which closing closes."""
        carrier = Carrier()
        carrier.body = b"x" * 200_000
        client, request = self.client_of(await self.serve(Site(carrier)))
        for _ in range(2):
            response = await client.perform(request)
            self.assertEqual(response.body, carrier.body)
        self.assertEqual(carrier.asked[1][2], {b"A": [b"1"]})
        await client.close()

    async def test_close_while_it_hangs(self) -> None:
        """Closing does not wait for a server that does not answer."""
        carrier = Carrier()
        carrier.hangs_after = 0
        client, request = self.client_of(await self.serve(Site(carrier)))
        answer = client.perform(request)
        await carrier.hanging
        await client.close()
        await self.assertFailure(answer, CancelledError)

    async def test_close_while_it_connects(self) -> None:
        """Closing ends what is not connected yet, and nobody is asked anything."""
        carrier = Carrier()
        client, request = self.client_of(await self.serve(Site(carrier)))
        answer = client.perform(request)
        await client.close()
        await self.assertFailure(answer, CancelledError)
        self.assertEqual(carrier.asked, [])

    async def test_refused(self) -> None:
        """A refused connection is retryable."""
        port = await self.serve(Site(Carrier()))
        client, request = self.client_of(port)
        await maybeDeferred(port.stopListening)
        self.assertEqual(await self.failing(client.perform(request)), (None, True))

    async def test_hung_up(self) -> None:
        """A connection that is closed on a sent request leaves doubt."""
        port = await self.serve(Factory.forProtocol(HangUp))
        client, request = self.client_of(port)
        self.assertEqual(await self.failing(client.perform(request)), (None, False))
