# -*- test-case-name: tests.recording.test_together -*-
"""Hands the jobs of many calls to a thread as one.

To wake a thread and to hear back from it costs the reactor more than most jobs take;
near a full core that cost is calls. What one job raises stays its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

__all__ = ["Together"]


class _Job(NamedTuple):
    work: Callable[..., Any]
    args: tuple[object, ...]
    done: Deferred[Any]


class Together:
    """Gathers jobs while a function runs, and then has one thread do them in order."""

    def __init__(self, defer_to_thread: Callable[..., Deferred[Any]]) -> None:
        """:param defer_to_thread: runs a function in a thread that may block."""
        self._defer_to_thread = defer_to_thread
        self._jobs: list[_Job] | None = None

    def defer(self, work: Callable[..., Any], *args: object) -> Deferred[Any]:
        """
        Do ``work(*args)`` in a thread: with others while they are gathered, else alone.

        :returns: fires with its result, or fails with what it raised.
        """
        if self._jobs is None:
            return self._defer_to_thread(work, *args)
        job = _Job(work, args, Deferred())
        self._jobs.append(job)
        return job.done

    def gather(self, function: Callable[[], object]) -> None:
        """Call ``function``; what it defers goes to one thread when it is through."""
        jobs = self._jobs = []
        try:
            function()
        finally:
            self._jobs = None
            if jobs:
                doing = self._defer_to_thread(_do_all, jobs)
                doing.addCallbacks(_tell, _tell_all_failed, callbackArgs=(jobs,),
                                   errbackArgs=(jobs,))  # fmt: skip


def _do_all(jobs: Sequence[_Job]) -> list[Any]:
    return [_do(job) for job in jobs]


def _do(job: _Job) -> Any:
    try:
        return job.work(*job.args)
    except Exception:  # the job's own, not the others'
        return Failure()


def _tell(results: Sequence[Any], jobs: Sequence[_Job]) -> None:
    for job, result in zip(jobs, results, strict=True):
        # A failure makes it fail.
        job.done.callback(result)


def _tell_all_failed(failure: Failure, jobs: Sequence[_Job]) -> None:
    """No thread could be had."""
    for job in jobs:
        job.done.errback(failure)
