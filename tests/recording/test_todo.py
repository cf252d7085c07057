"""Tests for :mod:`twistedvoice.recording.todo`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.settle import settle
from twistedvoice.recording.todo import Finished, left, mark, read, tick_off

from .left import leave

HEAD = {"kind": "recording", "session_id": "n-1", "call_id": "CA1", "started_at": 7.5}
END = {"kind": "end", "at": 3000, "why": "ended", "degraded": False}


class TodoTests(SynchronousTestCase):
    """The mark on a recording."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.final = self.folder / "n-1.wav"

    def marked(self, *lines: dict[str, object]) -> Finished:
        """:returns: what is read from the mark that these lines make."""
        mark(self.final, lines, sync=True)
        os.utime(self.folder / "n-1.todo", (100.0, 100.5))
        finished = read(self.final)
        assert finished is not None
        return finished

    def test_read(self) -> None:
        """It tells of the recording, and when that was finished."""
        finished = self.marked(HEAD, {"kind": "clear", "at": 1}, END)
        self.assertEqual(
            finished,
            Finished(
                path=self.final,
                session_id="n-1",
                call_id="CA1",
                started_at=7.5,
                finished_at=100.5,
                duration_ms=3000,
                degraded=False,
            ),
        )

    def test_head_that_a_crash_took(self) -> None:
        """The name says which session it was; the rest is not known."""
        finished = self.marked(END)
        self.assertEqual(finished.session_id, "n-1")
        self.assertEqual((finished.call_id, finished.started_at), ("", None))

    def test_nothing_of_it_left(self) -> None:
        """A power cut may leave an empty file: the recording is posted all the same."""
        finished = self.marked()
        self.assertEqual((finished.duration_ms, finished.degraded), (0, True))

    def test_encrypted(self) -> None:
        """An encrypted recording is found by its mark like any other."""
        key = bytes(32)
        part = leave(self.folder / "n-1.vault", encryption_key=key)
        final = settle(part, "ended", check=False, sync=False, encryption_key=key).path
        self.assertEqual(left(self.folder), [final])
        self.assertEqual(final.suffix, ".vault")

    def test_made_up(self) -> None:
        """What nobody of ours wrote counts for nothing: it would not fit a store."""
        made_up: tuple[object, ...] = ("\ud800", [], float("nan"), 10**400, {"a": 1})
        for junk in made_up:
            head = dict.fromkeys(("session_id", "call_id", "started_at"), junk)
            finished = self.marked(
                {"kind": "recording", **head},
                {"kind": "end", "at": junk, "degraded": junk},
            )
            self.assertEqual((finished.session_id, finished.call_id), ("n-1", ""))
            self.assertEqual((finished.started_at, finished.duration_ms), (None, 0))
            self.assertIs(finished.degraded, True)

    def test_named_by_others(self) -> None:
        """A name that is no text is none of ours."""
        self.marked(HEAD, END)
        for name in ("n-1.todo", "n-1.wav"):
            other = self.folder / f"\udcff{name}"
            (self.folder / name).touch()
            (self.folder / name).rename(other)
        self.assertEqual(left(self.folder), [])

    def test_left(self) -> None:
        """What is settled is marked until it is ticked off; a part is not."""
        final = settle(leave(self.final), "ended", check=False, sync=False).path
        part = leave(self.folder / "n-2.wav")
        mark(self.folder / "n-2.wav", [], sync=False)
        self.assertTrue(part.exists())
        self.assertEqual(left(self.folder), [final])
        tick_off(final)
        tick_off(final)
        self.assertEqual(left(self.folder), [])
        self.assertIsNone(read(final))
