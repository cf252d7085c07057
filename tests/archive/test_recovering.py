"""Tests for :mod:`twistedvoice.archive.recovering`."""

from __future__ import annotations

import json

from tests.archive.people import CommandTestCase
from tests.recording.left import leave
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.seal import sealed
from twistedvoice.recording.settle import PART_SUFFIX
from twistedvoice.recording.sidecar import read_lines


class RecoverTests(CommandTestCase):
    """``twistedvoice recordings recover``."""

    def recover(self, *options: str) -> int:
        """Run the command."""
        return self.run_command("recover", self.folder, *options)

    def test_finished(self) -> None:
        """Each recording is told with its length, and the sum of all."""
        leave(self.folder / "one.wav")
        self.assertEqual(self.recover(), 0)
        self.assertIn("one.wav: 3.0 s\n", self.out.getvalue())
        self.assertIn("1 finished, 0 could not be\n", self.out.getvalue())

    def test_damaged(self) -> None:
        """It is told how much of a recording is damaged."""
        part = leave(self.folder / "one.wav")
        with part.open("r+b") as file:
            file.seek(20_000)
            file.write(b"junk")
        self.assertEqual(self.recover(), 0)
        self.assertIn("3.0 s, 1 damaged seconds are silence\n", self.out.getvalue())

    def test_json(self) -> None:
        """Programs get one line of JSON for each."""
        leave(self.folder / "one.wav")
        (self.folder / f"two.wav{PART_SUFFIX}").write_bytes(b"x" * 1000)
        self.assertEqual(self.recover("--json"), 1)
        one, two = map(json.loads, self.out.getvalue().splitlines())
        self.assertEqual((one["duration_ms"], one["damaged"]), (3000, 0))
        self.assertIn("not as a WAV file", two["error"])

    def test_sealed(self) -> None:
        """With the file of a key what is finished is sealed; a bad file is an error."""
        key = self.folder / "key"
        key.write_text("a secret of some length\n")
        leave(self.folder / "one.wav")
        self.assertEqual(self.recover("--key-file", str(key)), 0)
        (end,) = read_lines(self.folder / "one.jsonl")[-1:]
        self.assertEqual(end["seal"], sealed(end["chain"], b"a secret of some length"))
        leave(self.folder / "two.wav")
        self.assertEqual(self.recover("--key-file", "/nowhere"), 2)
        self.assertEqual(self.recover(), 0)
        self.assertNotIn("seal", read_lines(self.folder / "two.jsonl")[-1])

    def test_failed(self) -> None:
        """What cannot be finished is told, and is 1."""
        (self.folder / f"two.wav{PART_SUFFIX}").write_bytes(b"x" * 1000)
        self.assertEqual(self.recover(), 1)
        self.assertIn("two.wav.part: ", self.out.getvalue())

    def test_live(self) -> None:
        """What somebody writes is left alone."""
        part = PartFile(self.folder / "live.wav", MULAW_8K)
        part.open()
        part.append(Batch([], [], 1_000_000))
        self.addCleanup(part.discard)
        self.assertEqual(self.recover(), 0)
        self.assertEqual(self.out.getvalue(), "0 finished, 0 could not be\n")
