# -*- test-case-name: tests.test_doors -*-
"""The two ports of a process: the public one for carriers, the admin one.

:class:`Doors` are those of a process that listens for itself; :class:`InheritedDoors`
those of a worker, whose parent opened them.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure

from .config import Config
from .ports import adopt, leave, listen, listen_shared, stop_listening

__all__ = [
    "INHERITED_ADMIN",
    "INHERITED_PUBLIC",
    "CannotListen",
    "Doors",
    "InheritedDoors",
    "address",
    "opened",
]

#: Where a worker finds the sockets that its parent opened for it.
INHERITED_PUBLIC = 3
INHERITED_ADMIN = 4

_log = Logger()


class CannotListen(SystemExit, Exception):
    """
    Ends the process with one line for the operator.

    twistd prints a traceback of what is no ``SystemExit``, and a daemon tells only of
    an ``Exception`` to who started it.
    """


class Doors:
    """The ports of a process that listens for itself."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self._reactor = reactor
        self._config = config
        self._public: IListeningPort | None = None
        self._admin: IListeningPort | None = None

    def open(self, public_site: Any, admin_site: Any) -> None:
        """
        Listen.

        :raises CannotListen: when an endpoint cannot be used.
        """
        config = self._config
        self._public = opened("listen", config.listen, self._open_public(public_site))
        self._admin = opened(
            "admin_listen", config.admin_listen, self._open_admin(admin_site)
        )

    def announce(self) -> None:
        """Log that calls are taken from now on, and where."""
        assert self._public is not None and self._admin is not None
        _log.info(
            "taking calls on {public}; the admin port is {admin}",
            public=address(self._public),
            admin=address(self._admin),
        )

    def leave(self) -> None:
        """Leave the public port to others, with no connection lost; idempotent."""
        port, self._public = self._public, None
        if port is not None:
            leave(port)

    def close(self) -> Deferred[None]:
        """:returns: fires when both ports are closed; idempotent."""
        ports = [port for port in (self._public, self._admin) if port is not None]
        self._public = self._admin = None
        closed = gatherResults([stop_listening(port) for port in ports])
        return closed.addCallback(lambda _: None)

    def _open_public(self, site: Any) -> Deferred[Any]:
        way = listen_shared if self._config.share_port else listen
        return way(self._reactor, self._config.listen, site)

    def _open_admin(self, site: Any) -> Deferred[Any]:
        return listen(self._reactor, self._config.admin_listen, site)


class InheritedDoors(Doors):
    """The ports of a worker."""

    def announce(self) -> None:
        """Log that this worker takes calls; where, its parent says."""
        _log.info("worker {node} takes calls", node=self._config.node_id)

    def _open_public(self, site: Any) -> Deferred[Any]:
        inherited = socket.socket(fileno=INHERITED_PUBLIC)
        return adopt(self._reactor, self._config.listen, site, inherited)

    def _open_admin(self, site: Any) -> Deferred[Any]:
        inherited = socket.socket(fileno=INHERITED_ADMIN)
        return adopt(self._reactor, "tcp:0", site, inherited)


def opened(setting: str, description: str, opening: Deferred[Any]) -> Any:
    """
    :param setting: the key that the endpoint comes from, for who must give another one.
    :returns: what an endpoint opened at once, as all of ours do.
    :raises CannotListen: when it could not.
    """
    found: list[Any] = []
    problems: list[Failure] = []
    opening.addCallbacks(found.append, problems.append)
    for failure in problems:
        raise CannotListen(
            f"twistedvoice: {setting}: cannot listen on {description}:"
            f" {_reason(failure)}"
        )
    return found[0]


def address(port: Any) -> str:
    """:returns: where a port listens, for people."""
    host: Any = port.getHost()
    if isinstance(host, UNIXAddress):
        return str(host.name and os.fsdecode(host.name))
    return (
        f"[{host.host}]:{host.port}" if ":" in host.host else f"{host.host}:{host.port}"
    )


def _reason(failure: Failure) -> str:
    # Each kind of endpoint has errors of its own.
    problem = getattr(failure.value, "socketError", failure.value)
    return str(getattr(problem, "strerror", None) or problem)
