"""Tests for :mod:`twistedvoice.doors`, with real sockets."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.protocol import Factory
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from tests.house import settings
from twistedvoice import doors
from twistedvoice.config import Config
from twistedvoice.doors import CannotListen, Doors, InheritedDoors
from twistedvoice.ports import open_local

__all__ = ["DoorsTests", "InheritedDoorsTests"]

reactor: Any = global_reactor


def anywhere(**options: Any) -> Config:
    """:returns: settings to listen on ports that are free."""
    free = "tcp:0:interface=127.0.0.1"
    usual: dict[str, Any] = {"listen": free, "admin_listen": free}
    return settings(**(usual | options))


class DoorsTestCase(TestCase):
    """Doors, and what they say of themselves."""

    def announced(self, opened: Doors) -> dict[str, Any]:
        """:returns: the event that tells of them."""
        with capturedLogs() as events:
            opened.announce()
        (event,) = events
        return event

    def open(self, opened: Doors) -> Doors:
        """:returns: the same, open until the end of the test."""
        opened.open(Factory(), Factory())
        self.addCleanup(opened.close)
        return opened

    def port(self, event: dict[str, Any], which: str) -> int:
        """:returns: the port in an event."""
        return int(event[which].rpartition(":")[2])


class DoorsTests(DoorsTestCase):
    """A process that listens for itself."""

    async def test_open(self) -> None:
        """Both ports are open until they are closed."""
        opened = self.open(Doors(reactor, anywhere()))
        event = self.announced(opened)
        ports = [self.port(event, which) for which in ("public", "admin")]
        for port in ports:
            socket.create_connection(("127.0.0.1", port)).close()
        await opened.close()
        for port in ports:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
        await opened.close()

    async def test_share(self) -> None:
        """Two that share the public port both have it; one that does not has not."""
        one = self.open(Doors(reactor, anywhere(share_port=1)))
        port = self.port(self.announced(one), "public")
        same = f"tcp:{port}:interface=127.0.0.1"
        self.open(Doors(reactor, anywhere(listen=same, share_port=1)))
        stranger = Doors(reactor, anywhere(listen=same))
        error = self.assertRaises(CannotListen, self.open, stranger)
        self.assertIn("Address already in use", str(error.code))

    async def test_leave(self) -> None:
        """The public port is left, the admin port stays."""
        opened = self.open(Doors(reactor, anywhere(share_port=1)))
        event = self.announced(opened)
        opened.leave()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port(event, "public")))
        admin = self.port(event, "admin")
        socket.create_connection(("127.0.0.1", admin)).close()
        opened.leave()


class InheritedDoorsTests(DoorsTestCase):
    """A worker, whose parent listened."""

    async def test_inherited(self) -> None:
        """It listens where its parent did, whatever its settings say of ports."""
        public, admin = open_local(), open_local()
        ports = [each.getsockname()[1] for each in (public, admin)]
        self.patch(doors, "INHERITED_PUBLIC", os.dup(public.fileno()))
        self.patch(doors, "INHERITED_ADMIN", os.dup(admin.fileno()))
        opened = self.open(
            InheritedDoors(reactor, anywhere(listen="tcp:1:interface=127.0.0.1"))
        )
        public.close()
        admin.close()
        for port in ports:
            socket.create_connection(("127.0.0.1", port)).close()
        self.assertEqual(self.announced(opened)["node"], "n-1")
