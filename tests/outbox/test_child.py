"""Tests of running a module as a process: what it answers. How it may end is with
:mod:`tests.outbox.test_export`."""

from __future__ import annotations

import sys

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.processes import ProcessReactor
from twistedvoice.errors import ErrandFailed
from twistedvoice.outbox.child import run_module


class AnswerTests(SynchronousTestCase):
    """A process that does not run."""

    def setUp(self) -> None:
        self.reactor = ProcessReactor()
        self.done: Deferred[bytes] = run_module(
            self.reactor,
            "a.module",
            *("one", "two"),
            environ={"LANG": "C"},
            seconds=60,
            called="the work",
        )
        (self.process,) = self.reactor.processes

    def test_started(self) -> None:
        """It gets its words and its environment; nothing lies before our modules."""
        command = [sys.executable, "-P", "-m", "a.module", "one", "two"]
        self.assertEqual(self.process.started["args"], command)
        self.assertEqual(self.process.started["env"], {"LANG": "C"})

    def test_answer(self) -> None:
        """What it wrote to stdout comes back; its errors do not."""
        for descriptor, data in ((1, b"an "), (2, b"oh no"), (1, b"answer")):
            self.process.protocol.childDataReceived(descriptor, data)
        self.assertNoResult(self.done)
        self.process.ends()
        self.assertEqual(self.successResultOf(self.done), b"an answer")

    def test_too_long(self) -> None:
        """It has as long as it was given, and the error says what it was."""
        self.reactor.advance(60)
        failure = self.failureResultOf(self.done, ErrandFailed)
        self.assertIn("the work took longer than 60", str(failure.value))
        self.process.ends(9)


class RealTests(TestCase):
    """A real process."""

    async def test_answer(self) -> None:
        """A module of the standard library answers."""
        answer = await run_module(
            reactor, "platform", "terse", environ={}, seconds=30, called="the platform"
        )
        self.assertIn(b"Linux", answer)
