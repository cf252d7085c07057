"""Tests for :mod:`twistedvoice.ports`, with real sockets."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from twistedvoice.ports import (
    adopt,
    leave,
    listen,
    listen_shared,
    open_for_heirs,
    open_local,
    stop_listening,
)

__all__ = ["HeirTests", "LeaveTests", "SharedTests"]

reactor: Any = global_reactor


class Guests(Factory):
    """Counts who comes in."""

    noisy = False

    def __init__(self) -> None:
        self.came = 0

    def buildProtocol(self, addr: object) -> Protocol | None:
        """:returns: nothing, which closes the connection."""
        self.came += 1
        return None


def tcp(port: int) -> str:
    """:returns: an endpoint on loopback."""
    return f"tcp:{port}:interface=127.0.0.1"


def number(port: Any) -> int:
    """:returns: the port's number."""
    found: int = port.getHost().port
    return found


class PortsTestCase(TestCase):
    """Ports and sockets that are closed at the end."""

    async def shared(self, port: int = 0, factory: Factory | None = None) -> Any:
        """:returns: a shared port."""
        opened = await listen_shared(reactor, tcp(port), factory or Guests())
        self.addCleanup(stop_listening, opened)
        return opened

    async def heirs(self, port: int, *, alone: bool) -> list[socket.socket]:
        """:returns: two sockets for heirs."""
        sockets = await open_for_heirs(reactor, tcp(port), 2, alone=alone)
        for each in sockets:
            self.addCleanup(each.close)
        return sockets

    def connect(self, port: int) -> socket.socket:
        """:returns: a connection, which the kernel has queued."""
        connection = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(connection.close)
        return connection


class SharedTests(PortsTestCase):
    """Several processes on one port."""

    async def test_shared(self) -> None:
        """Who shares a port may have it, and nobody else."""
        one = await self.shared()
        other = await self.shared(number(one))
        self.assertEqual(number(one), number(other))
        await self.assertFailure(
            listen(reactor, tcp(number(one)), Guests()), CannotListenError
        )

    async def test_taken(self) -> None:
        """A port whose owner does not share it is in use."""
        owner = await listen(reactor, tcp(0), Guests())
        self.addCleanup(stop_listening, owner)
        await self.assertFailure(
            listen_shared(reactor, tcp(number(owner)), Guests()), OSError
        )


class HeirTests(PortsTestCase):
    """What a parent opens, and its children listen on."""

    async def test_sockets(self) -> None:
        """Each heir has a socket of its own, on the same port, not blocking."""
        one, other = await self.heirs(0, alone=True)
        self.assertEqual(one.getsockname(), other.getsockname())
        self.assertNotEqual(one.fileno(), other.fileno())
        self.assertFalse(one.getblocking() or other.getblocking())

    async def test_alone(self) -> None:
        """Who wants a port alone does not get one that is shared."""
        shared = await self.shared()
        await self.assertFailure(
            open_for_heirs(reactor, tcp(number(shared)), 2, alone=True), OSError
        )
        sockets = await self.heirs(number(shared), alone=False)
        self.assertEqual(sockets[0].getsockname()[1], number(shared))

    async def test_adopted(self) -> None:
        """The port of an heir stays open after the parent has closed its own."""
        guests = Guests()
        sockets = await self.heirs(0, alone=True)
        port = await adopt(reactor, tcp(0), guests, sockets[0].dup())
        self.addCleanup(stop_listening, port)
        for each in sockets:
            each.close()
        self.connect(number(port))
        port.doRead()
        self.assertEqual(guests.came, 1)

    async def test_queue_outlives_the_heir(self) -> None:
        """Who waits while an heir dies is taken by the next one."""
        guests = Guests()
        one, other = await self.heirs(0, alone=True)
        other.close()
        dead = await adopt(reactor, tcp(0), Guests(), one.dup())
        await stop_listening(dead)
        self.connect(one.getsockname()[1])
        port = await adopt(reactor, tcp(0), guests, one.dup())
        self.addCleanup(stop_listening, port)
        port.doRead()
        self.assertEqual(guests.came, 1)

    async def test_local(self) -> None:
        """An admin port is on loopback, and not shared."""
        opened = open_local()
        self.addCleanup(opened.close)
        host, port = opened.getsockname()
        self.assertEqual(host, "127.0.0.1")
        await self.assertFailure(listen_shared(reactor, tcp(port), Guests()), OSError)


class LeaveTests(PortsTestCase):
    """Leaving a port to others."""

    async def test_nobody_is_lost(self) -> None:
        """Who waits when a port is left has come in."""
        guests = Guests()
        port = await listen_shared(reactor, tcp(0), guests)
        left = number(port)
        waiting = [self.connect(number(port)) for _ in range(20)]
        leave(port)
        self.assertEqual(guests.came, len(waiting))
        self.assertRaises(ConnectionRefusedError, self.connect, left)
