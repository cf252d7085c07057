"""Tests for :mod:`twistedvoice.crew`."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.processes import Process, ProcessReactor
from twistedvoice.crew import (
    LEASH,
    REPORTS,
    SILENT_SECONDS,
    STARTING_SECONDS,
    Crew,
    Worker,
)

__all__ = ["LifeTests", "SilenceTests", "StopTests"]


class CrewTestCase(SynchronousTestCase):
    """Two workers in virtual time."""

    def setUp(self) -> None:
        """Both were started."""
        self.reactor = ProcessReactor()
        self.events: list[str] = []
        self.crew = Crew(
            self.reactor,
            [self.worker("w1", 10), self.worker("w2", 20)],
            kill_seconds=30,
            ready=lambda worker: self.events.append(f"{worker.name} ready"),
            ended=lambda worker: self.events.append(f"{worker.name} ended"),
        )
        self.crew.start()
        self.w1, self.w2 = self.reactor.processes

    def worker(self, name: str, public: int) -> Worker:
        """:returns: a worker that was not started."""
        return Worker(
            name=name,
            command=["python", name],
            environ={"A": "b"},
            descriptors={3: public, 4: public + 1},
            admin_port=1,
        )

    def advance(self, seconds: float) -> None:
        """Let time pass, in steps of a second."""
        self.reactor.pump([1.0] * int(seconds))

    @property
    def last(self) -> Process:
        """The process that was started last."""
        return self.reactor.processes[-1]


class LifeTests(CrewTestCase):
    """From start to restart."""

    def test_start(self) -> None:
        """A worker gets its words, its environment, and its own descriptors."""
        self.assertEqual(self.w2.started["executable"], "python")
        self.assertEqual(self.w2.started["args"], ["python", "w2"])
        self.assertEqual(self.w2.started["env"], {"A": "b"})
        self.assertEqual(
            self.w2.started["childFDs"],
            {LEASH: "w", 1: 1, 2: 2, REPORTS: "r", 3: 20, 4: 21},
        )

    def test_ready(self) -> None:
        """A worker is ready when it says so, in however many pieces, until it stops."""
        worker = self.crew["w1"]
        self.w1.says("REA")
        self.assertFalse(worker.is_ready)
        self.w1.says("DY=1\nWATCH")
        self.assertTrue(worker.is_ready)
        self.assertEqual(self.events, ["w1 ready"])
        self.w1.says("DOG=1\nSTOPPING=1\n")
        self.assertFalse(worker.is_ready)
        self.assertFalse(self.crew["w2"].is_ready)

    def test_restart(self) -> None:
        """One that dies is started again, at once if it had lived; others go on."""
        self.advance(5)
        self.w1.says("READY=1\n")
        self.w1.ends(signal=9)
        self.assertFalse(self.crew["w1"].is_alive or self.crew["w1"].is_ready)
        self.assertEqual(self.events, ["w1 ready", "w1 ended"])
        self.reactor.advance(0)
        self.assertEqual(self.last.started, self.w1.started)
        self.assertEqual([worker.starts for worker in self.crew], [2, 1])
        self.assertEqual(self.w2.signals, [])

    def test_rest_before_restart(self) -> None:
        """One that dies at once, again and again, is started ever more slowly."""
        pauses = []
        for _ in range(7):
            begun = self.reactor.seconds()
            self.last.ends(signal=9)
            count = len(self.reactor.processes)
            while len(self.reactor.processes) == count:
                self.reactor.advance(0.5)
            pauses.append(self.reactor.seconds() - begun)
        self.assertEqual(pauses, [1, 2, 4, 8, 15, 15, 15])

    def test_signal(self) -> None:
        """A signal reaches all who are there."""
        self.w1.ends()
        self.crew.signal("HUP")
        self.assertEqual((self.w1.signals, self.w2.signals), ([], ["HUP"]))
        self.w2.is_running = False  # and nobody was told yet
        self.crew.signal("HUP")


class SilenceTests(CrewTestCase):
    """A worker that hangs."""

    def test_killed(self) -> None:
        """One that was ready and falls silent is killed; it is not asked first."""
        self.w1.says("READY=1\n")
        self.w2.says("READY=1\n")
        for _ in range(int(SILENT_SECONDS) + 2):
            self.advance(1)
            self.w2.says("WATCHDOG=1\n")
        self.assertEqual((self.w1.signals, self.w2.signals), (["KILL"], []))
        self.advance(5)
        self.assertEqual(self.w1.signals, ["KILL"])

    def test_start(self) -> None:
        """A start may take its time, but not for ever."""
        self.w2.says("READY=1\n")
        self.w2.says("STOPPING=1\n")
        self.w1.says("WATCHDOG=1\n")
        self.advance(STARTING_SECONDS)
        self.assertEqual(self.w1.signals, [])
        self.advance(2)
        self.assertEqual(self.w1.signals, ["KILL"])
        self.assertEqual(self.w2.signals, [])  # it ends by itself


class StopTests(CrewTestCase):
    """The end."""

    def gone(self) -> Deferred[None]:
        """:returns: what the end of all fires."""
        return self.crew.stop()

    def test_waits(self) -> None:
        """All are asked to end, none starts again, and it is over with the last."""
        gone = self.gone()
        self.assertEqual((self.w1.signals, self.w2.signals), (["TERM"], ["TERM"]))
        self.w1.ends()
        self.assertNoResult(gone)
        self.w2.ends()
        self.successResultOf(gone)
        self.advance(60)
        self.assertEqual(len(self.reactor.processes), 2)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_killed(self) -> None:
        """Who does not end in time is killed, and the time may be changed before."""
        self.crew.set_kill_seconds(45.5)
        gone = self.gone()
        self.advance(45)
        self.assertEqual(self.w1.signals, ["TERM"])
        self.advance(1)
        self.assertEqual(self.w1.signals, ["TERM", "KILL"])
        self.w1.ends(signal=9)
        self.w2.ends(signal=9)
        self.successResultOf(gone)

    def test_nobody_there(self) -> None:
        """With all of them dead already it is over at once."""
        self.w1.ends(signal=9)
        self.w2.ends(signal=9)
        self.successResultOf(self.gone())
        self.advance(60)
        self.assertEqual(len(self.reactor.processes), 2)
