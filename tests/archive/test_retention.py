"""Tests for :mod:`twistedvoice.archive.retention`."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import STARTED_AT, made
from twistedvoice.archive.purge import Limits
from twistedvoice.archive.retention import LOCK, Retention

#: More than are looked at in one go.
MANY = 60


class RetentionTests(SynchronousTestCase):
    """What the service does by itself."""

    def setUp(self) -> None:
        """Many recordings of one day."""
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        for number in range(MANY):
            at = STARTED_AT + number
            made(self.folder / "2026/11/20", f"{number:02}", started_at=at, seconds=0)
        self.counts = Counter[str]()
        self.needed: Collection[str] = ()
        self.asked = 0
        #: Jobs that wait for their thread.
        self.jobs: list[Callable[[], object]] = []

    def defer(self, work: Callable[..., Any], *args: object) -> Deferred[Any]:
        """:returns: fires when the job is done by hand."""
        done: Deferred[Any] = Deferred()
        self.jobs.append(lambda: maybeDeferred(work, *args).chainDeferred(done))
        return done

    def ask(self) -> Deferred[Collection[str]]:
        """:returns: fires with what is needed by now."""
        self.asked += 1
        return succeed(self.needed)

    def retention(self, limits: Limits) -> Retention:
        """:returns: one that was started."""
        made = Retention(
            self.clock,
            lambda: STARTED_AT,
            self.folder,
            self.defer,
            limits,
            needed=self.ask,
            counts=self.counts,
        )
        made.startService()
        self.addCleanup(made.stopService)
        return made

    def work(self) -> None:
        """Do all jobs, and let the pauses between them pass."""
        while self.jobs:
            self.jobs.pop(0)()
            self.clock.advance(1)

    def left(self) -> int:
        """:returns: how many recordings there are."""
        return len(list(self.folder.rglob("*.wav")))

    def test_hourly(self) -> None:
        """It looks at the start and every hour, and counts what it removed."""
        retention = self.retention(Limits(recordings=50))
        self.work()
        self.assertEqual((self.left(), self.counts["purged"]), (50, 10))
        retention.limits = Limits(recordings=40)
        self.clock.advance(3500)
        self.assertEqual(self.jobs, [])
        self.clock.advance(100)
        self.work()
        self.assertEqual((self.left(), self.counts["purged"]), (40, 20))

    def test_bit_by_bit(self) -> None:
        """No job does much, and between two of them there is a pause."""
        self.retention(Limits(recordings=0))
        self.jobs.pop(0)()  # the lock
        jobs = 0
        while self.jobs:
            self.jobs.pop(0)()
            jobs += 1
            self.assertEqual(self.jobs, [])
            self.clock.advance(0.05)
        # Two looks at each, the second up to the choice, and all of them removed.
        self.assertEqual((jobs, self.left()), (5, 0))

    def test_no_limits(self) -> None:
        """Without limits nothing is done, and nothing is made."""
        self.retention(Limits())
        self.assertEqual(self.jobs, [])
        self.assertFalse((self.folder / LOCK).exists())

    def test_needed(self) -> None:
        """A recording with which something is still to be done stays."""
        self.needed = {"07", "09"}
        self.retention(Limits(recordings=0))
        self.work()
        self.assertEqual((self.left(), self.counts["purged"]), (2, 58))

    def test_handed_on_meanwhile(self) -> None:
        """One whose mark becomes an errand after the first look stays."""
        mark = self.folder / "2026/11/20" / "03.todo"
        mark.touch()
        self.retention(Limits(recordings=0))
        self.jobs.pop(0)()  # the lock
        self.jobs.pop(0)()
        self.needed = {"03"}
        mark.unlink()
        self.clock.advance(1)
        self.work()
        self.assertEqual((self.left(), self.asked), (1, 1))

    def test_nothing_to_go(self) -> None:
        """Nobody is asked what is needed when nothing is to go."""
        self.retention(Limits(recordings=MANY))
        self.work()
        self.assertEqual((self.left(), self.asked), (MANY, 0))

    def test_one_of_many(self) -> None:
        """One process does it; when that is gone another one does."""
        first = self.retention(Limits(recordings=59))
        self.work()
        second = self.retention(Limits(recordings=0))
        self.work()
        self.assertEqual(self.left(), 59)
        first.stopService()
        self.clock.advance(3600)
        self.work()
        self.assertEqual((self.left(), second.running), (0, 1))

    def test_stop(self) -> None:
        """A stop waits for the job under way, and begins no other."""
        retention = self.retention(Limits(recordings=0))
        self.jobs.pop(0)()
        stopped = retention.stopService()
        self.assertNoResult(stopped)
        self.work()
        self.successResultOf(stopped)
        self.assertGreater(self.left(), 0)

    def test_trouble(self) -> None:
        """What cannot be removed is told once a bit, and counted; the rest goes."""
        real = os.unlink

        def unlink(path: str) -> None:
            if path.endswith(("05.wav", "06.wav")):
                raise PermissionError(errno.EACCES, "not yours")
            real(path)

        self.patch(os, "unlink", unlink)
        self.retention(Limits(recordings=0))
        with capturedLogs() as events:
            self.work()
        self.assertEqual((self.left(), self.counts["unpurged"]), (2, 2))
        told = [each for each in events if "cannot remove" in each["log_format"]]
        self.assertEqual([each["path"][-6:] for each in told], ["05.wav"])

    def test_no_folder(self) -> None:
        """A folder that is gone is logged, and the next hour finds it again."""
        moved = self.folder.rename(self.folder.with_name("moved"))
        self.retention(Limits(recordings=0))
        self.work()
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        moved.rename(self.folder)
        self.clock.advance(3600)
        self.work()
        self.assertEqual(self.left(), 0)
