"""Tests for :mod:`twistedvoice.recording.lock`."""

from __future__ import annotations

import fcntl
import os
from io import FileIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.lock import (
    create_locked,
    is_being_written,
    lock_abandoned,
)


class LockTests(SynchronousTestCase):
    """One part, and those who want it."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_written(self) -> None:
        """While its writer lives nobody else can take it; afterwards one other can."""
        with create_locked(self.path):
            self.assertTrue(is_being_written(self.path))
            self.assertIsNone(lock_abandoned(self.path))
        self.assertFalse(is_being_written(self.path))
        lock = lock_abandoned(self.path)
        assert lock is not None
        with lock:
            self.assertIsNone(lock_abandoned(self.path))

    def test_asking(self) -> None:
        """Who only asks does not look like a writer to who else asks."""
        self.path.touch()
        with FileIO(self.path) as other:
            fcntl.flock(other, fcntl.LOCK_SH)
            self.assertFalse(is_being_written(self.path))

    def test_gone(self) -> None:
        """What is gone cannot be taken, and nobody can say who writes it."""
        self.assertIsNone(lock_abandoned(self.path))
        self.assertRaises(FileNotFoundError, is_being_written, self.path)

    def test_only_one(self) -> None:
        """There is one part of a name."""
        self.path.touch()
        self.assertRaises(FileExistsError, create_locked, self.path)

    def test_links(self) -> None:
        """What a link leads to is not ours."""
        self.path.symlink_to("/etc/passwd")
        self.assertRaises(OSError, lock_abandoned, self.path)
        self.assertRaises(OSError, is_being_written, self.path)

    def test_taken_away_meanwhile(self) -> None:
        """One that a recovery removed before it was locked is made again."""
        real, removed = fcntl.flock, list[Path]()

        def flock(file: FileIO, operation: int) -> None:
            if not removed:
                removed.append(self.path)
                self.path.unlink()
            real(file, operation)

        self.patch(fcntl, "flock", flock)
        with create_locked(self.path) as lock:
            self.assertTrue(os.path.samestat(os.fstat(lock.fileno()), self.path.stat()))
            self.assertTrue(is_being_written(self.path))

    def test_finished_meanwhile(self) -> None:
        """One that got its final name before it was locked is not taken."""
        real = fcntl.flock

        def flock(file: FileIO, operation: int) -> None:
            real(file, operation)
            self.path.unlink()

        self.path.touch()
        self.patch(fcntl, "flock", flock)
        self.assertIsNone(lock_abandoned(self.path))
