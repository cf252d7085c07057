# -*- test-case-name: tests.test_crew -*-
"""The worker processes, as their parent sees them.

Twisted's process monitor starts, ends and restarts them; this knows what each has said
of itself, kills one that fell silent, and tells when all are gone. What a worker gets
is here too: its descriptors, and the pipe by which it learns that its parent died.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.runner.procmon import ProcessMonitor
from zope.interface import implementer

__all__ = [
    "LEASH",
    "REPORTS",
    "SILENT_SECONDS",
    "STARTING_SECONDS",
    "Crew",
    "Worker",
]

#: A worker's standard input: nothing comes, and its end is the end of its parent.
LEASH = 0
#: Where a worker says what else systemd would be told.
REPORTS = 5
#: A worker that was ready and says nothing for this long hangs.
SILENT_SECONDS = 20.0
#: So does one that is not ready so long after its start.
STARTING_SECONDS = 90.0
_LOOK_SECONDS = 1.0
#: Nobody waits longer for the next try of a worker that cannot start.
_MOST_DELAY_SECONDS = 15

_log = Logger()


@define(kw_only=True, eq=False)
class Worker:
    """One worker: what it is started with, and how it is."""

    name: str
    command: Sequence[str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    #: Its descriptors that the parent opened, by the number that they have there.
    descriptors: Mapping[int, int]
    #: Where its parent finds its admin port.
    admin_port: int
    transport: Any = field(default=None, init=False, repr=False)
    is_ready: bool = field(default=False, init=False)
    #: How often it was started.
    starts: int = field(default=0, init=False)
    #: When it must have said something; None when nothing is awaited of it.
    due_at: float | None = field(default=None, init=False)

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self.transport is not None

    def signal(self, name: str) -> None:
        """Send it a signal, if it is there."""
        if self.transport is not None:
            with suppress(ProcessExitedAlready):  # its end will be told
                self.transport.signalProcess(name)


class Crew:
    """All workers."""

    def __init__(
        self,
        reactor: Any,
        workers: Sequence[Worker],
        *,
        kill_seconds: float,
        ready: Callable[[Worker], object],
        ended: Callable[[Worker], object],
    ) -> None:
        """
        :param kill_seconds: a worker that was asked to end is killed after this.
        :param ready: told each time a worker says that it is ready.
        :param ended: told each time one has ended; it is about to start again, unless
            the crew is stopping.
        """
        self._reactor = reactor
        self._workers = {worker.name: worker for worker in workers}
        self._ready = ready
        self._ended = ended
        self._gone: Deferred[None] | None = None
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self._monitor = ProcessMonitor(_Spawner(reactor, self))
        self._monitor.maxRestartDelay = _MOST_DELAY_SECONDS
        self.set_kill_seconds(kill_seconds)

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers.values())

    def __getitem__(self, name: str) -> Worker:
        return self._workers[name]

    def set_kill_seconds(self, seconds: float) -> None:
        """Kill a worker that takes longer than this to end."""
        self._monitor.killTime = math.ceil(seconds)

    def start(self) -> None:
        """Start all workers."""
        for worker in self:
            self._monitor.addProcess(
                worker.name, list(worker.command), env=dict(worker.environ)
            )
        self._monitor.startService()
        self._looking.start(_LOOK_SECONDS, now=False)

    def stop(self) -> Deferred[None]:
        """
        Ask all workers to end, and start none again.

        :returns: fires when none is left.
        """
        gone = self._gone = Deferred[None]()
        self._monitor.stopService()
        self._looking.stop()
        self._tell_gone()
        return gone

    def signal(self, name: str) -> None:
        """Send all workers a signal."""
        for worker in self:
            worker.signal(name)

    # from the processes

    def started(self, worker: Worker, transport: Any) -> None:
        """A process was started."""
        worker.transport = transport
        worker.starts += 1
        worker.due_at = self._reactor.seconds() + STARTING_SECONDS

    def heard(self, worker: Worker, line: str) -> None:
        """A worker said something, in the words of ``sd_notify``."""
        if line == "STOPPING=1":
            worker.is_ready, worker.due_at = False, None
            return
        if line == "READY=1":
            worker.is_ready = True
            self._ready(worker)
        if worker.is_ready:
            worker.due_at = self._reactor.seconds() + SILENT_SECONDS

    def ended(self, worker: Worker, reason: Failure) -> None:
        """A process has ended."""
        worker.transport = worker.due_at = None
        worker.is_ready = False
        if self._gone is None:
            status: Any = reason.value
            _log.error(
                "worker {worker} ended: {reason}", worker=worker.name, reason=status
            )
        self._ended(worker)
        self._tell_gone()

    def _tell_gone(self) -> None:
        gone = self._gone
        if gone is not None and not gone.called and not any(w.is_alive for w in self):
            gone.callback(None)

    def _look(self) -> None:
        now = self._reactor.seconds()
        for worker in self:
            if worker.due_at is not None and worker.due_at < now:
                _log.error("worker {worker} hangs; killed", worker=worker.name)
                worker.is_ready, worker.due_at = False, None
                worker.signal("KILL")


@implementer(IReactorProcess, IReactorTime)
class _Spawner:
    """Stands in for the reactor where the process monitor starts a process."""

    def __init__(self, reactor: Any, crew: Crew) -> None:
        self._reactor = reactor
        self._crew = crew

    def seconds(self) -> float:
        return float(self._reactor.seconds())

    def callLater(self, delay: float, *call: Any, **named: Any) -> IDelayedCall:
        later: IDelayedCall = self._reactor.callLater(delay, *call, **named)
        return later

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        calls: Sequence[IDelayedCall] = self._reactor.getDelayedCalls()
        return calls

    def spawnProcess(
        self, processProtocol: Any, executable: Any, *args: Any, **named: Any
    ) -> Any:
        worker = self._crew[processProtocol.name]
        # Standard output and error are the parent's own: no log line waits for it.
        own: dict[int, int | str] = {LEASH: "w", 1: 1, 2: 2, REPORTS: "r"}
        return self._reactor.spawnProcess(
            _Child(self._crew, worker, processProtocol),
            executable,
            *args,
            **{**named, "childFDs": {**own, **worker.descriptors}},
        )


class _Child(ProcessProtocol):
    """The process of a worker; the monitor's own protocol is told what it expects."""

    def __init__(self, crew: Crew, worker: Worker, monitored: Any) -> None:
        self._crew = crew
        self._worker = worker
        self._monitored = monitored
        self._unfinished = b""

    def connectionMade(self) -> None:
        self._monitored.makeConnection(self.transport)
        self._crew.started(self._worker, self.transport)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            self._crew.heard(self._worker, line.decode("ascii", "replace"))

    def processEnded(self, reason: Failure) -> None:
        self._monitored.processEnded(reason)
        self._crew.ended(self._worker, reason)
