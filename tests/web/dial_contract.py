# -*- test-case-name: tests.web.test_dial tests.doubles.test_network -*-
"""What every dialer must stand; see :data:`twistedvoice.sockets.Dialer`.

Mix :class:`DialerContract` into a test case and give it :meth:`make_line`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.network import Service, ServiceSocket
from twistedvoice.errors import SocketRefused
from twistedvoice.events import Message
from twistedvoice.sockets import Dialer, Socket, SocketReceiver, SocketRequest

if TYPE_CHECKING:
    _Mixin = SynchronousTestCase
else:
    _Mixin = object

__all__ = ["KEY", "DialerContract", "DialerLine", "Ear", "Operator"]

KEY = "sk-nobody-may-see-this"
REQUEST = SocketRequest(
    url="ws://service.example/v1/talk?model=m", headers={"authorization": KEY}
)


class Ear:
    """A receiver that writes down what it is told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.ends: list[tuple[int, str]] = []

    def received(self, message: Message) -> None:
        self.messages.append(message)

    def lost(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))


class Operator:
    """A service that lets everyone in, unless told otherwise."""

    def __init__(self) -> None:
        self.refusal: SocketRefused | None = None
        self.requests: list[SocketRequest] = []
        #: What is said to whoever is let in, at once.
        self.welcome: list[Message] = []
        self.socket: ServiceSocket
        self.ear = Ear()

    def __call__(self, request: SocketRequest, socket: ServiceSocket) -> SocketReceiver:
        self.requests.append(request)
        if self.refusal is not None:
            raise self.refusal
        self.socket = socket
        for message in self.welcome:
            socket.send(message)
        return self.ear


class DialerLine(Protocol):
    """A dialer, and the way to its service."""

    @property
    def dial(self) -> Dialer:
        """The dialer."""

    #: False: the service does not answer at all.
    answers: bool

    def advance(self, seconds: float = 0.0) -> None:
        """Let all that is under way arrive, and time pass."""

    def leftovers(self) -> list[object]:
        """:returns: what should not be left on the reactor."""


class DialerContract(_Mixin):
    """The contract of a dialer and its sockets."""

    def make_line(self, service: Service) -> DialerLine:
        """:returns: a dialer whose every socket leads to ``service``."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.operator, self.ear = Operator(), Ear()
        self.line = self.make_line(self.operator)
        self.addCleanup(self.assert_nothing_left)

    def assert_nothing_left(self) -> None:
        """Whatever happened, the reactor has nothing to do any more."""
        self.line.advance(60)
        self.assertEqual(self.line.leftovers(), [])

    def dialled(self, **request: Any) -> Socket:
        """:returns: an open socket."""
        opening = self.line.dial(evolve(REQUEST, **request), self.ear)
        self.line.advance()
        return self.successResultOf(opening)

    def test_request(self) -> None:
        """The service gets the path, the query and the headers."""
        self.dialled().close()
        [request] = self.operator.requests
        self.assertTrue(request.url.endswith("/v1/talk?model=m"), request.url)
        self.assertEqual(request.headers["authorization"], KEY)

    def test_messages(self) -> None:
        """Messages of any size go both ways, whole, in order, text and binary."""
        socket = self.dialled()
        said = [
            Message(b"x" * size, binary)
            for size in (0, 1, 125, 126, 65535, 65536)
            for binary in (False, True)
        ]
        for message in said:
            socket.send(message)
            self.operator.socket.send(message)
        self.line.advance()
        self.assertEqual(self.operator.ear.messages, said)
        self.assertEqual(self.ear.messages, said)
        socket.close()

    def test_welcome(self) -> None:
        """What the service says while it lets somebody in arrives, in order."""
        self.operator.welcome = [Message(b"hello", False), Message(b"you", True)]
        socket = self.dialled()
        self.operator.socket.send(Message(b"there", False))
        self.line.advance()
        said = [*self.operator.welcome, Message(b"there", False)]
        self.assertEqual(self.ear.messages, said)
        socket.close()

    def test_nothing_within_send(self) -> None:
        """What is answered at once does not arrive within the sending."""
        socket = self.dialled()
        socket.send(Message(b"hello", False))
        self.operator.socket.send(Message(b"well", False))
        self.assertEqual(self.ear.messages, [])
        socket.close()

    def test_close(self) -> None:
        """After a close the service is told, and we are told nothing more."""
        socket = self.dialled()
        socket.close()
        socket.close()
        socket.send(Message(b"late", False))
        self.line.advance()
        self.assertEqual([code for code, _ in self.operator.ear.ends], [1000])
        self.assertEqual(self.operator.ear.messages, [])
        self.assertEqual(self.ear.ends, [])

    def test_closed_by_the_service(self) -> None:
        """The service's last message comes before its farewell, and that once."""
        socket = self.dialled()
        self.operator.socket.send(Message(b"bye", False))
        self.operator.socket.hang_up(4000, "enough")
        self.line.advance()
        self.assertEqual(self.ear.messages, [Message(b"bye", False)])
        self.assertEqual(self.ear.ends, [(4000, "enough")])
        socket.send(Message(b"late", False))
        socket.close()

    def test_broken_off(self) -> None:
        """A socket that ends without a farewell has ended with 1006."""
        self.dialled()
        self.operator.socket.hang_up(1006)
        self.line.advance()
        self.assertEqual([code for code, _ in self.ear.ends], [1006])

    def test_refused(self) -> None:
        """A service that lets nobody in says so by a status."""
        for status in (401, 429, 503):
            self.operator.refusal = SocketRefused("no", status=status)
            opening = self.line.dial(REQUEST, self.ear)
            self.line.advance()
            refused = self.failureResultOf(opening, SocketRefused).value
            self.assertEqual(
                (refused.status, refused.retryable), (status, status > 401)
            )

    def test_no_answer(self) -> None:
        """Who does not answer in time is given up; nobody is told of the key."""
        self.line.answers = False
        opening = self.line.dial(REQUEST, self.ear)
        self.line.advance(4.9)
        self.assertNoResult(opening)
        self.line.advance(0.2)
        failure = self.failureResultOf(opening, SocketRefused)
        self.assertIsNone(failure.value.status)
        self.assertNotIn(KEY, failure.getTraceback() + repr(REQUEST))

    def test_cancelled(self) -> None:
        """An attempt can be taken back, before and while it is answered."""
        for answers in (False, True):
            self.line.answers = answers
            opening = self.line.dial(REQUEST, self.ear)
            opening.cancel()
            self.failureResultOf(opening, CancelledError)
            self.line.advance()
        self.assertEqual((self.ear.messages, self.ear.ends), ([], []))

    def test_no_url(self) -> None:
        """What is no URL of a WebSocket is refused, and not raised."""
        for url in ("https://service.example/", "nonsense"):
            opening = self.line.dial(SocketRequest(url=url), self.ear)
            self.failureResultOf(opening, SocketRefused)
