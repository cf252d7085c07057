# -*- test-case-name: tests.doubles.test_http -*-
"""HTTP in memory: answers in pieces, in virtual time."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.http import HttpAnswer, MemoryHttp
from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import HttpRequest, HttpResponse

__all__ = ["MemoryHttpTests"]

REQUEST = HttpRequest(method="GET", url="http://x/")


class MemoryHttpTests(SynchronousTestCase):
    """What a client has of a service."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.came: list[bytes] = []
        self.gone = 0
        self.answer: HttpAnswer

    def service(self, request: HttpRequest, answer: HttpAnswer) -> Callable[[], None]:
        """Keep the answer for the test."""
        self.answer = answer
        return self.client_gone

    def client_gone(self) -> None:
        """Count it."""
        self.gone += 1

    def fetch(
        self, write: Callable[[bytes], Deferred[None]] | None = None
    ) -> Deferred[HttpResponse]:
        """:returns: the answer, which takes a tenth of a second each way."""

        def keep(piece: bytes) -> Deferred[None]:
            self.came.append(piece)
            return succeed(None)

        fetched = MemoryHttp(self.clock, self.service, 0.1).fetch(
            REQUEST, write or keep, 100
        )
        self.clock.advance(0.1)
        return fetched

    def test_pieces(self) -> None:
        """A body comes piece by piece, each after the delay; then its response."""
        fetched = self.fetch()
        self.answer.begin(200, {"a": "b"})
        self.answer.write(b"one")
        self.assertEqual(self.came, [])
        self.clock.advance(0.1)
        self.answer.write(b"two")
        self.answer.finish()
        self.clock.advance(0.1)
        response = self.successResultOf(fetched)
        self.assertEqual((response.status, response.headers), (200, {"a": "b"}))
        self.assertEqual(
            (self.came, response.body, self.gone), ([b"one", b"two"], b"", 0)
        )

    def test_error(self) -> None:
        """The body of an error comes with the response."""
        fetched = self.fetch()
        self.answer.begin(500, {})
        self.answer.write(b"why")
        self.answer.finish()
        self.clock.advance(0.1)
        self.assertEqual(self.successResultOf(fetched).body, b"why")
        self.assertEqual(self.came, [])

    def test_broken_off(self) -> None:
        """A connection that breaks is an error, after what came before."""
        fetched = self.fetch()
        self.answer.begin(200, {})
        self.answer.write(b"half")
        self.answer.break_off()
        self.clock.advance(0.1)
        self.failureResultOf(fetched, CarrierApiError)
        self.assertEqual(self.came, [b"half"])

    def test_client_goes(self) -> None:
        """The service hears of a client that goes; nothing comes afterwards."""
        fetched = self.fetch()
        self.answer.begin(200, {})
        self.answer.write(b"late")
        fetched.cancel()
        self.answer.write(b"later")
        self.clock.advance(1)
        self.failureResultOf(fetched, CancelledError)
        self.assertEqual((self.came, self.gone), ([], 1))

    def test_writer_fails(self) -> None:
        """What the client's writer fails with ends the fetch."""
        fetched = self.fetch(lambda piece: fail(ZeroDivisionError()))
        self.answer.begin(200, {})
        self.answer.write(b"x")
        self.clock.advance(0.1)
        self.failureResultOf(fetched, ZeroDivisionError)
        self.assertEqual(self.gone, 1)
