# -*- test-case-name: tests.archive.test_retention -*-
"""Keeps the folder of recordings within its limits while the service runs.

Looks once an hour, in a thread that may block, a bit at a time with pauses between, so
that a folder of a hundred thousand recordings holds up no call. Of the processes that
share a folder one does it: the first that has the lock, for as long as it lives.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..recording.private import open_private
from .purge import Limits, Removal, Step, purge

__all__ = ["LOCK", "Retention"]

#: The file that is locked; it lies in the folder of the recordings.
LOCK = ".retention.lock"

_HOUR_SECONDS = 3600.0
#: Bits of work at a time, and the pause after them: a tenth of a core at the most.
_BITS = 50
_PAUSE_SECONDS = 0.05

_log = Logger()


class Retention(Service):
    """
    Removes what is beyond the limits, hour by hour.

    :param wall: seconds since the epoch.
    :param defer_to_thread: runs a function in a thread that may block.
    :param needed: tells the ids of the sessions with whose recordings something is
        still to be done.
    :param counts: where ``purged`` and ``unpurged`` are counted.
    """

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], float],
        folder: Path,
        defer_to_thread: Callable[..., Deferred[Any]],
        limits: Limits,
        *,
        needed: Callable[[], Deferred[Collection[str]]],
        counts: Counter[str],
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._folder = folder
        self._defer = defer_to_thread
        #: What is kept; may be set while calls run.
        self.limits = limits
        self._needed = needed
        self._counts = counts
        self._lock: FileIO | None = None
        self._visits = LoopingCall(self._visit)
        self._visits.clock = clock
        self._through: Deferred[Any] = succeed(None)

    def startService(self) -> None:
        """Look now, and every hour."""
        super().startService()
        self._through = self._visits.start(_HOUR_SECONDS)

    def stopService(self) -> Deferred[Any]:
        """:returns: fires when the bit of work under way is done."""
        super().stopService()
        if self._visits.running:
            self._visits.stop()
        return self._through.addCallback(self._unlock)

    def _visit(self) -> Deferred[None] | None:
        if self.limits.are_none:
            return None
        return Deferred.fromCoroutine(self._keep_limits()).addErrback(_log_failure)

    async def _keep_limits(self) -> None:
        if self._lock is None:
            self._lock = await self._defer(_lock, self._folder / LOCK)
        if self._lock is None:
            return
        kept = set[str]()
        work = purge(self._folder, self.limits, now=self._wall(), kept=kept)
        removed = 0
        while self.running:
            bits = await self._defer(_next, work)
            removed += self._count([bit for bit in bits if isinstance(bit, Removal)])
            if Step.CHOSE in bits:
                # What was handed on since the last time may have been told to the
                # store alone.
                kept.update(await self._needed())
            elif len(bits) < _BITS:
                break
            await deferLater(self._clock, _PAUSE_SECONDS)
        if removed:
            _log.info("removed {count} recordings, as they were to go", count=removed)

    def _count(self, removals: list[Removal]) -> int:
        """:returns: how many were really removed."""
        failed = [each for each in removals if each.error is not None]
        self._counts["purged"] += len(removals) - len(failed)
        self._counts["unpurged"] += len(failed)
        for removal in failed[:1]:
            _log.error(
                "cannot remove {path}: {error}",
                path=str(removal.entry.path),
                error=removal.error,
            )
        return len(removals) - len(failed)

    def _unlock(self, result: object) -> object:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        return result


def _next(work: Iterator[Removal | Step]) -> list[Removal | Step]:
    """:returns: what the next bit of work came to; a choice is its end."""
    bits = list[Removal | Step]()
    for bit in islice(work, _BITS):
        bits.append(bit)
        if bit is Step.CHOSE:
            break
    return bits


def _lock(path: Path) -> FileIO | None:
    """:returns: None when another process has it. Closing it unlocks it."""
    file = FileIO(path, "a", opener=_open_own)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _open_own(path: str, flags: int) -> int:
    return open_private(path, flags | os.O_NOFOLLOW)


def _log_failure(failure: Failure) -> None:
    _log.failure("while looking for recordings that are to go", failure)
