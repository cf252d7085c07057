# -*- test-case-name: tests.outbox.test_child -*-
"""Runs a module of ours as a process, for what computes too long for a thread.

The process is killed when it takes too long or nobody waits for it any more. A module
that is run so nices itself, and ends with ``os.EX_DATAERR`` and a last line on stderr
when trying again is in vain.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ..errors import ErrandFailed, ErrandRefused

__all__ = ["run_module"]

#: How much of what the process says is kept: of its errors, and of its answer.
_KEPT_ERRORS = 2000
_KEPT_ANSWER = 1 << 16


def run_module(
    reactor: Any,
    module: str,
    *words: str,
    environ: Mapping[str, str],
    seconds: float,
    called: str,
) -> Deferred[bytes]:
    """
    Run ``python -m module words``; cancelling kills it.

    :param reactor: starts the process, and times it.
    :param environ: the environment of the process.
    :param seconds: the longest that it may take.
    :param called: what errors call it.
    :returns: fires with what it wrote to stdout.
    :raises ErrandRefused: through the Deferred, when it says that it never can.
    :raises ErrandFailed: through the Deferred, when it failed otherwise.
    """
    process = _Process(called)
    command = [sys.executable, "-P", "-m", module, *words]
    reactor.spawnProcess(process, command[0], command, dict(environ))

    def took_too_long(result: object, after: float) -> NoReturn:
        raise ErrandFailed(f"{called} took longer than {after:g} seconds")

    return process.ended.addTimeout(seconds, reactor, took_too_long)


class _Process(ProcessProtocol):
    """The process; cancelling ``ended`` kills it."""

    def __init__(self, called: str) -> None:
        self.ended: Deferred[bytes] = Deferred(lambda _: self._kill())
        self._called = called
        self._errors = self._answer = b""

    def outReceived(self, data: bytes) -> None:
        self._answer = (self._answer + data)[-_KEPT_ANSWER:]

    def errReceived(self, data: bytes) -> None:
        self._errors = (self._errors + data)[-_KEPT_ERRORS:]

    def processEnded(self, reason: Failure) -> None:
        if self.ended.called:
            return
        if isinstance(reason.value, ProcessTerminated):
            self.ended.errback(self._error(reason.value))
        else:
            self.ended.callback(self._answer)

    def _error(self, ended: ProcessTerminated) -> Exception:
        lines = self._errors.decode("utf-8", "replace").split("\n")
        said = next(filter(None, reversed(lines)), "")
        if ended.exitCode == os.EX_DATAERR:
            return ErrandRefused(said)
        how = f"signal {ended.signal}" if ended.signal else f"status {ended.exitCode}"
        return ErrandFailed(f"{self._called} ended with {how}: {said}")

    def _kill(self) -> None:
        assert self.transport is not None, "nobody waits before it is started"
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
