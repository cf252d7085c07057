"""Tests of ``twistedvoice.pools``; threads are the subject, so they are real."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue
from typing import Any

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import pools
from twistedvoice.pools import Pool

__all__ = ["PoolTests"]

SECONDS = 60


class Reactor:
    """A reactor's way in from threads, and a turn that the test makes."""

    def __init__(self) -> None:
        self._calls: Queue[Callable[[], object]] = Queue()

    def callFromThread(self, function: Callable[..., object], *args: Any) -> None:
        self._calls.put(lambda: function(*args))

    def turn(self) -> None:
        """Wait for one call from a thread, and make it."""
        self._calls.get(timeout=SECONDS)()


class PoolTests(SynchronousTestCase):
    """Work goes to a thread, and its result comes back to the reactor."""

    def setUp(self) -> None:
        self.reactor = Reactor()
        # Of a reactor a pool uses this one method.
        self.pool = Pool(self.reactor, "a-test-pool", 2)  # type: ignore[arg-type]
        self.addCleanup(self.pool.stop)

    def threads(self) -> list[str]:
        """:returns: the names of the pool's threads."""
        names = [thread.name for thread in threading.enumerate()]
        return [name for name in names if "a-test-pool" in name]

    def test_result_comes_from_a_thread(self) -> None:
        """The work is done elsewhere; its result arrives in a turn of the reactor."""
        done = self.pool.defer(lambda a, b: (a + b, threading.current_thread()), 1, 2)
        self.assertNoResult(done)
        self.reactor.turn()
        result, thread = self.successResultOf(done)
        self.assertEqual(result, 3)
        self.assertIn("a-test-pool", thread.name)

    def test_failure_comes_back(self) -> None:
        """What the work raises is the failure of its Deferred."""
        done = self.pool.defer(int, "no number")
        self.reactor.turn()
        self.failureResultOf(done, ValueError)

    def test_no_thread_before_the_first_work(self) -> None:
        """A pool that is not used costs nothing, and stops."""
        self.assertEqual(self.threads(), [])
        self.pool.stop()
        self.assertEqual(self.threads(), [])

    def test_no_more_threads_than_allowed(self) -> None:
        """Work beyond the bound waits its turn."""
        gate, inside = threading.Event(), threading.Semaphore(0)

        def work() -> None:
            inside.release()
            gate.wait(SECONDS)

        done = [self.pool.defer(work) for _ in range(5)]
        for _ in range(2):
            self.assertTrue(inside.acquire(timeout=SECONDS))
        self.assertEqual(len(self.threads()), 2)
        self.assertFalse(inside.acquire(blocking=False))
        gate.set()
        for _ in done:
            self.reactor.turn()
        for each in done:
            self.successResultOf(each)

    def test_stop_waits_for_the_work(self) -> None:
        """What was begun is finished, and no thread is left."""
        done = self.pool.defer(lambda: "written")
        self.pool.stop()
        self.assertEqual(self.threads(), [])
        self.reactor.turn()
        self.assertEqual(self.successResultOf(done), "written")

    def test_work_after_the_stop(self) -> None:
        """Late work is refused, rather than starting threads that nobody ends."""
        self.pool.defer(int)
        self.pool.stop()
        self.pool.stop()
        self.failureResultOf(self.pool.defer(int), RuntimeError)
        self.assertEqual(self.threads(), [])

    def test_work_that_hangs(self) -> None:
        """The service ends all the same, and says which work it leaves."""
        self.patch(pools, "_LAST_SECONDS", 0.01)
        gate = threading.Event()
        self.pool.defer(gate.wait, SECONDS)
        with capturedLogs() as events:
            self.pool.stop()
        gate.set()
        self.assertEqual([event["pool"] for event in events], ["a-test-pool"])
