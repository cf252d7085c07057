"""Processes that do not run: a reactor to start them, and what they do, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.house import HouseReactor
from twistedvoice.crew import REPORTS

__all__ = ["Process", "ProcessReactor"]


@implementer(IProcessTransport)
class Process:
    """One process."""

    pid = 1

    def __init__(self, protocol: Any, started: Mapping[str, Any]) -> None:
        self.protocol = protocol
        #: What it was started with.
        self.started = started
        self.signals: list[str] = []
        self.is_running = True

    def signalProcess(self, signalID: Any) -> None:
        """Note it."""
        if not self.is_running:
            raise ProcessExitedAlready
        self.signals.append(signalID)

    def says(self, text: str) -> None:
        """Have it tell its parent something."""
        self.protocol.childDataReceived(REPORTS, text.encode())

    def ends(self, signal: int | None = None) -> None:
        """Have it end, by itself or by a signal."""
        self.is_running = False
        reason = ProcessTerminated(signal=signal) if signal else ProcessDone(0)
        self.protocol.processEnded(Failure(reason))

    def unused(self, *args: object) -> Any:
        """The rest of the interface."""

    closeChildFD = closeStderr = closeStdin = closeStdout = unused
    getHost = getPeer = loseConnection = write = writeSequence = unused
    writeToChild = unused


class ProcessReactor(HouseReactor):
    """A reactor that only notes what it is to start."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Process] = []

    def spawnProcess(
        self, protocol: Any, executable: str, *args: Any, **kw: Any
    ) -> Any:
        """:returns: a process that runs until told otherwise."""
        named = dict(zip(("args", "env", "path"), args, strict=False))
        process = Process(protocol, {"executable": executable, **named, **kw})
        self.processes.append(process)
        protocol.makeConnection(process)
        return process
