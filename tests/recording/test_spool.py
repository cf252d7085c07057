"""Batches in memory that outlives the service."""

from __future__ import annotations

import os
import shutil
from io import FileIO
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.realtime.tracks import Note
from twistedvoice.recording import spool
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.spool import (
    Record,
    Spool,
    abandoned,
    links,
    read_batch,
    records,
    remove,
    unwritten,
)
from twistedvoice.recording.wire import plain


def batch(number: int, size: int = 160) -> Batch:
    """:returns: a batch that can be told from others."""
    notes = [Note("played", number, 1)]
    return Batch([(number, b"a" * size)], [(number, b"b")], number, number, notes)


def record(number: int, name: str = "a.wav", size: int = 160) -> Record:
    """:returns: one of a recording."""
    return Record(name, "mulaw", 8000, number, plain(batch(number, size)))


class SpoolTests(SynchronousTestCase):
    """One spool, its service and its reader in one process."""

    def setUp(self) -> None:
        self.memory = Path(self.mktemp())
        self.memory.mkdir()
        self.folder = Path(self.mktemp())
        self.needed: int | None = 0
        self.spool = Spool(self.folder, self.memory, lambda: self.needed)
        self.addCleanup(self.spool.lock.close)

    def add(self, *args: Any, **named: Any) -> spool.Ref:
        """:returns: where a record was put."""
        ref = self.spool.add(record(*args, **named))
        assert ref is not None
        return ref

    def segments(self) -> list[str]:
        """:returns: the names of the files in memory."""
        return sorted(path.name for path in self.spool.folder.iterdir())

    def found(self) -> dict[str, list[int]]:
        """:returns: the numbers of the records that can be read, by recording."""
        found = records(self.spool.folder, self.spool.link)
        return {path.name: [each.number for each in found[path]] for path in found}

    def test_told_of(self) -> None:
        """A reader that is told where they lie gets batches as they were."""
        refs = [self.add(number) for number in range(3)]
        for number in (2, 0, 1):
            self.assertEqual(read_batch(self.spool.folder, refs[number]), batch(number))

    def test_any_order(self) -> None:
        """Of many files the newest may be read before the oldest, and again."""
        self.patch(spool, "_SEGMENT_BYTES", 1)
        refs = [self.add(number) for number in range(40)]
        self.assertEqual([ref.segment for ref in refs], list(range(40)))
        for number in (*reversed(range(40)), *range(40)):
            got = read_batch(self.spool.folder, refs[number])
            self.assertEqual(got, batch(number))

    def test_found(self) -> None:
        """Who is told nothing finds all, by recording and in order."""
        for number in range(3):
            self.add(number)
            self.add(number, name="b.wav")
        self.assertEqual(self.found(), {"a.wav": [0, 1, 2], "b.wav": [0, 1, 2]})
        mine = records(self.spool.folder, self.spool.link)[self.folder / "a.wav"]
        self.assertEqual(unwritten(mine, 2), [batch(2)])

    def test_cut_anywhere(self) -> None:
        """A record that was not written to its end does not count, the others do."""
        self.add(0)
        whole = (self.spool.folder / "0").read_bytes()
        self.add(1)
        content = (self.spool.folder / "0").read_bytes()
        for end in range(len(whole), len(content)):
            (self.spool.folder / "0").write_bytes(content[:end])
            self.assertEqual(self.found(), {"a.wav": [0]}, end)

    def test_segments(self) -> None:
        """It is kept in files, which are removed when all in them is written."""
        refs = [self.add(number, size=1 << 20) for number in range(13)]
        self.assertEqual([ref.segment for ref in refs], [n // 4 for n in range(13)])
        self.assertEqual(self.segments(), ["0", "1", "2", "3"])
        self.spool.trim()
        self.assertEqual(self.segments(), ["0", "1", "2", "3"])
        self.needed = 2
        self.spool.trim()
        self.assertEqual(self.segments(), ["2", "3"])
        self.assertEqual(self.found(), {"a.wav": [8, 9, 10, 11, 12]})
        self.assertEqual(read_batch(self.spool.folder, refs[9]), batch(9, 1 << 20))
        self.assertRaises(FileNotFoundError, read_batch, self.spool.folder, refs[0])
        self.needed = None
        self.spool.trim()
        self.assertEqual(self.segments(), ["3"])

    def test_added_while_trimmed(self) -> None:
        """What comes while it is asked what is needed is not removed."""
        self.patch(spool, "_SEGMENT_BYTES", 1)
        self.add(0)
        refs = list[spool.Ref]()

        def ask() -> None:
            # As the reactor may, beside the thread.
            refs.extend([self.add(1), self.add(2)])

        self.patch(self.spool, "_oldest", ask)
        self.spool.trim()
        for number, ref in enumerate(refs, 1):
            self.assertEqual(read_batch(self.spool.folder, ref), batch(number))

    def test_no_room(self) -> None:
        """Without room nothing is taken; with room again it goes on."""
        self.add(0)
        writev = os.writev
        full = self.patch(os, "writev", lambda *args: self.fail_with_no_room())
        self.assertIsNone(self.spool.add(record(1)))
        full.restore()
        # Some of it found room.
        partly = self.patch(os, "writev", lambda file, data: writev(file, data[:1]))
        self.assertIsNone(self.spool.add(record(1)))
        partly.restore()
        ref = self.add(2)
        self.assertEqual(read_batch(self.spool.folder, ref), batch(2))
        self.assertEqual(self.found(), {"a.wav": [0, 2]})

    def fail_with_no_room(self) -> int:
        """Do what a full memory does."""
        raise OSError(28, "No space left on device")

    def test_private(self) -> None:
        """Strangers can read none of it."""
        self.add(0)
        for path in (self.spool.folder, self.spool.folder / "0"):
            self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_close(self) -> None:
        """What is let go of is left for who writes what is in it."""
        self.add(0)
        self.spool.close()
        with abandoned(self.spool.link) as folder:
            assert folder is not None, "nobody has it"
            self.assertEqual(self.found(), {"a.wav": [0]})
            remove(folder, self.spool.link)
        self.assertEqual([*self.memory.iterdir(), *self.folder.iterdir()], [])

    def test_disk_full(self) -> None:
        """Nothing is left of one whose place cannot be told to a recovery."""
        full = Path(self.mktemp())

        def create_full(link: Path) -> FileIO:
            link.touch()
            return FileIO("/dev/full", "w")

        self.patch(spool, "create_locked", create_full)
        self.assertRaises(OSError, Spool, full, self.memory, lambda: None)
        self.assertEqual(list(full.iterdir()), [])
        self.assertEqual(list(self.memory.iterdir()), [self.spool.folder])

    def test_recordings_cannot_be_written(self) -> None:
        """Nothing is left of one that cannot be shown to a recovery."""
        (self.folder / "file").touch()
        self.assertRaises(
            OSError, Spool, self.folder / "file", self.memory, lambda: None
        )
        self.assertEqual(list(self.memory.iterdir()), [self.spool.folder])


class AbandonedTests(SynchronousTestCase):
    """What a recovery is shown."""

    def setUp(self) -> None:
        self.memory = Path(self.mktemp())
        self.memory.mkdir()
        self.folder = Path(self.mktemp())
        self.spool = Spool(self.folder, self.memory, lambda: 0)
        self.addCleanup(self.spool.lock.close)

    def abandoned(self) -> Path | None:
        """:returns: where it is found."""
        with abandoned(self.spool.link) as folder:
            return folder

    def test_alive(self) -> None:
        """One is left alone while anybody has it locked."""
        held = os.dup(self.spool.lock.fileno())
        self.spool.lock.close()
        self.assertIsNone(self.abandoned())
        os.close(held)
        self.assertEqual(self.abandoned(), self.spool.folder.absolute())
        self.assertEqual(links(self.folder), [self.spool.link])

    def test_machine_started_anew(self) -> None:
        """Where the memory is gone, its name goes, too."""
        self.spool.lock.close()
        shutil.rmtree(self.spool.folder)
        self.assertIsNone(self.abandoned())
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_not_a_folder_of_ours(self) -> None:
        """What somebody else has put in its place is not read, and not removed."""
        self.spool.lock.close()
        shutil.rmtree(self.spool.folder)
        theirs = Path(self.mktemp())
        theirs.mkdir()
        self.spool.folder.symlink_to(theirs.absolute())
        self.assertIsNone(self.abandoned())
        self.assertTrue(theirs.exists())

    def test_another_name(self) -> None:
        """A file that says something else than a spool's place has nothing removed."""
        self.spool.lock.close()
        theirs = Path(self.mktemp())
        theirs.mkdir()
        self.spool.link.write_text(str(theirs.absolute()))
        self.assertIsNone(self.abandoned())
        self.assertTrue(theirs.exists())
