# -*- test-case-name: tests.test_parent tests.test_ports -*-
"""The sockets that a parent opens for its workers, and keeps while they come and go.

Each worker has one for carriers and one for its admin port. What waits in a socket
waits for the worker's successor when the worker dies.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from .config import Config
from .doors import INHERITED_ADMIN, INHERITED_PUBLIC, opened
from .ports import open_for_heirs, open_local

__all__ = ["Estate"]


class Estate:
    """Two sockets for each worker."""

    def __init__(self, reactor: Any, config: Config) -> None:
        """:raises CannotListen: when the public endpoint cannot be used."""
        opening = open_for_heirs(
            reactor, config.listen, config.workers, alone=not config.share_port
        )
        self._public: list[socket.socket] = opened("listen", config.listen, opening)
        self._admin = [open_local() for _ in self._public]
        host, port = self._public[0].getsockname()[:2]
        #: Where carriers reach all workers, for people.
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def __len__(self) -> int:
        return len(self._admin)

    def descriptors(self, number: int) -> Mapping[int, int]:
        """:returns: those of one worker, by the number that each will have there."""
        return {
            INHERITED_PUBLIC: self._public[number].fileno(),
            INHERITED_ADMIN: self._admin[number].fileno(),
        }

    def admin_port(self, number: int) -> int:
        """:returns: the port of a worker's admin site, on loopback."""
        port: int = self._admin[number].getsockname()[1]
        return port

    def leave_public(self) -> None:
        """Let what a worker closes be closed: it has a descriptor of its own."""
        _close(self._public)

    def close(self) -> None:
        """Close all; idempotent."""
        _close(self._public)
        _close(self._admin)


def _close(sockets: list[socket.socket]) -> None:
    for each in sockets:
        each.close()
    sockets.clear()
