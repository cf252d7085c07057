# -*- test-case-name: tests.web.test_send -*-
"""The short way from a frame to the kernel: the one place that goes round Twisted.

Twisted puts what is written into a list, asks to be called when the socket can take it,
and sends it then: two system calls and a pass through the reactor more for each frame.
While that list is empty nothing has to wait its turn, and the socket may as well be
given the bytes at once.

The conditions: a plain socket of Twisted's own (no TLS, no pipe), and nothing in either
of its buffers, ``dataBuffer`` and ``_tempDataBuffer``. What the kernel does not take,
and whatever error it gives, is Twisted's again, with the same bytes in the same order.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.tcp import Connection

__all__ = ["DirectSend", "sender"]


class DirectSend:
    """Writes on one transport, at once when nothing waits before it."""

    __slots__ = ("_send", "_transport")

    def __init__(self, transport: Any) -> None:
        """:param transport: a ``Connection`` on a socket that does not block."""
        self._transport = transport
        self._send: Callable[[bytes], int] = transport.getHandle().send

    def write(self, wire: bytes) -> None:
        """Send what the kernel takes, and leave the rest to Twisted."""
        transport = self._transport
        if transport.dataBuffer or transport._tempDataBuffer:
            transport.write(wire)
            return
        try:
            sent = self._send(wire)
        except OSError:
            # Full, or broken: Twisted will meet the same, and knows what to do.
            sent = 0
        if sent < len(wire):
            transport.write(wire[sent:])


def sender(transport: Any) -> Callable[[bytes], None]:
    """:returns: the shortest way to write on ``transport``."""
    if (
        isinstance(transport, Connection)
        and not transport.TLS
        and isinstance(transport.getHandle(), socket.socket)
    ):
        return DirectSend(transport).write
    write: Callable[[bytes], None] = transport.write
    return write
