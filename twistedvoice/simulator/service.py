# -*- test-case-name: tests.simulator.test_service -*-
"""A service of our own as a child process, for as long as the demo needs it.

It is the real service, started as an operator starts it, by the same interpreter and
from the same files as this process. What it logs is kept for the case that it fails.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent, ResponseFailed, readBody

from ..errors import SimulationError
from .line import CONNECT_ERRORS

__all__ = [
    "DRAIN_SECONDS",
    "START_SECONDS",
    "ServiceProcess",
    "child_environ",
    "free_port",
    "is_up",
    "start_service",
]

#: How long a service may take to start, and to stop once no call is left.
START_SECONDS = 20.0
DRAIN_SECONDS = 10.0
_ASK_EVERY_SECONDS = 0.1
_LINES_KEPT = 5000
#: That much of its log says why it failed.
_LINES_SHOWN = 15
#: What would make a child take our settings, or our place with systemd, for its own.
_OURS = ("TWISTEDVOICE_", "LISTEN_", "NOTIFY_", "WATCHDOG_", "CREDENTIALS_", "STATE_")


class ServiceProcess(ProcessProtocol):
    """The child."""

    def __init__(self) -> None:
        #: None while it runs; negative when a signal ended it.
        self.exit_code: int | None = None
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._unfinished = b""
        self._waiting: list[Deferred[None]] = []

    async def stop(self, reactor: Any) -> int:
        """
        Ask it to finish; kill it when that takes too long.

        :returns: its exit code; 0 only after a clean drain.
        """
        self._signal("TERM")
        last_resort = reactor.callLater(DRAIN_SECONDS, self._signal, "KILL")
        try:
            await self.ended()
        finally:
            if last_resort.active():
                last_resort.cancel()
        assert self.exit_code is not None
        return self.exit_code

    def ended(self) -> Deferred[None]:
        """:returns: fires once the child is gone."""
        if self.exit_code is not None:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def last_lines(self) -> str:
        """:returns: the end of what it logged."""
        return "\n".join(self.lines()[-_LINES_SHOWN:]).strip()

    def lines(self) -> list[str]:
        """:returns: what it logged, in as far as that was kept."""
        return [*self._lines, self._unfinished.decode("utf-8", "replace")]

    def outReceived(self, data: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        self._lines.extend(line.decode("utf-8", "replace") for line in lines)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        status: Any = reason.value
        self.exit_code = -status.signal if status.signal else status.exitCode
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    def _signal(self, name: str) -> None:
        assert self.transport is not None
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(name)


async def start_service(
    reactor: Any,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    ask: Callable[[], Awaitable[bool]],
) -> ServiceProcess:
    """
    Start a service and wait until it is up.

    :param arguments: what follows ``twistedvoice serve``.
    :param ask: asks the service whether it is up.
    :raises SimulationError: when it ends instead, or takes too long; with the last
        lines of its log.
    """
    service = ServiceProcess()
    # -P: not a twistedvoice that happens to lie in the current directory.
    command = [sys.executable, "-P", "-m", "twistedvoice", "serve", *arguments]
    reactor.spawnProcess(service, command[0], command, env=dict(environ))
    try:
        await _until_up(reactor, service, ask)
    except BaseException:
        await service.stop(reactor)
        raise
    return service


async def _until_up(
    reactor: Any, service: ServiceProcess, ask: Callable[[], Awaitable[bool]]
) -> None:
    deadline = reactor.seconds() + START_SECONDS
    while not await ask():
        if service.exit_code is not None:
            raise _failed(service, f"the service ended with {service.exit_code}")
        if reactor.seconds() >= deadline:
            raise _failed(service, f"the service was not up in {START_SECONDS:.0f} s")
        await deferLater(reactor, _ASK_EVERY_SECONDS)


def _failed(service: ServiceProcess, what: str) -> SimulationError:
    return SimulationError(f"{what}; its log ends with:\n{service.last_lines()}")


async def is_up(reactor: Any, url: str) -> bool:
    """:returns: whether ``url`` answers that all is well."""
    try:
        return await _or_given_up(Deferred.fromCoroutine(_answers(reactor, url)))
    except (*CONNECT_ERRORS, ResponseFailed):
        return False


async def _answers(reactor: Any, url: str) -> bool:
    response = await Agent(reactor, connectTimeout=1).request(b"GET", url.encode())
    await readBody(response)
    return bool(response.code == 200)


def _or_given_up(asking: Deferred[bool]) -> Deferred[bool]:
    """
    Tell who gives up just that: a connection attempt that is cancelled fails as one
    that was refused, and asking would go on.
    """

    def give_up(answer: Deferred[bool]) -> None:
        answer.errback(CancelledError())
        asking.cancel()

    def pass_on(result: Any) -> None:
        if not answer.called:
            answer.callback(result)

    answer: Deferred[bool] = Deferred(give_up)
    asking.addBoth(pass_on)
    return answer


def child_environ(ours: Mapping[str, str], token: str) -> dict[str, str]:
    """
    :param ours: the environment of this process.
    :param token: the auth token that the child will check signatures with.
    :returns: an environment without settings, in which the child finds this package.
    """
    environ = {name: ours[name] for name in ours if not name.startswith(_OURS)}
    path = [str(Path(__file__).parents[2]), ours.get("PYTHONPATH", "")]
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    environ["TWISTEDVOICE_AUTH_TOKEN"] = token
    return environ


def free_port() -> int:
    """:returns: a port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
