"""Tests for :mod:`twistedvoice.archive.exporting`."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import soundfile

from tests.archive.made import made, made_busy
from tests.archive.people import CommandTestCase
from tests.recording.left import leave
from twistedvoice.archive import exporting


class Dying(Executor):
    """Workers that are killed at their work."""

    def submit(self, *args: Any, **named: Any) -> Future[Any]:
        """:returns: has failed already."""
        job: Future[Any] = Future()
        job.set_exception(BrokenProcessPool("a worker died"))
        return job


class ExportTests(CommandTestCase):
    """``twistedvoice recordings export``."""

    def setUp(self) -> None:
        """Two recordings; the work is done in a thread."""
        super().setUp()
        self.first = made_busy(self.day)
        self.second = made(self.folder, "short")
        self.work_with(ThreadPoolExecutor(1))

    def work_with(self, workers: Executor) -> None:
        """Do the work with these."""
        self.patch(exporting, "new_workers", lambda: workers)

    def export(self, *words: object) -> int:
        """:returns: the exit status."""
        return self.run_command("export", "--format", "flac", *words)

    def test_beside(self) -> None:
        """Each recording of a folder gets its copy beside it."""
        self.assertEqual(self.export(self.folder), 0)
        self.assertEqual(soundfile.info(self.first.with_suffix(".flac")).duration, 22)
        self.assertIn("short.flac", self.names())
        self.assertIn(
            "2 exported, 0 were already, 0 could not be\n", self.out.getvalue()
        )

    def test_elsewhere(self) -> None:
        """They go into another folder if that is wanted."""
        out = Path(self.mktemp())
        out.mkdir()
        self.assertEqual(self.export(self.first, "--out", out, "--json"), 0)
        (told,) = self.told()
        self.assertEqual(told, {"path": str(self.first), "export": f"{out}/busy.flac"})
        self.assertEqual([each.name for each in out.iterdir()], ["busy.flac"])

    def test_again(self) -> None:
        """What is there already is not made again."""
        self.first.with_suffix(".flac").write_bytes(b"as it is")
        self.assertEqual(self.export(self.folder), 0)
        self.assertIn("1 exported, 1 were already, ", self.out.getvalue())
        self.assertEqual(self.first.with_suffix(".flac").read_bytes(), b"as it is")

    def test_trouble(self) -> None:
        """What is no sound is told, the others are made, and the status is 1."""
        (self.day / "junk.wav").write_bytes(b"junk")
        leave(self.day / "left.wav")
        self.assertEqual(self.export(self.folder), 1)
        self.assertIn(f"{self.day}/junk.wav: ", self.out.getvalue())
        self.assertIn(
            "2 exported, 0 were already, 1 could not be\n", self.out.getvalue()
        )

    def test_killed(self) -> None:
        """A worker that is killed is an error of what it had, not of the command."""
        self.work_with(Dying())
        self.assertEqual(self.export(self.folder, "--json"), 1)
        self.assertEqual([each["error"] for each in self.told()], ["a worker died"] * 2)

    def test_no_soundfile(self) -> None:
        """Without soundfile it is said how to get it."""
        self.patch(exporting, "find_spec", lambda name: None)
        self.assertEqual(self.export(self.folder), 2)
        self.assertIn("pip install 'twistedvoice[export]'", self.errors.getvalue())
