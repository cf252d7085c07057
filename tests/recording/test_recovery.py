"""Tests for :mod:`twistedvoice.recording.recovery`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import soundfile
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.errors import ConfigError
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.recovery import check_folder, recover
from twistedvoice.recording.spool import Spool

A = b"\x80" * 160

#: Writes a recording and dies in the middle, without any goodbye.
DYING_WRITER = """
import os, pathlib, signal, sys
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
part = PartFile(pathlib.Path(sys.argv[1]), MULAW_8K)
part.open()
part.append(Batch([(0, b"\\x80" * 160)], [], 1_000_000))
os.kill(os.getpid(), signal.SIGKILL)
"""


class RecoverTests(SynchronousTestCase):
    """What dead writers left."""

    def setUp(self) -> None:
        """Have a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.day = self.folder / "2026" / "11"

    def left(self, name: str, *, cut: int = 0) -> Path:
        """
        Leave a part as a dead writer does, with a second of sound.

        :param cut: how many bytes of its end are missing.
        """
        part = PartFile(self.day / "source.wav", MULAW_8K)
        part.open()
        part.append(Batch([(0, A)], [], 1_000_000))
        content = (self.day / "source.wav.part").read_bytes()
        part.discard()
        path = self.day / f"{name}.wav.part"
        path.write_bytes(content[: len(content) - cut])
        return path

    def names(self, kind: str = ".wav") -> list[str]:
        """:returns: the names of the files of a kind, finished or not."""
        return sorted(path.name for path in self.folder.rglob(f"*{kind}*"))

    def test_finished(self) -> None:
        """Each becomes a good file with all the sound that was written."""
        self.left("one")
        self.left("two", cut=1)
        paths = recover(self.folder)
        self.assertEqual(paths, [self.day / "one.wav", self.day / "two.wav"])
        self.assertEqual([soundfile.info(path).frames for path in paths], [8000, 7999])
        self.assertEqual(self.names(), ["one.wav", "two.wav"])
        self.assertEqual(recover(self.folder), [])

    def test_writer_lives(self) -> None:
        """What is being written is left alone."""
        part = PartFile(self.day / "live.wav", MULAW_8K)
        part.open()
        self.assertEqual(recover(self.folder), [])
        part.finish(Batch([(0, A)], [], 20_000))
        self.assertEqual(self.names(), ["live.wav"])

    def test_nothing_in_it(self) -> None:
        """One without any sound is removed, with or without its header."""
        self.left("header", cut=16000)
        self.left("cut", cut=16030)
        self.left("empty", cut=16058)
        self.assertEqual(recover(self.folder), [])
        self.assertEqual(self.names("."), [])

    def test_spool_of_another_version(self) -> None:
        """One that cannot be read is told and stays; the recordings are finished."""
        self.left("one")
        memory = Path(self.mktemp())
        memory.mkdir()
        spool = Spool(self.folder, memory, lambda: None)
        spool.close()
        (spool.folder / "0").write_bytes(b"\1\0\0\0?")
        with capturedLogs() as logged:
            self.assertEqual(recover(self.folder), [self.day / "one.wav"])
        self.assertIn(str(spool.link), str(logged[0]))
        self.assertTrue((spool.folder / "0").exists())

    def test_spool_that_is_a_link(self) -> None:
        """What only looks like one is told, and hinders nothing."""
        self.left("one")
        (self.folder / ".spool-x").symlink_to("/dev/null")
        with capturedLogs() as logged:
            self.assertEqual(recover(self.folder), [self.day / "one.wav"])
        self.assertIn(".spool-x", str(logged[0]))

    def test_replaces_nothing(self) -> None:
        """A file that has the name already keeps it."""
        self.left("one")
        (self.day / "one.wav").write_bytes(b"precious")
        self.assertEqual(recover(self.folder), [self.day / "one-2.wav"])
        self.assertEqual((self.day / "one.wav").read_bytes(), b"precious")

    def test_something_else(self) -> None:
        """What cannot be finished stays, is logged, and does not stop the others."""
        self.left("c")
        (self.day / "a.wav.part").write_bytes(b"x" * 1000)
        (self.day / "b.wav.part").mkdir()
        with capturedLogs() as events:
            self.assertEqual(recover(self.folder), [self.day / "c.wav"])
        self.assertEqual(self.names(), ["a.wav.part", "b.wav.part", "c.wav"])
        self.assertIn("a.wav.part", events[0]["part"])
        self.assertIn("b.wav.part", events[1]["part"])

    def test_journal_that_lies(self) -> None:
        """A journal whose lines cannot be meant so does not stop the others."""
        lies = (
            '{"kind":"moved","pieces":[["x"]]}',
            "[" * 100_000,
            '{"kind":"sum","at":Infinity,"ms":1000,"blake2b":""}',
            f'{{"kind":"late","channel":0,"position":{10**30},"sound":"gA=="}}',
        )
        for number, lie in enumerate(lies):
            self.left(f"a{number}")
            (self.day / f"a{number}.jsonl.part").write_text(f"{lie}\n")
        self.left("b")
        with capturedLogs() as events:
            self.assertIn(self.day / "b.wav", recover(self.folder))
        self.assertEqual({event["log_level"].name for event in events}, {"error"})

    def test_no_files(self) -> None:
        """Links, pipes and folders with our names are not followed nor waited for."""
        precious = self.folder / "precious"
        precious.write_bytes(A * 20)
        self.left("b")
        (self.day / "a.wav.part").symlink_to(precious.resolve())
        os.mkfifo(self.day / "p.wav.part")
        self.left("q")
        os.mkfifo(self.day / "q.jsonl.part")
        os.mkfifo(self.day / "r.jsonl.part")
        (self.day / "f.jsonl.part").mkdir()
        with capturedLogs():
            self.assertEqual(recover(self.folder), [self.day / "b.wav"])
        self.assertEqual(precious.read_bytes(), A * 20)

    def test_no_folder(self) -> None:
        """Where nothing was ever recorded is nothing to do."""
        self.assertEqual(recover(self.folder / "none"), [])

    def test_killed(self) -> None:
        """A process killed in the middle of a recording loses nothing it wrote."""
        root = Path(twistedvoice.__file__).parents[1]
        killed = subprocess.run(
            [sys.executable, "-c", DYING_WRITER, str(self.day.absolute() / "dead.wav")],
            env={"PYTHONPATH": str(root)},
            check=False,
        )
        self.assertEqual(killed.returncode, -9)
        self.assertEqual(self.names(), ["dead.wav.part"])
        paths = recover(self.folder)
        self.assertEqual(paths, [self.day / "dead.wav"])
        self.assertEqual(soundfile.info(paths[0]).frames, 8000)


class CheckFolderTests(SynchronousTestCase):
    """The folder before the first call."""

    def assert_refused(self, folder: Path, *said: str) -> None:
        """Assert that the error says all of ``said``."""
        with self.assertRaises(ConfigError) as caught:
            check_folder(folder)
        for words in said:
            self.assertIn(words, str(caught.exception))

    def test_made(self) -> None:
        """It is made, and nothing is left in it."""
        folder = Path(self.mktemp()) / "a" / "b"
        check_folder(folder)
        check_folder(folder)
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_file(self) -> None:
        """A file in the way is named."""
        path = Path(self.mktemp())
        path.touch()
        self.assert_refused(path, str(path), "is a file")
        self.assert_refused(path / "sub", str(path), "is a file")

    def test_not_writable(self) -> None:
        """A folder that takes no files is named, with what to do."""
        self.assert_refused(Path("/proc"), "/proc", "as user", "chown")
