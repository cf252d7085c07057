"""Tests for :mod:`twistedvoice.audio.wavwriter`."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.audio.wav import read_wav
from twistedvoice.audio.wavwriter import WavWriter, repair_wav
from twistedvoice.errors import AudioFormatError
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat

L16 = AudioFormat("l16", 16000)
STEREO = (np.arange(400).reshape(-1, 2) * 150 - 29000).astype(np.int16)


class WriterTests(SynchronousTestCase):
    """Writing."""

    def setUp(self) -> None:
        """Have a path."""
        self.path = Path(self.mktemp())

    def test_as_libsndfile(self) -> None:
        """Another program reads what was written, in every format."""
        for format_, subtype in (
            (MULAW_8K, "ULAW"),
            (ALAW_8K, "ALAW"),
            (L16, "PCM_16"),
        ):
            sound = pcm.encode(STEREO.reshape(-1), format_)
            writer = WavWriter(self.path, format_, 2)
            writer.write(sound[:100])
            writer.write(sound[100:])
            writer.close()
            info = soundfile.info(self.path)
            samples, _ = soundfile.read(self.path, dtype="int16")
            self.assertEqual(
                (info.subtype, info.samplerate, info.channels, info.frames),
                (subtype, format_.rate, 2, 200),
            )
            expected = pcm.decode(sound, format_).reshape(-1, 2)
            np.testing.assert_array_equal(samples, expected)
            np.testing.assert_array_equal(read_wav(self.path).samples, expected)

    def test_header(self) -> None:
        """Mu-law is format 7 with an 18-byte fmt and a fact chunk, sizes all right."""
        writer = WavWriter(self.path, MULAW_8K, 2)
        writer.write(b"\xff" * 320)
        writer.close()
        self.assertEqual(
            self.path.read_bytes()[:58],
            b"RIFF"
            + struct.pack("<I", 50 + 320)
            + b"WAVEfmt "
            + struct.pack("<IHHIIHHH", 18, 7, 2, 8000, 16000, 2, 8, 0)
            + b"fact"
            + struct.pack("<II", 4, 160)
            + b"data"
            + struct.pack("<I", 320),
        )

    def test_readable_while_written(self) -> None:
        """A copy taken in the middle can be played, by us and by others."""
        writer = WavWriter(self.path, MULAW_8K, 2)
        writer.write(b"\x80\xff" * 50)
        samples, _ = soundfile.read(self.path, dtype="int16")
        self.assertEqual(samples.shape, (50, 2))
        np.testing.assert_array_equal(read_wav(self.path).samples, samples)
        writer.close()

    def test_odd_size(self) -> None:
        """An odd number of bytes is padded; the pad is no sound."""
        writer = WavWriter(self.path, MULAW_8K, 1)
        writer.write(b"\x80\x80\x80")
        writer.close()
        self.assertEqual(len(self.path.read_bytes()), 58 + 4)
        self.assertEqual(read_wav(self.path).samples.tolist(), [[32124]] * 3)

    def test_close_twice(self) -> None:
        """Closing again changes nothing."""
        writer = WavWriter(self.path, MULAW_8K, 1)
        writer.close()
        content = self.path.read_bytes()
        writer.close()
        self.assertEqual(self.path.read_bytes(), content)

    def test_sync(self) -> None:
        """What was written can be had on the disk itself, and more can follow."""
        writer = WavWriter(self.path, MULAW_8K, 1)
        writer.write(b"a" * 80)
        writer.sync()
        writer.write(b"b" * 80)
        writer.close()
        self.assertEqual(self.path.read_bytes()[58:], b"a" * 80 + b"b" * 80)

    def test_no_such_folder(self) -> None:
        """A path that cannot be opened is an OSError."""
        self.assertRaises(OSError, WavWriter, self.path / "x", MULAW_8K, 1)

    def test_disk_full(self) -> None:
        """A disk that is full from the start is an OSError."""
        self.assertRaises(OSError, WavWriter, "/dev/full", MULAW_8K, 1)


class RepairTests(SynchronousTestCase):
    """Mending what a dead writer left."""

    def written(self, data: bytes, channels: int = 2) -> Path:
        """:returns: a file whose writer never closed it."""
        path = Path(self.mktemp())
        writer = WavWriter(path, MULAW_8K, channels)
        writer.write(data)
        writer.file.close()
        return path

    def test_same_as_closed(self) -> None:
        """A mended file is what its writer would have made of it."""
        path, other = self.written(b"ab" * 80), Path(self.mktemp())
        writer = WavWriter(other, MULAW_8K, 2)
        writer.write(b"ab" * 80)
        writer.close()
        self.assertTrue(repair_wav(path))
        self.assertEqual(path.read_bytes(), other.read_bytes())
        self.assertFalse(repair_wav(path))

    def test_partial_frame(self) -> None:
        """What ends inside a sample frame loses that."""
        path = self.written(b"ababa")
        self.assertTrue(repair_wav(path))
        self.assertEqual(path.read_bytes()[54:], b"\x04\0\0\0abab")
        self.assertEqual(soundfile.info(path).frames, 2)

    def test_odd_mono(self) -> None:
        """One channel of an odd length is padded."""
        path = self.written(b"aaa", channels=1)
        self.assertTrue(repair_wav(path))
        self.assertEqual(path.read_bytes()[54:], b"\x03\0\0\0aaa\0")
        self.assertFalse(repair_wav(path))

    def test_others_are_left_alone(self) -> None:
        """A good file of somebody else is not touched, with all its chunks."""
        path = Path(self.mktemp())
        with soundfile.SoundFile(
            path, "w", 8000, 1, subtype="PCM_16", format="WAV"
        ) as file:
            file.title = "before"
            file.write(STEREO[:, 0])
            file.comment = "after"
        before = path.read_bytes()
        self.assertFalse(repair_wav(path))
        self.assertEqual(path.read_bytes(), before)

    def test_cut_anywhere(self) -> None:
        """A file cut at any byte is mended, or refused when its header is not whole."""
        whole = self.written(b"ab" * 20).read_bytes()
        path = Path(self.mktemp())
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            if length < 58:
                self.assertRaises(AudioFormatError, repair_wav, path)
            else:
                self.assertTrue(repair_wav(path))
                self.assertEqual(soundfile.info(path).frames, (length - 58) // 2)
