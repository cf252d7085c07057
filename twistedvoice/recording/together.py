# -*- test-case-name: tests.recording.test_together -*-
"""Hands the jobs of many calls to a thread as one.

To wake a thread and to hear back from it costs the reactor more than most jobs take;
near a full core that cost is calls. What one job raises stays its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from .parts import Job

__all__ = ["Together"]


class Together:
    """Gathers jobs while a function runs, and then has one thread do them in order."""

    def __init__(
        self,
        defer_to_thread: Callable[..., Deferred[Any]],
        do_all: Callable[[Sequence[Job]], list[Any]],
    ) -> None:
        """
        :param defer_to_thread: runs a function in a thread that may block.
        :param do_all: does several jobs; see :meth:`.parts.Parts.do_all`.
        """
        self._defer_to_thread = defer_to_thread
        self._do_all = do_all
        self._gathered: list[tuple[Job, Deferred[Any]]] | None = None

    def defer(self, work: Callable[..., Any], *args: object) -> Deferred[Any]:
        """
        Do ``work(*args)`` in a thread: with others while they are gathered, else alone.

        :returns: fires with its result, or fails with what it raised.
        """
        if self._gathered is None:
            return self._defer_to_thread(work, *args)
        done: Deferred[Any] = Deferred()
        self._gathered.append((Job(work, args), done))
        return done

    def gather(self, function: Callable[[], object]) -> None:
        """Call ``function``; what it defers goes to one thread when it is through."""
        gathered = self._gathered = []
        try:
            function()
        finally:
            self._gathered = None
            if gathered:
                jobs = [job for job, _ in gathered]
                waiting = [done for _, done in gathered]
                doing = self._defer_to_thread(self._do_all, jobs)
                doing.addCallbacks(_tell, _tell_all_failed, callbackArgs=(waiting,),
                                   errbackArgs=(waiting,))  # fmt: skip


def _tell(results: Sequence[Any], waiting: Sequence[Deferred[Any]]) -> None:
    for done, result in zip(waiting, results, strict=True):
        # A failure makes it fail.
        done.callback(result)


def _tell_all_failed(failure: Failure, waiting: Sequence[Deferred[Any]]) -> None:
    """No thread could be had."""
    for done in waiting:
        done.errback(failure)
