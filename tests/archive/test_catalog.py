"""Tests for :mod:`twistedvoice.archive.catalog`."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import STARTED_AT, made
from tests.recording.left import leave
from twistedvoice.archive.catalog import Entry, day_folders, files_in, scan
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile


class CatalogTests(SynchronousTestCase):
    """What is found in a folder."""

    def setUp(self) -> None:
        """An empty one."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def only(self) -> Entry:
        """:returns: the one recording that there is."""
        (entry,) = scan(self.folder)
        return entry

    def test_finished(self) -> None:
        """A finished recording is known by the first and last line of its sidecar."""
        middle = [{"kind": "gap", "at": 1, "ms": 20, "side": "caller"}] * 100
        path = made(self.folder, "one", seconds=2, degraded=True, lines=middle)
        entry = self.only()
        self.assertEqual((entry.path, entry.session_id), (path, "one"))
        self.assertEqual((entry.state, entry.why), ("finished", "ended"))
        self.assertEqual((entry.started_at, entry.duration_ms), (STARTED_AT, 2000))
        self.assertIs(entry.degraded, True)
        self.assertEqual(entry.head["call_id"], "CA1")

    def test_no_sidecar(self) -> None:
        """Without a sidecar the sound and the file's time tell what they can."""
        path = made(self.folder, "one", seconds=2)
        path.with_suffix(".jsonl").unlink()
        entry = self.only()
        self.assertEqual((entry.session_id, entry.duration_ms), ("one", 2000))
        self.assertEqual(entry.started_at, STARTED_AT)
        self.assertEqual((entry.why, entry.degraded), (None, None))
        self.assertIsNone(entry.files.sidecar)

    def test_junk(self) -> None:
        """Files that are not what their names say are listed, and known for nothing."""
        (self.folder / "one.wav").write_bytes(b"junk")
        (self.folder / "one.jsonl").write_bytes(b"\xff\n[1]\n")
        self.assertIsNone(self.only().duration_ms)

    def test_left(self) -> None:
        """What a dead process left is told from what a live one writes."""
        leave(self.folder / "left.wav")
        part = PartFile(self.folder / "live.wav", MULAW_8K, about={"started_at": 5.0})
        part.open()
        self.addCleanup(part.discard)
        part.append(Batch([], [], 1_000_000))
        left, live = scan(self.folder)
        self.assertEqual((left.state, left.duration_ms), ("left", 3000))
        self.assertEqual((live.state, live.started_at), ("writing", 5.0))
        self.assertEqual(live.head["encoding"], "mulaw")

    def test_second_of_a_name(self) -> None:
        """While one is written, a finished one of that name stays by itself."""
        made(self.folder, "one")
        leave(self.folder / "one.wav")
        whole, part = sorted(files_in(str(self.folder)), key=lambda each: each.sound)
        self.assertEqual((whole.sound, whole.beside), ("one.wav", ("one.jsonl",)))
        self.assertEqual(part.sound, "one.wav.part")
        self.assertEqual(part.beside, ("one.jsonl.part",))

    def test_beside(self) -> None:
        """What begins with a recording's name and a dot belongs to it, and no more."""
        path = made(self.folder, "a.b")
        made(self.folder, "a.b-2")
        for name in ("a.b.flac", "a.b.carrier.wav", "a.b.todo", "a.bc.flac", "a.flac"):
            (self.folder / name).write_bytes(b"x" * 1000)
        second, first = scan(self.folder)
        self.assertEqual(
            first.files.beside, ("a.b.carrier.wav", "a.b.flac", "a.b.jsonl", "a.b.todo")
        )
        self.assertTrue(first.files.is_waited_for)
        self.assertFalse(second.files.is_waited_for)
        sidecar = path.with_suffix(".jsonl").stat().st_size
        self.assertEqual(first.size, path.stat().st_size + sidecar + 3000)

    def test_links(self) -> None:
        """Links are not followed."""
        elsewhere = Path(self.mktemp())
        path = made(elsewhere, "one")
        os.symlink(path.absolute(), self.folder / "one.wav")
        os.symlink(elsewhere.absolute(), self.folder / "folder")
        self.assertEqual(list(scan(self.folder)), [])

    def test_days(self) -> None:
        """The folders of the service are found from above and from within, in order."""
        days = ("2026/11/20", "2026/02/01", "2025/12/31")
        for day in (*days, "music/live", "2026/extra"):
            (self.folder / "a" / day).mkdir(parents=True)
        base = self.folder.resolve()
        want = [str(base / "a" / day) for day in sorted(days)]
        self.assertEqual(day_folders(self.folder), want)
        self.assertEqual(day_folders(self.folder / "a" / "2026" / "11"), want[2:])
        self.assertEqual(day_folders(self.folder / "a" / days[0]), want[2:])
        self.assertEqual(day_folders(self.folder / "gone"), [])

    def test_folder_of_others(self) -> None:
        """A folder that may not be read, as a disk's lost+found, hides no other."""
        day = self.folder / "2026/11/20"
        day.mkdir(parents=True)
        self.forbid("scandir", self.folder.resolve() / "lost+found")
        (self.folder / "lost+found").mkdir()
        self.assertEqual(day_folders(self.folder), [str(day.resolve())])
        self.assertEqual(files_in(str(self.folder.resolve() / "lost+found")), [])

    def test_files_of_others(self) -> None:
        """What may not be read is known for as little as what is not there."""
        path = made(self.folder, "one", started_at=5, seconds=2)
        self.forbid("open", path.with_suffix(".jsonl"))
        entry = self.only()
        self.assertEqual((entry.session_id, entry.duration_ms), ("one", 2000))
        self.assertIsNone(entry.why)

    def test_times_that_are_none(self) -> None:
        """Numbers that are no time, such as NaN, count for nothing."""
        for started_at in (float("nan"), float("inf"), -1e15, 10**400):
            made(self.folder, "one", started_at=7).with_suffix(".jsonl").write_text(
                json.dumps({"kind": "recording", "started_at": started_at})
                + "\n"
                + json.dumps({"kind": "end", "at": started_at})
                + "\n"
            )
            entry = self.only()
            self.assertEqual((entry.started_at, entry.duration_ms), (7, 1000))

    def forbid(self, name: str, forbidden: Path) -> None:
        """Have a function of ``os`` refuse one path, as for another user's."""
        function: Any = getattr(os, name)

        def refuse(path: Any, *args: Any) -> Any:
            if str(path) == str(forbidden):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return function(path, *args)

        self.patch(os, name, refuse)
