# -*- test-case-name: tests.web.test_dial tests.doubles.test_network -*-
"""WebSockets to other services, as a seam.

Whoever needs one gets a :data:`Dialer`: :mod:`twistedvoice.web.dial` opens real ones,
:mod:`twistedvoice.doubles.network` has them in memory. One contract is run on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

from .events import Message

__all__ = ["Dialer", "Socket", "SocketReceiver", "SocketRequest"]


@frozen(kw_only=True)
class SocketRequest:
    """A WebSocket to another service, as a value."""

    #: ``wss:``, or ``ws:`` for a double. A key may stand in its query: it is not shown.
    url: str = field(repr=lambda url: repr(url.partition("?")[0]))
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    #: How long it may take until the socket is open.
    timeout_seconds: float = 5.0
    #: A socket on which nothing comes for so long, though it is pinged, is dead.
    silence_seconds: float = 20.0


class Socket(Protocol):
    """Our end of an open WebSocket. It never blocks and never calls back."""

    def send(self, message: Message) -> None:
        """Send one message; once the socket is closed or lost it goes nowhere."""

    def close(self) -> None:
        """Close it, politely and in bounded time; idempotent. Nothing comes after."""


class SocketReceiver(Protocol):
    """Who is told what comes in on a :class:`Socket`."""

    def received(self, message: Message) -> None:
        """One whole message came; never before the dialer's Deferred has fired."""

    def lost(self, code: int, reason: str) -> None:
        """
        The socket is gone, and not by our :meth:`Socket.close`; told once.

        :param code: of RFC 6455; 1006 where the peer did not close it.
        :param reason: in the peer's own words: not for a log.
        """


#: Opens a WebSocket. The Deferred fails with
#: :class:`~twistedvoice.errors.SocketRefused`, and can be cancelled.
Dialer = Callable[[SocketRequest, SocketReceiver], Deferred[Socket]]
