# -*- test-case-name: tests.agents.cascade.test_link -*-
"""One socket to a service for as long as a call lasts, opened again when it is lost.

It can be opened before its call is there: nobody is told then, and what went wrong is
told to whoever attaches. It knows nothing of what is sent. So many losses in a row, or
one refusal for good, and it is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import SocketRefused
from ...events import Message
from ...sockets import Dialer, Socket, SocketRequest

__all__ = ["Link", "LinkOwner", "Manners"]

_log = Logger()

_RETRY_SECONDS = 0.5
#: After so long a socket was a good one, whatever becomes of it.
_PROVEN_SECONDS = 30.0
#: What is sent while there is no socket: five seconds of sound.
_MOST_WAITING = 250


@frozen(kw_only=True)
class Manners:
    """How a service wants to be treated."""

    #: What it is called in the log.
    name: str
    #: What it is told when nothing else was said for so long, if anything.
    keep_alive: Message | None = None
    keep_alive_seconds: float = 5.0
    #: What it is told before the socket is closed, if anything.
    farewell: Message | None = None


class LinkOwner(Protocol):
    """Who uses a link."""

    def link_told(self, message: Message) -> None:
        """The service said something."""

    def link_gone(self) -> None:
        """The socket is lost; what is sent from now on goes over the next one."""

    def link_given_up(self) -> None:
        """There is no other one."""


class Link:
    """Implements ``sockets.SocketReceiver`` for socket after socket."""

    def __init__(
        self,
        clock: IReactorTime,
        dial: Dialer,
        request: SocketRequest,
        manners: Manners,
        reconnects: int,
    ) -> None:
        """
        Begin to open it.

        :param reconnects: how many sockets in a row may be lost.
        """
        self._clock = clock
        self._dial = dial
        self._request = request
        self._manners = manners
        self._reconnects = reconnects
        self._owner: LinkOwner | None = None
        self._contain: Callable[[Callable[[], object]], object] = lambda step: step()
        self._waiting: deque[Message] = deque(maxlen=_MOST_WAITING)
        self._socket: Socket | None = None
        self._opening: Deferred[Socket] | None = None
        self._opened_at = 0.0
        self._losses = 0
        #: What went wrong while there was no owner.
        self._trouble: tuple[str, bool] | None = None
        self._is_closed = False
        #: Opens the next socket, or keeps this one alive.
        self._timer: IDelayedCall | None = None
        self._is_idle = False
        self._open()

    def attach(
        self, owner: LinkOwner, contain: Callable[[Callable[[], object]], object]
    ) -> None:
        """
        Tell ``owner`` what happens from now on, and what went wrong before.

        :param contain: calls what it is given, whatever that raises.
        """
        if self._is_closed:
            return
        self._owner, self._contain = owner, contain
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            reason, hopeless = trouble
            self._lost(reason, hopeless=hopeless)

    def send(self, message: Message) -> None:
        """Send it now, or as soon as there is a socket; the newest are kept."""
        if self._socket is not None:
            self._is_idle = False
            self._socket.send(message)
        elif not self._is_closed:
            self._waiting.append(message)

    def works(self) -> None:
        """The service was of use."""
        self._losses = 0

    def lose(self, reason: str, *, hopeless: bool = False) -> None:
        """
        The socket is of no use.

        :param reason: a word or two for the log.
        :param hopeless: so would be any other.
        """
        if not self._is_closed:
            self._drop()
            self._lost(reason, hopeless=hopeless)

    def close(self) -> None:
        """It is not needed any more; idempotent, and nobody is told."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._socket is not None and self._manners.farewell is not None:
            self._socket.send(self._manners.farewell)
        self._drop()
        self._owner = None
        self._contain = lambda step: step()
        self._waiting.clear()

    # -- from the socket ---------------------------------------------------------------

    def received(self, message: Message) -> None:
        """The service said something."""
        if self._owner is not None:
            self._contain(partial(self._owner.link_told, message))

    def lost(self, code: int, reason: str) -> None:
        """The socket is gone."""
        self._socket = None
        self._stop_timer()
        if self._clock.seconds() - self._opened_at > _PROVEN_SECONDS:
            self._losses = 0
        self._lost(f"socket closed with {code}", hopeless=False)

    # -- within ------------------------------------------------------------------------

    def _open(self) -> None:
        self._timer = None
        self._opening = self._dial(self._request, self)
        self._opening.addCallbacks(self._opened, self._refused)

    def _opened(self, socket: Socket) -> None:
        self._socket = socket
        self._opened_at = self._clock.seconds()
        for message in self._waiting:
            socket.send(message)
        self._waiting.clear()
        if self._manners.keep_alive is not None:
            self._rest()

    def _refused(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, SocketRefused):
            self._lost(str(error), hopeless=not error.retryable)
        elif not isinstance(error, CancelledError):
            _log.failure("while a socket was opened", failure)
            self._lost("failed", hopeless=False)

    def _lost(self, reason: str, *, hopeless: bool) -> None:
        owner = self._owner
        if owner is None:
            self._trouble = (reason, hopeless)
            return
        name = self._manners.name
        _log.warn("the socket to {name} is gone: {reason}", name=name, reason=reason)
        self._losses += 1
        if hopeless or self._losses > self._reconnects:
            self._contain(owner.link_given_up)
            return
        wait = _RETRY_SECONDS * (self._losses - 1)
        self._timer = self._clock.callLater(wait, self._open)
        self._contain(owner.link_gone)

    def _rest(self) -> None:
        """Look again in a while whether anything was said."""
        self._is_idle = True
        self._timer = self._clock.callLater(
            self._manners.keep_alive_seconds, self._look
        )

    def _look(self) -> None:
        keep_alive = self._manners.keep_alive
        if self._is_idle and self._socket is not None and keep_alive is not None:
            self._socket.send(keep_alive)
        self._rest()

    def _drop(self) -> None:
        self._stop_timer()
        socket, self._socket = self._socket, None
        opening, self._opening = self._opening, None
        if socket is not None:
            socket.close()
        elif opening is not None:
            opening.cancel()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
