"""Tests of recordings in other formats, held against our own tables of G.711."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import g711
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.errors import AudioFormatError, ConfigError
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording import convert as converting
from twistedvoice.recording.convert import ExportFormat, convert, is_true_copy

#: Every code of mu-law on each side, and more than two blocks of it.
SOUND = bytes(range(256)) * 600 + b"\x7f\x80"
FRAMES = len(SOUND) // 2
FORMATS: tuple[ExportFormat, ...] = ("flac", "opus")


class ConvertTests(SynchronousTestCase):
    """One recording, and what is made of it."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.source = self.folder / "n-1.wav"
        writer = WavWriter(self.source, MULAW_8K, 2)
        writer.write(SOUND)
        writer.close()

    def convert(self, format: ExportFormat) -> Path:  # noqa: A002
        """:returns: the recording in this format."""
        target = self.source.with_suffix(f".{format}")
        convert(self.source, target, format)
        return target

    def assert_only_source(self) -> None:
        """Nothing was left behind."""
        self.assertEqual([*self.folder.iterdir()], [self.source])

    def test_flac(self) -> None:
        """FLAC has both channels, and decodes to what mu-law decodes to."""
        samples, rate = soundfile.read(self.convert("flac"), dtype="int16")
        expected = g711.decode(SOUND, "mulaw").reshape(-1, 2)
        self.assertEqual(rate, 8000)
        self.assertTrue(np.array_equal(samples, expected))

    def test_opus(self) -> None:
        """Opus is smaller, and lasts as long on both channels."""
        target = self.convert("opus")
        info = soundfile.info(target)
        self.assertEqual((info.format, info.subtype), ("OGG", "OPUS"))
        self.assertEqual((info.channels, info.samplerate), (2, 8000))
        self.assertEqual(info.frames, FRAMES)
        self.assertLess(target.stat().st_size, len(SOUND))
        self.assertEqual(target.stat().st_mode & 0o137, 0, "others may read it")

    def test_again(self) -> None:
        """What a killed process left is replaced, and so is a target."""
        for format in FORMATS:  # noqa: A001
            target = self.source.with_suffix(f".{format}")
            target.write_bytes(b"old")
            target.with_name(target.name + ".new").write_bytes(b"x" * 1_000_000)
            self.assertTrue(is_true_copy(self.source, self.convert(format), format))
            self.assertEqual({*self.folder.iterdir()}, {self.source, target})
            target.unlink()

    def test_untrue(self) -> None:
        """A copy with another sample, or another length, is none."""
        target = self.convert("flac")
        samples, rate = soundfile.read(target, dtype="int16")
        soundfile.write(target, samples[:-1], rate)
        self.assertFalse(is_true_copy(self.source, target, "flac"))
        self.assertFalse(is_true_copy(self.source, target, "opus"))
        samples[-1, 1] += 1
        soundfile.write(target, samples, rate)
        self.assertFalse(is_true_copy(self.source, target, "flac"))

    def test_changed_meanwhile(self) -> None:
        """What does not read back as the recording never gets the name."""

        def changed(source: Path, copy: Path, format: ExportFormat) -> bool:  # noqa: A002
            source.write_bytes(source.read_bytes()[:-1] + b"\x01")
            return is_true_copy(source, copy, format)

        self.patch(converting, "is_true_copy", changed)
        self.assertRaises(OSError, self.convert, "flac")
        self.assert_only_source()

    def test_no_sound(self) -> None:
        """What is no sound cannot be read."""
        self.source.write_text("hello")
        for format in FORMATS:  # noqa: A001
            self.assertRaises(AudioFormatError, self.convert, format)
        self.assert_only_source()

    def test_encrypted(self) -> None:
        """What is encrypted is not written anywhere as it is."""
        source = self.source.rename(self.source.with_suffix(".vault"))
        target = source.with_suffix(".flac")
        error = self.assertRaises(AudioFormatError, convert, source, target, "flac")
        self.assertIn("is encrypted", str(error))
        self.assertFalse(target.exists())

    def test_full(self) -> None:
        """A disk without room is the system's error, and leaves nothing."""
        for format in FORMATS:  # noqa: A001
            (self.folder / f"n-1.{format}.new").symlink_to("/dev/full")
            self.assertRaises(OSError, self.convert, format)
        self.assert_only_source()

    def test_extra_missing(self) -> None:
        """Without soundfile it says what to install."""
        self.addCleanup(sys.modules.update, {"soundfile": soundfile})
        sys.modules.update({"soundfile": None})  # type: ignore[dict-item]
        error = self.assertRaises(ConfigError, self.convert, "flac")
        self.assertIn("pip install 'twistedvoice[export]'", str(error))

    def test_process(self) -> None:
        """As a process it says by its status whether trying again may help."""
        missing = self.folder / "gone" / "n-1.wav"
        broken = self.folder / "broken.wav"
        broken.write_text("hello")
        for source, status in ((missing, 1), (broken, os.EX_DATAERR)):
            ended = subprocess.run(
                [
                    *(sys.executable, "-m", "twistedvoice.recording.convert"),
                    *(str(source), str(self.folder / "n-1.flac")),
                ],
                env={"PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(ended.returncode, status)
            self.assertIn(str(source), ended.stderr.splitlines()[-1])
