# -*- test-case-name: tests.web.test_send -*-
"""The short way to the kernel, held to the long one."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.web.send import DirectSend, sender


class _Kernel:
    """A socket that takes what it is told to, and the reactor that asks it to."""

    def __init__(self, takes: list[int]) -> None:
        self.takes = takes
        self.taken = b""
        self.asked = False

    def send(self, wire: bytes) -> int:
        """:raises BlockingIOError: when it has no room."""
        room = self.takes.pop(0) if self.takes else len(wire)
        if room == 0:
            raise BlockingIOError(errno.EAGAIN, "")
        if room < 0:
            raise ConnectionResetError(errno.ECONNRESET, "")
        self.taken += bytes(wire[:room])
        return min(room, len(wire))

    def setblocking(self, flag: bool) -> None:
        """As a socket."""

    def fileno(self) -> int:
        """As a socket."""
        return -1

    def addWriter(self, writer: object) -> None:
        """As a reactor."""
        self.asked = True

    def removeWriter(self, writer: object) -> None:
        """As a reactor."""
        self.asked = False


def connection(kernel: _Kernel) -> Connection:
    """:returns: Twisted's end of a connection to ``kernel``."""
    made = Connection(cast(Any, kernel), cast(Any, None), cast(Any, kernel))
    made.connected = True
    return made


class DirectSendTests(SynchronousTestCase):
    """The same bytes in the same order, whatever the kernel takes."""

    def setUp(self) -> None:
        self.kernel = _Kernel([])
        self.transport = connection(self.kernel)
        self.direct = DirectSend(self.transport)

    def test_at_once(self) -> None:
        """What the kernel takes never reaches the reactor."""
        self.direct.write(b"frame")
        self.assertEqual((self.kernel.taken, self.kernel.asked), (b"frame", False))

    def test_rest(self) -> None:
        """What it does not take is sent in the reactor's turn, and all that follows."""
        self.kernel.takes = [2]
        self.direct.write(b"frame")
        self.direct.write(b" more")
        self.assertEqual((self.kernel.taken, self.kernel.asked), (b"fr", True))
        self.transport.doWrite()
        self.assertEqual(self.kernel.taken, b"frame more")
        self.direct.write(b", again at once")
        self.assertEqual(self.kernel.taken, b"frame more, again at once")
        self.assertFalse(self.kernel.asked)

    def test_behind_what_others_write(self) -> None:
        """A frame does not overtake what was written on the transport itself."""
        self.transport.write(b"ping ")
        self.direct.write(b"frame")
        self.assertEqual(self.kernel.taken, b"")
        self.transport.doWrite()
        self.assertEqual(self.kernel.taken, b"ping frame")

    def test_half_sent(self) -> None:
        """Nor what Twisted has begun to send."""
        self.transport.write(b"ping ")
        self.kernel.takes = [3]
        self.transport.doWrite()
        self.direct.write(b"frame")
        self.transport.doWrite()
        self.assertEqual(self.kernel.taken, b"ping frame")

    def test_broken(self) -> None:
        """An error of the socket is found by Twisted, in its own way."""
        self.kernel.takes = [-1, -1]
        self.direct.write(b"frame")
        self.assertIsInstance(self.transport.doWrite(), Exception)
        self.assertEqual(self.kernel.taken, b"")

    def test_after_the_end(self) -> None:
        """Nothing is kept for a connection that is gone."""
        self.transport.connected = False
        self.kernel.takes = [-1]
        self.direct.write(b"frame")
        self.assertEqual(self.transport._tempDataBuffer, [])

    @given(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from(["frame", "ping"]), st.binary(min_size=1)),
                st.just(("turn", b"")),
            )
        ),
        st.lists(st.integers(0, 12)),
    )
    def test_any_order(self, deeds: list[tuple[str, bytes]], takes: list[int]) -> None:
        """Whoever writes what and whatever is taken, nothing changes places."""
        kernel = _Kernel(list(takes))
        transport = connection(kernel)
        ways: dict[str, Callable[[bytes], object]] = {
            "frame": DirectSend(transport).write,
            "ping": transport.write,
            "turn": lambda _: kernel.asked and transport.doWrite(),
        }
        for kind, wire in deeds:
            ways[kind](wire)
        while kernel.asked:
            transport.doWrite()
        self.assertEqual(kernel.taken, b"".join(wire for _, wire in deeds))


class SenderTests(SynchronousTestCase):
    """Which transports are written to directly."""

    def made(self) -> Connection:
        """:returns: a connection on a real socket."""
        near, far = socket.socketpair()
        self.addCleanup(far.close)
        self.addCleanup(near.close)
        return Connection(near, cast(Any, None), cast(Any, _Kernel([])))

    def test_plain_socket(self) -> None:
        """A plain socket is."""
        transport = self.made()
        self.assertIsInstance(sender(transport).__self__, DirectSend)  # type: ignore[attr-defined]

    def test_encrypted(self) -> None:
        """A socket with TLS on it is not: the bytes would leave in the clear."""
        transport = self.made()
        transport.TLS = True
        self.assertEqual(sender(transport), transport.write)

    def test_anything_else(self) -> None:
        """Nor is what is no socket."""
        transport = StringTransport()
        sender(transport)(b"frame")
        self.assertEqual(transport.value(), b"frame")
