"""Tests for :mod:`twistedvoice.recording.settle`."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.recording import settle as settling
from twistedvoice.recording.mixer import Late, Moved
from twistedvoice.recording.recovery import recover
from twistedvoice.recording.settle import is_settled, settle
from twistedvoice.recording.sidecar import (
    Journal,
    checksum,
    journal_path,
    read_lines,
    write_lines,
)
from twistedvoice.recording.todo import left, mark

from .left import leave

#: The header of our own files.
HEADER = 58
LOUD, LOW = 32124, -31100
#: The sidecar of three seconds.
KINDS = ["recording", "header", "sum", "sum", "sum", "end"]


class SettleTestCase(SynchronousTestCase):
    """Has a folder in which somebody died."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def sides(self, path: Path) -> tuple[list[int], list[int]]:
        """:returns: the samples of both channels."""
        samples = read_wav(path).samples
        return samples[:, 0].tolist(), samples[:, 1].tolist()

    def kinds(self, path: Path) -> list[str]:
        """:returns: the kinds of lines in a sidecar."""
        return [line["kind"] for line in read_lines(path.with_suffix(".jsonl"))]

    def assert_sums(self, path: Path) -> None:
        """Each part of the sound is what the sidecar says, to the end."""
        sound, at = path.read_bytes()[HEADER:], 0
        for line in read_lines(path.with_suffix(".jsonl")):
            if line["kind"] == "sum":
                size = round(line["ms"] * 16)
                self.assertEqual(line["at"] * 16, at)
                self.assertEqual(checksum(sound[at : at + size]), line["blake2b"])
                at += size
        self.assertEqual(at, len(sound) // 2 * 2)

    def names(self) -> list[str]:
        """:returns: the names of all files but marks."""
        names = sorted(path.name for path in self.folder.iterdir())
        return [name for name in names if not name.endswith(".todo")]


class SettleTests(SettleTestCase):
    """The end of a recording."""

    def test_late_sound(self) -> None:
        """What came late is in its place; the rest is as it was."""
        path = settle(
            leave(self.folder / "a.wav"), "ended", check=False, sync=True
        ).path
        self.assertEqual(self.sides(path), ([LOUD] * 24000, [LOW] * 24000))
        self.assertEqual(self.names(), ["a.jsonl", "a.wav"])
        self.assertEqual(self.kinds(path), KINDS)
        self.assert_sums(path)

    def test_moved(self) -> None:
        """Sound moves as it is, later or earlier, and never out of the file."""
        for by in (800, -800, 23_000, -23_000):
            part = leave(self.folder / f"{by}.wav")
            self.add(part, Moved([(8000, 16000, by)]))
            path = settle(part, "ended", check=False, sync=False).path
            service = [LOW] * 8000 + [0] * 8000 + [LOW] * 8000
            first, last = max(0, 8000 + by), max(0, min(24000, 16000 + by))
            service[first:last] = [LOW] * (last - first)
            self.assertEqual(self.sides(path), ([LOUD] * 24000, service))
            self.assert_sums(path)

    def test_moves_in_order(self) -> None:
        """Pieces that move at once do not cover each other."""
        part = leave(self.folder / "a.wav")
        self.add(part, Late(1, 0, b"\x7f" * 16000), Late(1, 16000, b"\x11" * 8000),
                 Moved([(8000, 16000, 4000), (16000, 20000, 4000)]))  # fmt: skip
        path = settle(part, "ended", check=False, sync=False).path
        service = read_wav(path).samples[:, 1]
        self.assertEqual(set(service[:12000].tolist()), {0})
        self.assertEqual(len(set(service[20000:24000].tolist())), 1)
        self.assertNotEqual(service[20000], 0)

    def test_without_journal(self) -> None:
        """A part alone becomes a recording with checksums of its own."""
        part = leave(self.folder / "a.wav")
        journal_path(part).unlink()
        path = settle(part, "recovered", check=True, sync=False).path
        self.assertEqual(self.kinds(path), KINDS[1:])
        self.assert_sums(path)

    def test_damaged(self) -> None:
        """A second that is not what was written becomes silence, and is named."""
        part = leave(self.folder / "a.wav")
        with part.open("r+b") as file:
            file.seek(HEADER + 40_000)
            file.write(bytes(4096))
        path = settle(part, "recovered", check=True, sync=False).path
        caller, service = self.sides(path)
        self.assertEqual(service, [LOW] * 16000 + [0] * 8000)
        self.assertEqual(caller, [LOUD] * 16000 + [0] * 8000)
        lines = read_lines(path.with_suffix(".jsonl"))
        self.assertIn({"kind": "damaged", "at": 2000, "ms": 1000}, lines)
        self.assert_sums(path)

    def test_no_room(self) -> None:
        """Without room for the changes all stays for the recovery, as it was."""
        part = leave(self.folder / "a.wav")

        def full(*args: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        before = journal_path(part).read_bytes()
        patch = self.patch(shutil, "copy", full)
        self.assertRaises(OSError, settle, part, "full", check=False, sync=False)
        self.assertEqual(self.names(), ["a.jsonl.part", "a.wav.part"])
        self.assertEqual(journal_path(part).read_bytes(), before)
        self.assertEqual(len(read_wav(part).samples), 24000)
        patch.restore()
        (path,) = recover(self.folder)
        self.assertEqual(self.sides(path), ([LOUD] * 24000, [LOW] * 24000))

    def add(self, part: Path, *edits: Late | Moved) -> None:
        """Write more edits into the journal of a dead writer."""
        path = journal_path(part)
        lines = read_lines(path)
        path.unlink()
        journal = Journal(path, lines[0])
        journal.add([*lines[1:], *map(journal.edit, edits)])
        journal.close()


class DeathTests(SettleTestCase):
    """Death in the middle of settling, and whatever a power cut leaves."""

    def test_any_step(self) -> None:
        """Whichever step is the last one, the recovery makes the same recording."""
        for edits in (True, False):
            for step in range(14):
                self.setUp()
                part = leave(self.folder / "a.wav")
                if not edits:
                    lines = read_lines(journal_path(part))
                    told = [line for line in lines if line["kind"] != "late"]
                    write_lines(journal_path(part), told, sync=False)
                self.die_at(step, part)
                # A finished recording is never without its mark.
                final = self.folder / "a.wav"
                self.assertLessEqual(final.exists(), bool(left(self.folder)))
                recover(self.folder)
                self.assertEqual(left(self.folder), [final])
                self.assertEqual(self.names(), ["a.jsonl", "a.wav"], step)
                caller, service = self.sides(self.folder / "a.wav")
                self.assertEqual(service, [LOW] * 24000)
                self.assertEqual(caller.count(LOUD), 24000 if edits else 20000)
                self.assert_sums(self.folder / "a.wav")

    def die_at(self, step: int, part: Path) -> None:
        """Settle a part, but do no more than ``step`` steps that others can see."""
        steps = [step]

        def mortal(work: Any) -> Any:
            def do(*args: Any, **named: Any) -> Any:
                if not steps[0]:
                    raise Death
                steps[0] -= 1
                return work(*args, **named)

            return do

        patches = [
            self.patch(settling, "write_lines", mortal(write_lines)),
            self.patch(settling, "mark", mortal(mark)),
            self.patch(shutil, "copy", mortal(shutil.copy)),
            self.patch(Path, "rename", mortal(Path.rename)),
            self.patch(Path, "unlink", mortal(Path.unlink)),
        ]
        try:
            settle(part, "ended", check=False, sync=False)
        except Death:
            pass
        finally:
            for patch in patches:
                patch.restore()

    @settings(deadline=None, max_examples=150)
    @given(st.integers(0, 48_100), st.integers(0, 12_000))
    def test_cut_anywhere(self, sound_bytes: int, journal_bytes: int) -> None:
        """Cut at any byte, all sound up to there is playable and nothing is made up."""
        self.setUp()
        part = leave(self.folder / "a.wav")
        os.truncate(part, min(sound_bytes, part.stat().st_size))
        journal = journal_path(part)
        os.truncate(journal, min(journal_bytes, journal.stat().st_size))
        frames = max(0, (min(sound_bytes, HEADER + 48_000) - HEADER) // 2)
        recover(self.folder)
        if frames == 0:
            self.assertEqual(self.names(), [])
            return
        self.assertEqual(self.names(), ["a.jsonl", "a.wav"])
        caller, service = self.sides(self.folder / "a.wav")
        self.assertEqual(service, [LOW] * frames)
        quiet = [number for number, sample in enumerate(caller) if sample != LOUD]
        self.assertLessEqual(set(quiet), set(range(4000, 8000)))
        self.assert_sums(self.folder / "a.wav")

    def test_pause_without_its_end(self) -> None:
        """Where the journal's end was lost, what is silenced has true checksums."""
        part = leave(self.folder / "a.wav")
        lines = read_lines(journal_path(part))
        late = {"kind": "late", "channel": 0, "position": 0, "sound": "AAAA"}
        pause = {"kind": "pause", "at": 1500.0}
        write_lines(journal_path(part), [*lines, late, pause], sync=False)
        settle(part, "ended", check=False, sync=False)
        self.assertEqual(self.sides(self.folder / "a.wav")[0][12_000:], [0] * 12_000)
        self.assert_sums(self.folder / "a.wav")

    def test_half_a_copy(self) -> None:
        """A copy that was not finished is not taken for the recording."""
        part = leave(self.folder / "a.wav")
        journal_path(part).unlink()
        (self.folder / "a.wav.new").write_bytes(part.read_bytes()[:5000])
        recover(self.folder)
        self.assertEqual(self.names(), ["a.jsonl", "a.wav"])
        self.assertEqual(len(self.sides(self.folder / "a.wav")[0]), 24_000)

    def test_settled(self) -> None:
        """A part whose recording is there already is only removed."""
        part = leave(self.folder / "a.wav")
        self.assertFalse(is_settled(part))
        lines = read_lines(journal_path(part))
        settled = {"kind": "settled", "name": "a.wav"}
        write_lines(journal_path(part), [*lines, settled], sync=False)
        self.assertFalse(is_settled(part))
        (self.folder / "a.wav").write_bytes(b"finished")
        self.assertTrue(is_settled(part))
        self.assertEqual(recover(self.folder), [])
        self.assertEqual(self.names(), ["a.wav"])


class Death(BaseException):
    """The process dies."""
