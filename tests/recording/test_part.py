"""Tests for :mod:`twistedvoice.recording.part`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import soundfile
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.sidecar import read_lines

A = b"\x80" * 160


class PartFileTests(SynchronousTestCase):
    """One recording's file."""

    def setUp(self) -> None:
        """Have a file that is not open yet."""
        self.folder = Path(self.mktemp())
        self.path = self.folder / "2026" / "call.wav"
        self.part_path = self.folder / "2026" / "call.wav.part"
        self.part = PartFile(self.path, MULAW_8K)

    def names(self, kind: str = ".wav") -> list[str]:
        """:returns: the names of the files of a kind, finished or not."""
        return sorted(path.name for path in self.folder.rglob(f"*{kind}*"))

    def test_life(self) -> None:
        """It grows as a part, and is whole under its name in the end."""
        self.assertIsNone(self.part.path)
        self.part.open()
        self.assertEqual(self.part.path, self.part_path)
        self.part.append(Batch([(0, A)], [], 20_000))
        self.assertEqual(self.names(), ["call.wav.part"])
        self.assertEqual(len(read_wav(self.part_path).samples), 160)
        self.part.finish(Batch([], [(20_000, A)], 50_000))
        self.assertEqual(self.names(), ["call.wav"])
        self.assertEqual(self.part.path, self.path)
        self.assertEqual(self.part.duration_ms, 50)
        samples, _ = soundfile.read(self.path, dtype="int16")
        self.assertEqual(samples[0].tolist(), [32124, 0])
        self.assertEqual(samples[160].tolist(), [0, 32124])
        self.assertEqual(len(samples), 400)

    def test_late_sound(self) -> None:
        """Sound that comes late is in its place in the file."""
        self.part.open()
        self.part.append(Batch([], [], 40_000))
        self.part.finish(Batch([(0, A)], [], 40_000))
        samples = read_wav(self.path).samples[:, 0].tolist()
        self.assertEqual(samples, [32124] * 160 + [0] * 160)
        self.assertEqual(self.part.late_frames, 1)

    def test_sound_at_the_very_end(self) -> None:
        """What the caller said in the last moment is in the file."""
        self.part.open()
        self.part.finish(Batch([(20, A)], [], 25_000))
        self.assertEqual(self.part.duration_ms, 40)

    def test_private(self) -> None:
        """Strangers cannot read it."""
        self.part.open()
        self.addCleanup(self.part.discard)
        mode = self.part_path.stat().st_mode
        self.assertEqual(mode & (stat.S_IRWXO | stat.S_IWGRP), 0)

    def test_discard(self) -> None:
        """A recording that is not wanted leaves nothing."""
        self.part.discard()
        self.part.open()
        self.part.append(Batch([(0, A)], [], 20_000))
        self.part.discard()
        self.assertEqual(self.names("."), [])
        self.assertIsNone(self.part.path)

    def test_replaces_nothing(self) -> None:
        """A recording of the same name stays, and the new one gets another."""
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(b"precious")
        self.part.open()
        self.part.finish()
        self.assertEqual(self.names(), ["call-2.wav", "call.wav"])
        self.assertEqual(self.path.read_bytes(), b"precious")

    def test_being_written_already(self) -> None:
        """Two writers of one name cannot be; the first goes on."""
        self.part.open()
        second = PartFile(self.path, MULAW_8K)
        self.assertRaises(FileExistsError, second.open)
        second.fail()
        self.part.finish(Batch([(0, A)], [], 20_000))
        self.assertEqual(self.names(), ["call.wav"])


class ResumeTests(SynchronousTestCase):
    """Another writer goes on where one died, whatever it had written."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "call.wav"
        self.part_path = self.path.with_name("call.wav.part")
        self.dead = PartFile(self.path, MULAW_8K)
        self.dead.open()

    def batch(self, number: int) -> Batch:
        """:returns: the frames of one tenth of a second of both sides."""
        frames = range(number * 100, number * 100 + 100, 20)
        sound = bytes([number + 1]) * 160
        played = [(at * 1000, sound) for at in frames]
        end_us = number * 100_000 + 100_000
        return Batch([(at, sound) for at in frames], played, end_us, end_us)

    def die(self) -> PartFile:
        """End the writer. :returns: another one, of the same recording."""
        assert self.dead._lock is not None
        self.dead._lock.close()
        return PartFile(self.path, MULAW_8K)

    def finish(self, part: PartFile) -> list[list[int]]:
        """:returns: both channels as bytes of the file, of a second and a half."""
        for number in range(12, 15):
            part.append(self.batch(number))
        part.finish(self.batch(14)._replace(heard=[], played=[]))
        content = self.path.read_bytes()[58:]
        return [list(content[0::2]), list(content[1::2])]

    def test_after_the_last_step(self) -> None:
        """What the dead one finished is not finished once more, beside itself."""
        for number in range(12):
            self.dead.append(self.batch(number))
        content = self.part_path.read_bytes()
        self.finish(self.dead)
        another = PartFile(self.path, MULAW_8K)
        # It died before it could remove the part.
        self.part_path.write_bytes(content)
        journal = self.part_path.with_name("call.jsonl.part")
        journal.write_text('{"kind":"settled","name":"call.wav"}\n')
        another.resume(opened=True)
        another.finish(self.batch(12))
        self.assertEqual((another.path, another.duration_ms), (self.path, 1500))
        self.assertEqual(another.chain, self.dead.chain)
        names = sorted(path.name for path in self.path.parent.iterdir())
        self.assertEqual(names, ["call.jsonl", "call.todo", "call.wav"])

    def test_at_every_place(self) -> None:
        """Cut anywhere in the last batch, it is whole when that is given again."""
        whole = [byte for n in range(15) for byte in [n + 1] * 800]
        for number in range(11):
            self.dead.append(self.batch(number))
        size = self.part_path.stat().st_size
        journal = self.part_path.with_name("call.jsonl.part")
        lines = journal.stat().st_size
        self.dead.append(self.batch(11))
        self.dead._lock.close()  # type: ignore[union-attr]
        files = [(path, path.read_bytes()) for path in (self.part_path, journal)]
        for cut in (0, 1, 2, 799, 800, 1599, 1600):
            for path, content in files:
                path.write_bytes(content)
            os.truncate(self.part_path, size + cut)
            os.truncate(journal, lines + cut % 5)
            part = PartFile(self.path, MULAW_8K)
            part.resume(opened=True)
            self.assertEqual(part.batches, 11)
            part.append(self.batch(11))
            self.assertEqual(self.finish(part), [whole, whole], cut)
            told = read_lines(self.path.with_suffix(".jsonl"))
            self.assertEqual([n["at"] for n in told if n["kind"] == "sum"], [0, 1000])
            self.assertEqual(told[-1]["degraded"], False)
            self.path.unlink()

    def test_not_there(self) -> None:
        """Files that were there and are gone are no new recording."""
        self.dead.append(self.batch(0))
        part = self.die()
        self.part_path.unlink()
        self.assertRaises(FileNotFoundError, part.resume, opened=True)

    def test_alive(self) -> None:
        """Nothing is taken from a writer that lives."""
        part = PartFile(self.path, MULAW_8K)
        self.assertRaises(OSError, part.resume, opened=True)
