# -*- test-case-name: tests.recording.test_posting -*-
"""Posts what is to be done with each finished recording, and ticks it off.

The mark on a recording stays until its errands are in the store: while the store fails
they are posted again and again. What a dead process has left, or somebody else finished
without a store, is found when the folder is looked through: at the start, a minute
later, and every quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errands import Errand
from ..errors import StoreError
from .afterwards import Plan, errands_for
from .todo import Finished, left, read, tick_off

__all__ = ["Posting"]

#: How often it tries again.
_TURN_SECONDS = 10.0
#: How often the folder is looked through; and once more, soon after the start: the
#: writer of a service that was killed finishes its recordings meanwhile.
_SEARCH_SECONDS = 900.0
_SOON_SECONDS = 60.0
#: How many recordings are posted in one transaction.
_MOST_AT_ONCE = 100

_log = Logger()


class Posting(Service):
    """
    Posts for the recordings in one folder.

    :param defer_to_thread: runs a function in a thread that may block.
    :param post: keeps errands for good, all or none of them.
    """

    def __init__(
        self,
        clock: IReactorTime,
        folder: Path,
        defer_to_thread: Callable[..., Deferred[Any]],
        post: Callable[[Sequence[Errand]], Deferred[None]],
        plan: Plan,
    ) -> None:
        self._folder = folder
        self._defer_to_thread = defer_to_thread
        self._post = post
        self._plan = plan
        #: In the order in which they were finished.
        self._waiting: dict[Path, None] = {}
        self._one_turn = DeferredLock()
        self._turns = LoopingCall(self._turn)
        self._searches = LoopingCall(self._search)
        self._turns.clock = self._searches.clock = clock
        self._soon: IDelayedCall | None = None
        self._clock = clock

    def startService(self) -> None:
        """Look for what was left, and post it."""
        super().startService()
        self._turns.start(_TURN_SECONDS, now=False).addErrback(_log_failed)
        self._searches.start(_SEARCH_SECONDS).addErrback(_log_failed)
        self._soon = self._clock.callLater(_SOON_SECONDS, self._search)

    def stopService(self) -> Deferred[None]:
        """
        Post what waits, and stop.

        :returns: fires when that was tried; what failed is left to the next start.
        """
        super().stopService()
        for each in (self._turns, self._searches):
            if each.running:
                each.stop()
        if self._soon is not None and self._soon.active():
            self._soon.cancel()
        return self._last_turn()

    def finished(self, path: Path) -> None:
        """A recording was finished and marked."""
        self._waiting[path] = None
        self._turn()

    def _search(self) -> Deferred[None]:
        found = self._defer_to_thread(left, self._folder)
        return found.addCallbacks(self._found, _log_failed)

    def _found(self, paths: Iterable[Path]) -> None:
        self._waiting.update(dict.fromkeys(paths))
        self._turn()

    def _turn(self) -> None:
        # What waits is posted by the turn that is under way.
        if not self._one_turn.locked:
            self._last_turn()

    def _last_turn(self) -> Deferred[None]:
        return self._one_turn.run(
            lambda: Deferred.fromCoroutine(self._post_all()).addErrback(_log_failed)
        )

    async def _post_all(self) -> None:
        while batch := list(islice(self._waiting, _MOST_AT_ONCE)):
            marked = await self._defer_to_thread(_read_all, batch)
            try:
                await self._post_for(marked)
            except StoreError as error:
                _log.warn("nothing can be posted now: {error}", error=str(error))
                return
            await self._defer_to_thread(_tick_off_all, marked)
            for path in batch:
                self._waiting.pop(path, None)

    async def _post_for(self, recordings: Iterable[Finished]) -> None:
        errands = [
            errand
            for recording in recordings
            for errand in errands_for(recording, self._plan, self._folder)
        ]
        if errands:
            await self._post(errands)


def _read_all(paths: Iterable[Path]) -> list[Finished]:
    """:returns: those that are marked; one that cannot be read keeps its mark."""
    found = []
    for path in paths:
        try:
            finished = read(path)
        except OSError as error:
            _log.error("cannot post for {path}: {error}", path=str(path), error=error)
        else:
            found += [] if finished is None else [finished]
    return found


def _tick_off_all(recordings: Iterable[Finished]) -> None:
    for recording in recordings:
        tick_off(recording.path)


def _log_failed(failure: Failure) -> None:
    _log.failure("while posting what is to be done with recordings", failure)
