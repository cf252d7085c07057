# -*- test-case-name: tests.test_pools -*-
"""Named pools of threads for work that would block the reactor.

Each kind of work has its own, so that a disk that hangs holds up no one else. The pool
starts with the first work and ends with the service.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

__all__ = ["Pool"]

T = TypeVar("T")

_log = Logger()

#: What work under way may take when the service ends.
_LAST_SECONDS = 5.0


class _DaemonThread(Thread):
    """A thread that does not keep the process from ending when its work hangs."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, daemon=True, **named)


class Pool:
    """A pool of threads for one kind of blocking work."""

    def __init__(self, reactor: IReactorFromThreads, name: str, most: int) -> None:
        """:param most: the most threads; what comes beyond waits its turn."""
        self._reactor = reactor
        self.most = most
        self._threads = ThreadPool(minthreads=0, maxthreads=most, name=name)
        self._threads.threadFactory = _DaemonThread
        self._stopped = False

    def defer(self, work: Callable[..., T], *args: object) -> Deferred[T]:
        """
        Do ``work(*args)`` in a thread.

        :returns: fires in the reactor with its result, or fails with what it raised.
        :raises RuntimeError: through the Deferred, once the pool has been stopped.
        """
        if self._stopped:
            # The threads would start again, and nobody would end them.
            return fail(RuntimeError("the pool has been stopped"))
        if not self._threads.started:
            self._threads.start()
        return deferToThreadPool(self._reactor, self._threads, work, *args)

    def stop(self) -> None:
        """
        Wait for the work under way, and end the threads; idempotent.

        Work that hangs is left to the end of the process.
        """
        self._stopped = True
        if self._threads.started:
            ending = _DaemonThread(target=self._threads.stop)
            ending.start()
            ending.join(_LAST_SECONDS)
            if ending.is_alive():
                _log.error("work in {pool} hangs; left", pool=self._threads.name)
