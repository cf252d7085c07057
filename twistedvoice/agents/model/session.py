# -*- test-case-name: tests.agents.openai.test_agent -*-
"""One session with an API: dialled, set up, in use, over.

It is opened before or after its call has come, and keeps what happens until somebody
listens. It knows time-outs, and not what is said. One that is over stays over; whoever
used it opens another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import DialectError, SocketRefused
from ...events import Message
from ...sockets import Dialer, Socket
from .api import Api, Setup
from .events import Event, Refused, SessionSet

__all__ = ["Listener", "Session"]

_log = Logger()

#: From the first attempt until the session is as we asked.
_SETUP_SECONDS = 8.0
#: What the caller says meanwhile, in pieces of two frames: five seconds.
_MOST_UNHEARD = 125
#: A peer that says so much that cannot be read is none.
_MOST_MALFORMED = 10


class Listener(Protocol):
    """Who is told what happens in a session."""

    def session_ready(self, session: Session) -> None:
        """It is as we asked, and what it was to be told first was sent."""

    def session_told(self, session: Session, event: Event) -> None:
        """The API said something."""

    def session_over(self, session: Session, reason: str, *, hopeless: bool) -> None:
        """
        It ended, and not by us.

        :param reason: a word or two for the log.
        :param hopeless: another one would end in the same way.
        """


class Session:
    """A session from its first attempt on; ``state`` is one of the words above."""

    def __init__(
        self, clock: IReactorTime, dial: Dialer, api: Api, setup: Setup
    ) -> None:
        """Begin to open it."""
        self.state = "Dialling"
        #: Whether it was ever as we asked.
        self.was_ready = False
        self._api = api
        self._read = api.reader()
        self._setup = setup
        self._socket: Socket | None = None
        self._listener: Listener | None = None
        self._early: list[Callable[[Listener], None]] = []
        self._unheard: deque[bytes] = deque(maxlen=_MOST_UNHEARD)
        self._malformed = 0
        self._patience = clock.callLater(
            _SETUP_SECONDS, self._end, "not set up in time"
        )
        self._opening: Deferred[Socket] = dial(setup.request, self)
        self._opening.addCallbacks(self._opened, self._refused)

    # -- for whoever uses it -----------------------------------------------------------

    def attach(self, listener: Listener) -> None:
        """Tell ``listener`` all that happened so far, and what happens from now on."""
        self._listener = listener
        early, self._early = self._early, []
        for tell in early:
            tell(listener)

    def send(self, message: Message) -> None:
        """Tell the API something; it goes nowhere before it is ready or when over."""
        if self.state == "Ready" and self._socket is not None:
            self._socket.send(message)

    def hear(self, sound: bytes) -> None:
        """Pass the caller's sound on, or keep it until the session is ready."""
        if self.state == "Ready":
            self.send(self._api.hear(sound))
        elif self.state != "Over":
            self._unheard.append(sound)

    def close(self) -> None:
        """It is not needed any more; idempotent, and nobody is told."""
        if self.state == "Over":
            return
        self.state = "Over"
        self._listener = None
        self._early.clear()
        if self._patience.active():
            self._patience.cancel()
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()
        else:
            self._opening.cancel()

    # -- from the socket ---------------------------------------------------------------

    def received(self, message: Message) -> None:
        """The API said something."""
        try:
            events = self._read(message)
        except DialectError as error:
            self._malformed += 1
            _log.warn("{error}", error=str(error))
            if self._malformed > _MOST_MALFORMED:
                self._end("malformed")
            return
        for event in events:
            self._happened(event)

    def lost(self, code: int, reason: str) -> None:
        """The socket is gone."""
        self._socket = None
        unusable = not self.was_ready and code in self._api.hopeless_codes
        self._end(f"socket closed with {code}", hopeless=unusable)

    # -- within ------------------------------------------------------------------------

    def _opened(self, socket: Socket) -> None:
        self.state = "Settling"
        self._socket = socket
        socket.send(self._setup.wish)

    def _refused(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, SocketRefused):
            self._end(str(error), hopeless=not error.retryable)
        elif not isinstance(error, CancelledError):
            _log.failure("while a session was opened", failure)
            self._end("failed")

    def _happened(self, event: Event) -> None:
        if self.state == "Ready":
            self._tell(lambda listener: listener.session_told(self, event))
        elif self.state == "Settling" and isinstance(event, SessionSet):
            self._ready()
        elif self.state == "Settling" and isinstance(event, Refused):
            reason = f"set-up refused: {event.code} {event.param}".strip()
            self._end(reason, hopeless=event.hopeless)

    def _ready(self) -> None:
        self.state, self.was_ready = "Ready", True
        self._patience.cancel()
        for message in self._setup.first:
            self.send(message)
        if self._unheard:
            self.send(self._api.hear(b"".join(self._unheard)))
            self._unheard.clear()
        self._tell(lambda listener: listener.session_ready(self))

    def _end(self, reason: str, *, hopeless: bool = False) -> None:
        if self.state == "Over":
            return
        listener, early = self._listener, self._early
        # One that goes on from another may do when it begins anew.
        hopeless = hopeless and not self._setup.resumes
        self.close()

        def tell(listener: Listener) -> None:
            listener.session_over(self, reason, hopeless=hopeless)

        if listener is not None:
            tell(listener)
        else:
            self._early = [*early, tell]

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        if self._listener is not None:
            tell(self._listener)
        else:
            self._early.append(tell)
