# -*- test-case-name: tests.doubles.test_http -*-
"""HTTP without a network, and with one, for the double of a service that streams.

A double answers through an :class:`HttpAnswer`, and does not see whether it is asked in
memory and virtual time (:class:`MemoryHttp`) or on a real port (:class:`HttpResource`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ..errors import CarrierApiError
from ..interfaces import HttpRequest, HttpResponse

__all__ = ["HttpAnswer", "HttpResource", "HttpService", "MemoryHttp"]


class HttpAnswer(Protocol):
    """The service's side of one request."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Answer; once, and first."""

    def write(self, data: bytes) -> None:
        """Send more of the body."""

    def finish(self) -> None:
        """The body is whole."""

    def break_off(self) -> None:
        """Close the connection in the middle of it."""


#: A service: answers a request, now or later, and returns what is called when the
#: client goes before the end.
HttpService = Callable[[HttpRequest, HttpAnswer], Callable[[], None]]


class MemoryHttp:
    """An object whose ``fetch`` is a :data:`twistedvoice.interfaces.HttpFetch`."""

    def __init__(self, clock: Clock, service: HttpService, delay: float = 0.0) -> None:
        """:param delay: how long a request, and each piece of an answer, takes."""
        self._clock = clock
        self._service = service
        self._delay = delay

    def fetch(
        self,
        request: HttpRequest,
        write: Callable[[bytes], Deferred[None]],
        limit: int,
    ) -> Deferred[HttpResponse]:
        """:returns: fires once the answer is whole; it can be cancelled."""
        exchange = _Exchange(self._clock, self._delay, write)
        exchange.later(self._ask, request, exchange)
        return exchange.answered

    def _ask(self, request: HttpRequest, exchange: _Exchange) -> None:
        exchange.gone = self._service(request, exchange)


class _Exchange:
    """One request in memory: the service's side is an ``HttpAnswer``."""

    def __init__(
        self, clock: Clock, delay: float, write: Callable[[bytes], Deferred[None]]
    ) -> None:
        self.answered: Deferred[HttpResponse] = Deferred(lambda _: self._cancel())
        self.gone: Callable[[], None] = lambda: None
        self._clock = clock
        self._delay = delay
        self._write = write
        self._timers: list[Any] = []
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._body = b""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._status, self._headers = status, headers

    def write(self, data: bytes) -> None:
        self.later(self._deliver, data)

    def finish(self) -> None:
        self.later(self._end)

    def break_off(self) -> None:
        broken = CarrierApiError(
            "the answer was broken off", status=None, code=None, retryable=False
        )
        self.later(self._fail, Failure(broken))

    def later(self, function: Callable[..., None], *args: object) -> None:
        """Call it once the network has carried it, unless nobody cares any more."""
        if not self.answered.called:
            self._timers = [timer for timer in self._timers if timer.active()]
            self._timers.append(self._clock.callLater(self._delay, function, *args))

    def _deliver(self, data: bytes) -> None:
        if 200 <= self._status < 300:
            maybeDeferred(self._write, data).addErrback(self._fail)
        else:
            self._body += data

    def _end(self) -> None:
        self._stop()
        self.answered.callback(
            HttpResponse(status=self._status, headers=self._headers, body=self._body)
        )

    def _fail(self, failure: Failure) -> None:
        self._stop()
        self.gone()
        self.answered.errback(failure)

    def _cancel(self) -> None:
        self._stop()
        self.gone()

    def _stop(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()


class HttpResource(Resource):
    """A service on a real port."""

    isLeaf = True

    def __init__(self, service: HttpService) -> None:
        super().__init__()
        self._service = service

    def render(self, request: Any) -> int:
        headers = {
            name.decode("latin-1"): values[-1].decode("latin-1")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        asked = HttpRequest(
            method=request.method.decode("ascii"),
            url=f"http://double{request.uri.decode('ascii')}",
            headers=headers,
            body=request.content.read(),
        )
        answer = _Wire(request)
        gone = self._service(asked, answer)
        answer.ended.addErrback(lambda _: gone())
        return NOT_DONE_YET


class _Wire:
    """An ``HttpAnswer`` made of a request of ``twisted.web``."""

    def __init__(self, request: Any) -> None:
        self._request = request
        #: Fires when all is sent; fails when the client went before.
        self.ended: Deferred[Any] = request.notifyFinish()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._request.setResponseCode(status)
        for name, value in headers.items():
            self._request.setHeader(name, value)

    def write(self, data: bytes) -> None:
        self._request.write(data)

    def finish(self) -> None:
        self._request.finish()

    def break_off(self) -> None:
        self._request.transport.abortConnection()
