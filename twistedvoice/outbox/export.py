# -*- test-case-name: tests.outbox.test_export -*-
"""Performs ``export``: has a recording converted by a process of its own.

Converting computes for minutes, which no thread of a process with calls may do. The
process is niced, gets nothing of our environment but where modules are, and is killed
when it takes too long or nobody waits for it any more. What it does is
:mod:`twistedvoice.recording.convert`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ..errors import ErrandFailed, ErrandRefused
from ..interfaces import Errand
from .source import source_of

__all__ = ["Export"]

#: Four hours of Opus take five minutes of a core, and calls may leave little of it.
_MOST_SECONDS = 1800.0
#: How much of what the process says is kept; only its last line is used.
_KEPT_BYTES = 2000


class Export:
    """
    Exports recordings beside themselves, under their own name and another ending.

    :param reactor: starts the process, and times it.
    :param format: what to export to; also the ending.
    :param defer_to_thread: looks at files.
    """

    def __init__(
        self,
        reactor: Any,
        format: str,  # noqa: A002
        defer_to_thread: Callable[..., Deferred[Any]],
    ) -> None:
        self._reactor = reactor
        self._format = format
        self._defer_to_thread = defer_to_thread

    def perform(self, errand: Errand) -> Deferred[Mapping[str, object]]:
        """
        Implement :data:`~twistedvoice.interfaces.Performer`.

        :returns: fires with ``path``, ``format`` and ``bytes`` of the new file.
        """
        return Deferred.fromCoroutine(self._perform(errand))

    async def _perform(self, errand: Errand) -> Mapping[str, object]:
        source = await self._defer_to_thread(source_of, errand)
        target = source.with_suffix(f".{self._format}")
        await self._convert(source, target)
        size = await self._defer_to_thread(os.path.getsize, target)
        return {"path": str(target), "format": self._format, "bytes": size}

    def _convert(self, source: Path, target: Path) -> Deferred[None]:
        process = _Process()
        command = [
            *(sys.executable, "-P", "-m", "twistedvoice.recording.convert"),
            *(str(source), str(target)),
        ]
        # It finds the modules that we found.
        environ = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._reactor.spawnProcess(process, command[0], command, environ)
        return process.ended.addTimeout(_MOST_SECONDS, self._reactor, _took_too_long)


class _Process(ProcessProtocol):
    """The process; cancelling ``ended`` kills it."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred(lambda _: self._kill())
        self._said = b""

    def errReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[-_KEPT_BYTES:]

    def processEnded(self, reason: Failure) -> None:
        if self.ended.called:
            return
        if isinstance(reason.value, ProcessTerminated):
            self.ended.errback(self._error(reason.value))
        else:
            self.ended.callback(None)

    def _error(self, ended: ProcessTerminated) -> Exception:
        lines = self._said.decode("utf-8", "replace").split("\n")
        said = next(filter(None, reversed(lines)), "")
        if ended.exitCode == os.EX_DATAERR:
            return ErrandRefused(said)
        how = f"signal {ended.signal}" if ended.signal else f"status {ended.exitCode}"
        return ErrandFailed(f"the export ended with {how}: {said}")

    def _kill(self) -> None:
        assert self.transport is not None, "nobody waits before it is started"
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")


def _took_too_long(result: object, seconds: float) -> NoReturn:
    raise ErrandFailed(f"the export took longer than {seconds:g} seconds")
