"""Jobs that go to a thread together, and come back each for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.parts import PartsHere
from twistedvoice.recording.together import Together


class TogetherTests(SynchronousTestCase):
    """One thread for what is gathered, and for each job what it comes to."""

    def setUp(self) -> None:
        #: What was handed to a thread, which does it when told.
        self.threads: list[tuple[Callable[..., Any], tuple[Any, ...], Deferred[Any]]]
        self.threads = []
        self.together = Together(self.defer_to_thread, PartsHere().do_all)

    def defer_to_thread(self, work: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """:returns: fires when :meth:`run` is called."""
        done: Deferred[Any] = Deferred()
        self.threads.append((work, args, done))
        return done

    def run_threads(self) -> None:
        """Have all threads do what they were given."""
        threads, self.threads = self.threads, []
        for work, args, done in threads:
            maybeDeferred(work, *args).chainDeferred(done)

    def test_one_thread(self) -> None:
        """What is gathered is done by one thread, in order."""
        did: list[int] = []
        self.together.gather(
            lambda: [self.together.defer(did.append, number) for number in range(5)]
        )
        self.assertEqual((len(self.threads), did), (1, []))
        self.run_threads()
        self.assertEqual(did, [0, 1, 2, 3, 4])

    def test_results(self) -> None:
        """Each gets its own result, and a failure is of the one that failed."""
        waiting: list[Deferred[Any]] = []

        def defer_some() -> None:
            for number in (1, 0, 2):
                waiting.append(self.together.defer(lambda n: 6 // n, number))

        self.together.gather(defer_some)
        self.run_threads()
        self.assertEqual(self.successResultOf(waiting[0]), 6)
        self.failureResultOf(waiting[1], ZeroDivisionError)
        self.assertEqual(self.successResultOf(waiting[2]), 3)

    def test_alone(self) -> None:
        """Outside of a gathering a job goes to a thread at once."""
        self.together.gather(lambda: None)
        self.assertEqual(self.threads, [])
        done = self.together.defer(int, "7")
        self.run_threads()
        self.assertEqual(self.successResultOf(done), 7)

    def test_next_gathering(self) -> None:
        """One gathering does not wait for the one before."""
        for _ in range(2):
            self.together.gather(lambda: self.together.defer(int))
        self.assertEqual(len(self.threads), 2)
        self.run_threads()

    def test_error_while_gathering(self) -> None:
        """What was deferred before an error is done all the same."""
        waiting: list[Deferred[Any]] = []

        def defer_and_break() -> None:
            waiting.append(self.together.defer(int, "7"))
            raise KeyError

        self.assertRaises(KeyError, self.together.gather, defer_and_break)
        self.run_threads()
        self.assertEqual(self.successResultOf(waiting[0]), 7)
        self.together.defer(int)
        self.assertEqual(len(self.threads), 1)

    def test_no_thread(self) -> None:
        """Without a thread every job fails, with what is the matter."""
        waiting: list[Deferred[Any]] = []
        self.together.gather(lambda: waiting.append(self.together.defer(int)))
        self.threads[0][2].errback(RuntimeError("stopped"))
        self.failureResultOf(waiting[0], RuntimeError)
