# -*- test-case-name: tests.speech.test_pool -*-
"""Tests of how engines are kept alive, without any."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import EngineError
from twistedvoice.speech.pool import EnginePool, command, engine_environ

from .engines import EngineReactor, FakeProcess


class PoolTests(SynchronousTestCase):
    """Two engines in virtual time."""

    def setUp(self) -> None:
        self.reactor = EngineReactor()
        self.pool = EnginePool(self.reactor, "hear", size=2, set_up={"a": "b"})
        self.started = self.pool.start()

    def processes(self) -> list[FakeProcess]:
        """:returns: all that were started, dead or alive."""
        return self.reactor.processes

    def warm(self) -> None:
        """All engines are ready."""
        for process in self.processes():
            process.answer(b"R")
        self.successResultOf(self.started)

    def test_start(self) -> None:
        """It has started when all engines have, each told what it must know."""
        self.processes()[0].answer(b"R")
        self.assertNoResult(self.started)
        self.processes()[1].answer(b"R")
        self.assertIsNone(self.successResultOf(self.started))
        for process in self.processes():
            self.assertEqual(process.words, command("hear"))
            self.assertEqual(json.loads(process.told[0].body), {"a": "b"})

    def test_cannot_start(self) -> None:
        """Engines that die again and again before they are ready fail the start."""
        for _ in range(6):
            if not self.started.called:
                self.processes()[-1].die()
                self.reactor.advance(1)
        self.failureResultOf(self.started, EngineError)

    def test_not_ready_in_time(self) -> None:
        """An engine that never gets ready is killed."""
        self.reactor.advance(60)
        self.assertEqual(self.processes()[0].events, ["KILL"])

    def test_answers(self) -> None:
        """Sound comes as it is made, and the answer to who waits for it."""
        self.warm()
        heard: list[bytes] = []
        job = self.pool.begin({"text": "Hi."}, heard.append)
        answer = job.answered()
        self.assertEqual(json.loads(self.processes()[0].told[1].body), {"text": "Hi."})
        self.processes()[0].answer(b"A", 1, b"sound")
        self.assertNoResult(answer)
        self.processes()[0].answer(b"D", 1, b"done")
        self.assertEqual(heard, [b"sound"])
        self.assertEqual(self.successResultOf(answer), b"done")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_asked_twice(self) -> None:
        """Answers go to those who wait in the order in which they asked."""
        self.warm()
        job = self.pool.begin({})
        answers = [job.answered(), job.answered()]
        self.processes()[0].answer(b"W", 1, b"one")
        self.assertNoResult(answers[1])
        self.processes()[0].answer(b"W", 1, b"two")
        self.assertEqual(
            [self.successResultOf(each) for each in answers], [b"one", b"two"]
        )
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_least_busy(self) -> None:
        """Work goes to the engine with the least of it, and is refused at the limit."""
        self.warm()
        jobs = [self.pool.begin({}) for _ in range(64)]
        counts = [sum(m.kind == b"B" for m in p.told) for p in self.processes()]
        self.assertEqual(counts, [32, 32])
        self.assertRaises(EngineError, self.pool.begin, {})
        jobs[0].close()
        self.pool.begin({})

    def test_hangs(self) -> None:
        """An engine that does not answer in time is killed; another takes its place."""
        self.warm()
        answer = self.pool.begin({}).answered()
        self.reactor.advance(5)
        self.assertEqual(self.processes()[0].events, ["KILL"])
        self.processes()[0].die()
        self.failureResultOf(answer, EngineError)
        self.reactor.advance(1)
        self.assertEqual(len(self.processes()), 3)

    def test_has_much_to_do(self) -> None:
        """An engine that works is not killed for what must wait its turn."""
        self.warm()
        jobs = [self.pool.begin({}) for _ in range(4)]
        answers = [job.answered() for job in jobs]
        for number in (1, 2):
            self.reactor.advance(4)
            for process in self.processes():
                process.answer(b"A", number, b"sound")
                process.answer(b"D", number)
        self.reactor.advance(4)
        self.assertEqual([process.events for process in self.processes()], [[], []])
        self.assertEqual([self.successResultOf(each) for each in answers], [b""] * 4)

    def test_dies(self) -> None:
        """What a dead engine had to do fails; work goes to those that live."""
        self.warm()
        job = self.pool.begin({})
        answer = job.answered()
        self.processes()[0].die()
        self.failureResultOf(answer, EngineError)
        self.failureResultOf(job.answered(), EngineError)
        job.send(b"A", b"more")
        job.close()
        self.pool.begin({})
        self.assertEqual(self.processes()[1].told[-1].kind, b"B")

    def test_ask_again(self) -> None:
        """Who is told that an engine died can ask another at once."""
        self.warm()
        self.pool.begin({}).answered().addErrback(lambda _: self.pool.begin({}))
        self.processes()[0].die()
        self.assertEqual(self.processes()[1].told[-1].kind, b"B")

    def test_close(self) -> None:
        """Who waited for the answer of a closed job is told, and so is the engine."""
        self.warm()
        job = self.pool.begin({})
        answer = job.answered()
        job.close()
        self.failureResultOf(answer, EngineError)
        self.assertEqual(self.processes()[0].told[-1].kind, b"C")
        self.processes()[0].answer(b"W", 1, b"late")

    def test_stop(self) -> None:
        """Engines end with their input, and those that do not are killed."""
        self.warm()
        stopped = self.pool.stop()
        first, second = self.processes()
        first.die()
        self.assertNoResult(stopped)
        self.reactor.advance(3)
        self.assertEqual(first.events, ["closed"])
        self.assertEqual(second.events, ["closed", "KILL"])
        second.die()
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_environ(self) -> None:
        """An engine gets no setting and no secret of the service."""
        ours = {"PATH": "/bin", "TWISTEDVOICE_AUTH_TOKEN": "secret", "HOME": "/root"}
        self.assertEqual(
            engine_environ(ours, ["/src", ""]),
            {"PATH": "/bin", "PYTHONPATH": "/src", "OMP_NUM_THREADS": "1"},
        )
