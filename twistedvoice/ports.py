# -*- test-case-name: tests.test_ports -*-
"""How a process comes to listen: by an endpoint, on a shared port, or as an heir.

A shared port is one that other processes listen on too (``SO_REUSEPORT``): the kernel
spreads connections over all of them. An heir listens on a socket that its parent
opened. An endpoint keeps its meaning in each case, TLS included; what differs is only
where its socket comes from. :mod:`.doors` says which way is taken.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory

from .kinds import is_tcp

__all__ = [
    "adopt",
    "leave",
    "listen",
    "listen_shared",
    "open_for_heirs",
    "open_local",
    "stop_listening",
]

#: Takes factory, port, backlog and interface, as ``listenTCP`` does.
_Listen = Callable[[Any, int, int, str], Any]


def listen(reactor: Any, description: str, factory: Any) -> Deferred[Any]:
    """:returns: fires with a port as the endpoint itself opens it."""
    return maybeDeferred(lambda: serverFromString(reactor, description).listen(factory))


def listen_shared(reactor: Any, description: str, factory: Any) -> Deferred[Any]:
    """
    :param description: a TCP endpoint.
    :returns: fires with a port that others may listen on too, if they do the same.
    """

    def shared(factory: Any, port: int, backlog: int, interface: str) -> Any:
        opened = _open_shared(interface, port, backlog)
        return _adopted(reactor, opened, factory)

    return listen(_Tcp(shared), description, factory)


def adopt(
    reactor: Any, description: str, factory: Any, inherited: socket.socket
) -> Deferred[Any]:
    """
    :param inherited: a socket that listens where ``description`` says; it is closed,
        the port has a descriptor of its own.
    :returns: fires with the port.
    """
    if not is_tcp(description):
        return maybeDeferred(_adopted, reactor, inherited, factory)
    return listen(
        _Tcp(lambda factory, *where: _adopted(reactor, inherited, factory)),
        description,
        factory,
    )


def open_for_heirs(
    reactor: Any, description: str, count: int, *, alone: bool
) -> Deferred[list[socket.socket]]:
    """
    Open what ``count`` processes will listen on, one socket for each.

    On TCP these are sockets of their own on one shared port; any other endpoint has
    only one queue of connections, which all of them take from.

    :param alone: a port that some process shares already is in use.
    """
    sockets: list[socket.socket] = []

    def open_all(factory: Any, port: int, backlog: int, interface: str) -> None:
        if alone and port:
            _bound(interface, port).close()
        while len(sockets) < count:
            sockets.append(_open_shared(interface, port, backlog))
            port = sockets[0].getsockname()[1]

    def share(port: Any) -> None:
        sockets.extend(
            socket.fromfd(port.fileno(), port.addressFamily, port.socketType)
            for _ in range(count)
        )
        for each in sockets:  # or a worker waits for a connection that another took
            each.setblocking(False)
        # It was never to take a connection itself.
        port.stopReading()
        port.stopListening()

    nobody = Factory()
    nobody.noisy = False
    if is_tcp(description):
        opened = listen(_Tcp(open_all), description, nobody)
    else:
        opened = listen(reactor, description, nobody).addCallback(share)
    return opened.addCallback(lambda _: sockets)


def open_local() -> socket.socket:
    """:returns: a socket that listens on a free port of the loopback interface."""
    opened = _bound("127.0.0.1", 0)
    opened.listen(50)
    return opened


def leave(port: Any) -> None:
    """
    Take the connections that wait for this port, then close it.

    The kernel resets what waits for a socket that is closed, even where others listen
    on the same port.
    """
    port.stopReading()
    waiting = select.poll()
    waiting.register(port.fileno(), select.POLLIN)
    while waiting.poll(0):
        port.doRead()
    # stopListening would do this a turn of the reactor later, and others would wait.
    port.connectionLost(connectionDone)


def stop_listening(port: IListeningPort) -> Deferred[None]:
    """:returns: fires when the port is closed."""
    stopped = port.stopListening()
    return stopped if isinstance(stopped, Deferred) else succeed(None)


@frozen
class _Tcp:
    """Stands in for the reactor where a TCP endpoint asks it for a port."""

    _listen: _Listen

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> Any:
        return self._listen(factory, port, backlog, interface)

    def listenSSL(
        self,
        port: int,
        factory: Any,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
    ) -> Any:
        encrypted = TLSMemoryBIOFactory(contextFactory, False, factory)
        return self._listen(encrypted, port, backlog, interface)


def _adopted(reactor: Any, opened: socket.socket, factory: Any) -> Any:
    with opened:
        return reactor.adoptStreamPort(opened.fileno(), opened.family, factory)


def _open_shared(interface: str, port: int, backlog: int) -> socket.socket:
    opened = _bound(interface, port, socket.SO_REUSEPORT)
    opened.listen(backlog)
    return opened


def _bound(interface: str, port: int, *options: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.bind((interface, port))
    except OSError:
        made.close()
        raise
    return made
