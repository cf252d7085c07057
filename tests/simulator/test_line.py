"""The way to the service, and the sentences when there is none."""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed

from twistedvoice.errors import SimulationError
from twistedvoice.simulator.line import Line, refused, unreachable


class LineTests(SynchronousTestCase):
    """Where a connection goes."""

    def assert_connects(
        self, url: str, port: int, connect_to: tuple[str, int] | None = None
    ) -> None:
        """Assert which port is called."""
        reactor: Any = MemoryReactorClock()
        Line(reactor, url, connect_to).endpoint().connect(Factory())
        self.assertEqual([client[1] for client in reactor.tcpClients], [port])

    def test_ports(self) -> None:
        """The port is the URL's, or the usual one of its scheme."""
        self.assert_connects("http://h/p", 80)
        self.assert_connects("ws://h/p", 80)
        self.assert_connects("wss://h/p", 443)
        self.assert_connects("https://h/p", 443)
        self.assert_connects("wss://h:8443/p", 8443)

    def test_connect_to_wins(self) -> None:
        """A service behind no proxy is reached where it is."""
        self.assert_connects("wss://voice.example/p", 8080, ("127.0.0.1", 8080))

    def test_urls_that_cannot_be_called(self) -> None:
        """They are refused with the URL in the sentence."""
        for url in ["voice.example/p", "ftp://h/p", "http:///p", "http://h:99999/"]:
            line = Line(MemoryReactorClock(), url, None)
            refusal = self.assertRaises(SimulationError, line.endpoint)
            self.assertIn(repr(url), str(refusal))


class SentenceTests(SynchronousTestCase):
    """What a person reads."""

    def test_refusals(self) -> None:
        """A refusal says what to look at; an unknown one at least its status."""
        self.assertIn("TWISTEDVOICE_AUTH_TOKEN", str(refused(403, "http://h")))
        self.assertIn("http://h answered 418", str(refused(418, "http://h")))

    def test_troubles(self) -> None:
        """A connection that failed is told in plain words."""
        inner = Failure(ValueError("bad certificate"))
        for trouble, words in [
            (error.ConnectionRefusedError(), "is the service running?"),
            (error.DNSLookupError(), "no such host"),
            (error.TimeoutError(), "took too long"),
            (OSError("odd"), "odd"),
            (ResponseFailed([inner]), "bad certificate"),
        ]:
            self.assertIn(words, str(unreachable(trouble, "http://h")))
