"""What whoever writes the parts of recordings must do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.python.failure import Failure

from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import ALAW_8K, MULAW_8K
from twistedvoice.realtime.tracks import Note
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.parts import Job, Parts
from twistedvoice.recording.seal import sealed
from twistedvoice.recording.sidecar import read_lines

HELLO, WELCOME = b"\x80" * 160, b"\x00" * 160
LOUD, LOW = 32124, -32124


class PartsContract:
    """Mixed into a test case that has a ``folder`` and makes the ``parts``."""

    folder: Path
    parts: Parts
    assertEqual: Any
    assertIn: Any
    assertNotIn: Any
    assertIsNone: Any
    assertIsInstance: Any
    assertRaises: Any

    def test_life(self) -> None:
        """A part grows, tells of itself, and is whole under its name in the end."""
        self.parts.start()
        part = self.parts.new(self.folder / "a.wav", MULAW_8K, about={"call_id": "C"})
        self.assertIsNone(part.path)
        part.open()
        self.assertEqual(part.path, self.folder / "a.wav.part")
        part.append(Batch([(0, HELLO)], [(0, WELCOME)], 20_000, 20_000))
        self.assertEqual(part.duration_ms, 20)
        part.finish(Batch([(0, HELLO)], [], 50_000, 50_000))
        self.assertEqual(part.path, self.folder / "a.wav")
        self.assertEqual((part.duration_ms, part.late_frames), (50, 0))
        self.assertEqual((part.dropped_frames, list(part.lost)), (1, []))
        samples = read_wav(self.folder / "a.wav").samples
        self.assertEqual(samples[0].tolist(), [LOUD, LOW])
        self.assertEqual(read_lines(self.folder / "a.jsonl")[0]["call_id"], "C")

    def test_other_format_and_notes(self) -> None:
        """What was said of the sound arrives with it, in any format."""
        part = self.parts.new(self.folder / "a.wav", ALAW_8K, fsync="second")
        part.open()
        said = Note("played", 20_000, 1, 0, 20_000)
        part.finish(Batch([(0, HELLO)], [(0, HELLO)], 40_000, 40_000, [said]))
        kinds = [line["kind"] for line in read_lines(self.folder / "a.jsonl")]
        self.assertEqual(kinds.count("said"), 1)

    def test_sealed(self) -> None:
        """With a key it is sealed, and says how, and shows the key to nobody."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K, key=b"hush" * 4)
        self.assertNotIn("hush", repr(part))
        part.open()
        self.assertEqual((part.chain, part.seal), ("", ""))
        part.finish(Batch([(0, HELLO)], [], 20_000, 20_000))
        end = read_lines(self.folder / "a.jsonl")[-1]
        self.assertEqual((part.chain, part.seal), (end["chain"], end["seal"]))
        self.assertEqual(part.seal, sealed(part.chain, b"hush" * 4))

    def test_discard(self) -> None:
        """Nothing is left of a part that is discarded."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        part.discard()
        self.assertIsNone(part.path)
        # What begins with a dot is no recording.
        self.assertEqual(list(self.folder.glob("[!.]*")), [])

    def test_no_folder(self) -> None:
        """What the disk says is raised as it said it; finishing then does nothing."""
        self.folder.mkdir()
        (self.folder / "file").touch()
        part = self.parts.new(self.folder / "file" / "a.wav", MULAW_8K)
        error = self.assertRaises(OSError, part.open)
        self.assertIsInstance(error, (NotADirectoryError, FileExistsError))
        self.assertIn(str(self.folder / "file"), error.filename)
        part.fail()
        self.assertIsNone(part.path)

    def test_many_at_once(self) -> None:
        """Of many jobs each comes to its own."""
        parts = [self.parts.new(self.folder / f"{n}.wav", MULAW_8K) for n in range(3)]
        self.assertEqual(
            self.parts.do_all([Job(part.open, ()) for part in parts]), [None] * 3
        )
        batch = Batch([(0, HELLO)], [], 20_000, 20_000)
        (self.folder / "1.wav.part").rename(self.folder / "elsewhere")
        results = self.parts.do_all([Job(part.finish, (batch,)) for part in parts])
        self.assertEqual([results[0], results[2]], [None, None])
        self.assertIsInstance(results[1], Failure)
        self.assertIsInstance(results[1].value, FileNotFoundError)
        names = sorted(path.name for path in self.folder.glob("*.wav"))
        self.assertEqual(names, ["0.wav", "2.wav"])
