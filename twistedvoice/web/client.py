# -*- test-case-name: tests.web.test_client -*-
"""The one door out: performs HTTP requests through treq.

It knows pools, time-outs and how a connection can fail, and no carrier. A failure is
told apart in one respect only: whether the server can have seen the request. Redirects
are not followed, since the credentials of a request belong to the host it names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (  # type: ignore[attr-defined]
    Agent,
    HTTPConnectionPool,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from ..errors import CarrierApiError
from ..interfaces import HttpRequest, HttpResponse
from .pouring import Pouring

__all__ = ["TreqClient"]

#: The server cannot have seen the request.
_NOT_SENT = (ConnectError, ConnectingCancelledError, DNSLookupError, RequestNotSent)
#: The server may have seen the request, and may have done what it says.
_BROKEN_OFF = (ResponseFailed, RequestTransmissionFailed, ConnectionClosed)
#: Longer, and the server may close a connection just as we write a POST on it.
_IDLE_SECONDS = 15


class TreqClient:
    """
    Performs HTTP requests over connections of its own.

    Implements :class:`twistedvoice.interfaces.HttpClient`. Header names of an answer
    are in lower case.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        timeout_seconds: float = 10.0,
        max_body_bytes: int = 1 << 20,
        request: Callable[..., Deferred[Any]] | None = None,
    ) -> None:
        """
        :param reactor: connects and times.
        :param timeout_seconds: the longest a request may take, its answer included.
        :param max_body_bytes: the largest answer; a larger one is an error.
        :param request: what is used for ``treq.request``; by default treq itself on
            a pool of this client.
        """
        self._reactor = reactor
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes
        self._pool = HTTPConnectionPool(reactor)
        self._pool.cachedConnectionTimeout = _IDLE_SECONDS
        agent = Agent(reactor, pool=self._pool)
        self._request = request or HTTPClient(agent).request
        self._under_way: set[Deferred[HttpResponse]] = set()

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        """
        Send ``request`` and read the whole answer.

        Cancelling breaks the connection off and fires with ``CancelledError``.

        :returns: fires with any answer the server gave, errors included.
        :raises CarrierApiError: through the Deferred, when no whole answer came:
            ``retryable`` when the server cannot have seen the request.
        """
        exchange = self._send(request).addCallback(self._read)
        exchange.addTimeout(self._timeout_seconds, self._reactor, _timed_out)
        return self._answer(exchange)

    def fetch(
        self,
        request: HttpRequest,
        write: Callable[[bytes], Deferred[None]],
        limit: int,
    ) -> Deferred[HttpResponse]:
        """
        Implement :data:`twistedvoice.interfaces.HttpFetch`.

        The time-out counts anew with each piece, and not while one is written. What
        ``write`` fails with comes through the Deferred.
        """
        exchange = self._send(request)
        exchange.addTimeout(self._timeout_seconds, self._reactor, _timed_out)
        exchange.addCallback(self._pour, write, limit)
        return self._answer(exchange)

    def close(self) -> Deferred[None]:
        """Cancel what is under way; fires when every connection is closed."""
        for answer in list(self._under_way):
            answer.cancel()
        closed: Deferred[None]
        closed = self._pool.closeCachedConnections()
        return closed.addCallback(lambda _: None)

    def _send(self, request: HttpRequest) -> Deferred[Any]:
        return self._request(
            request.method,
            request.url,
            data=list(request.form) or request.body,
            headers=Headers({name: [value] for name, value in request.headers.items()}),
            auth=request.auth,
            allow_redirects=False,
            unbuffered=True,
        )

    def _answer(self, exchange: Deferred[HttpResponse]) -> Deferred[HttpResponse]:
        exchange.addErrback(_explain)
        # Twisted tells of a cancelled connection in five ways; we in one.
        answer: Deferred[HttpResponse] = Deferred(
            lambda _: _break_off(answer, exchange)
        )
        self._under_way.add(answer)
        exchange.addBoth(_hand_over, answer)
        return answer.addBoth(self._done, answer)

    def _pour(
        self, response: IResponse, write: Callable[[bytes], Deferred[None]], limit: int
    ) -> Deferred[HttpResponse]:
        if not 200 <= response.code < 300:
            read = self._read(response)
            return read.addTimeout(self._timeout_seconds, self._reactor, _timed_out)
        pouring = Pouring(
            self._reactor, write, limit=limit, idle_seconds=self._timeout_seconds
        )
        response.deliverBody(pouring)
        return pouring.ended.addCallback(
            lambda _: HttpResponse(
                status=response.code, headers=_headers(response), body=b""
            )
        )

    def _read(self, response: IResponse) -> Deferred[HttpResponse]:
        body = _Body(self._max_body_bytes, response.code)
        response.deliverBody(body)
        return body.whole.addCallback(
            lambda data: HttpResponse(
                status=response.code, headers=_headers(response), body=data
            )
        )

    def _done(
        self, result: HttpResponse | Failure, answer: Deferred[HttpResponse]
    ) -> HttpResponse | Failure:
        self._under_way.discard(answer)
        return result


class _Body(Protocol):
    """Collects a body up to a limit; ``whole`` can be cancelled."""

    def __init__(self, limit: int, status: int) -> None:
        self.whole: Deferred[bytes] = Deferred(lambda _: self._break_off())
        self._left = limit
        self._status = status
        self._data: list[bytes] = []
        self._over = False

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        self._data.append(data)
        if self._left < 0 and not self._over:
            self._break_off()
            self.whole.errback(
                CarrierApiError(
                    "the answer is too large",
                    status=self._status,
                    code=None,
                    retryable=False,
                )
            )

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._over:
            return
        self._over = True
        if isinstance(reason.value, (ResponseDone, PotentialDataLoss)):
            self.whole.callback(b"".join(self._data))
        else:
            self.whole.errback(reason)

    def _break_off(self) -> None:
        self._over = True
        self._data.clear()
        if self.transport is not None:
            self.transport.loseConnection()


def _headers(response: IResponse) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in response.headers.getAllRawHeaders()
    }


def _timed_out(result: HttpResponse | Failure, seconds: float) -> HttpResponse:
    if not isinstance(result, Failure):
        return result
    raise CarrierApiError(
        f"no answer within {seconds:g} seconds",
        status=None,
        code=None,
        retryable=isinstance(result.value, _NOT_SENT),
    )


def _explain(failure: Failure) -> HttpResponse | Failure:
    sent = not isinstance(failure.value, _NOT_SENT)
    if sent and not isinstance(failure.value, _BROKEN_OFF):
        return failure
    raise CarrierApiError(
        "the answer was broken off" if sent else "the server cannot be reached",
        status=None,
        code=None,
        retryable=not sent,
    ) from failure.value


def _hand_over(result: HttpResponse | Failure, answer: Deferred[HttpResponse]) -> None:
    if not answer.called:
        answer.callback(result)


def _break_off(
    answer: Deferred[HttpResponse], exchange: Deferred[HttpResponse]
) -> None:
    answer.errback(CancelledError())
    exchange.cancel()
