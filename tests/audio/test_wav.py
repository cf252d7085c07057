"""Tests for :mod:`twistedvoice.audio.wav` and :mod:`twistedvoice.audio.riff`."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.audio.wav import WavFile, load, read_wav
from twistedvoice.errors import AudioFormatError
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat

STEREO = (np.arange(600).reshape(-1, 2) * 97 - 29000).astype(np.int16)
#: A fmt chunk of one channel of 16 bits at 8 kHz.
PLAIN_FORMAT = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """:returns: a chunk, padded; ``size`` may tell a lie."""
    stated = len(body) if size is None else size
    return name + struct.pack("<I", stated) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    """:returns: a whole file; ``size`` may tell a lie."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


class WavTestCase(SynchronousTestCase):
    """Has files to read."""

    def file(self, content: bytes) -> Path:
        """:returns: the path of a file with ``content``."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return path

    def written(self, subtype: str, format_: str = "WAV", rate: int = 8000) -> Path:
        """:returns: the path of a file that libsndfile made of ``STEREO``."""
        path = Path(self.mktemp())
        soundfile.write(path, STEREO, rate, subtype=subtype, format=format_)
        return path


class ReadTests(WavTestCase):
    """Reading what others wrote."""

    def test_exact_subtypes(self) -> None:
        """What holds 16 bits gives every bit of them back."""
        for subtype in ("PCM_16", "PCM_24", "PCM_32"):
            for format_ in ("WAV", "WAVEX"):
                sound = read_wav(self.written(subtype, format_, 44100))
                np.testing.assert_array_equal(sound.samples, STEREO)
                self.assertEqual(sound.rate, 44100)

    def test_as_libsndfile(self) -> None:
        """G.711 is read as libsndfile reads it, extensible or not."""
        for subtype in ("ULAW", "ALAW"):
            for format_ in ("WAV", "WAVEX"):
                path = self.written(subtype, format_)
                expected, _ = soundfile.read(path, dtype="int16")
                np.testing.assert_array_equal(read_wav(path).samples, expected)

    def test_eight_bits(self) -> None:
        """Eight bits come as near as they can."""
        samples = read_wav(self.written("PCM_U8")).samples.astype(np.int32)
        self.assertLess(int(np.abs(samples - STEREO).max()), 256)

    def test_floats(self) -> None:
        """Floats give the samples back that they were made of."""
        path = Path(self.mktemp())
        soundfile.write(path, STEREO / 32768, 8000, subtype="FLOAT", format="WAV")
        np.testing.assert_array_equal(read_wav(path).samples, STEREO)

    def test_floats_beyond_full_scale(self) -> None:
        """Floats that no sample can hold are clipped, and no number is silence."""
        path = self.file(
            riff(
                chunk(b"fmt ", struct.pack("<HHIIHH", 3, 1, 8000, 32000, 4, 32)),
                chunk(b"data", struct.pack("<4f", 7.0, -7.0, float("nan"), 0.5)),
            )
        )
        samples = read_wav(path).samples[:, 0].tolist()
        self.assertEqual(samples, [32767, -32768, 0, 16384])

    def test_other_chunks(self) -> None:
        """Chunks round the sound are passed over, odd ones with their pad."""
        path = self.file(
            riff(
                chunk(b"LIST", b"odd"),
                chunk(b"fmt ", PLAIN_FORMAT),
                chunk(b"note", b"12345"),
                chunk(b"data", b"\x01\0\x02\0"),
                chunk(b"LIST", b"INFO"),
            )
        )
        self.assertEqual(read_wav(path).samples.tolist(), [[1], [2]])

    def test_unfinished(self) -> None:
        """A size that was never filled in, or lies, does not hide the sound."""
        for size in (0, 0xFFFFFFFF, 5000):
            path = self.file(
                riff(
                    chunk(b"fmt ", PLAIN_FORMAT),
                    chunk(b"data", b"\x01\0\x02\0\x03", size),
                    size=0,
                )[:-1]
            )
            self.assertEqual(read_wav(path).samples.tolist(), [[1], [2]], size)

    def test_no_sound(self) -> None:
        """A finished file may hold no sound, whatever follows."""
        path = self.file(
            riff(
                chunk(b"fmt ", PLAIN_FORMAT), chunk(b"data", b""), chunk(b"x", b"abcd")
            )
        )
        self.assertEqual(read_wav(path).samples.shape, (0, 1))

    def assert_refused(self, content: bytes, found: str) -> None:
        """Assert that the error names the file and what was found."""
        path = self.file(content)
        with self.assertRaises(AudioFormatError) as caught:
            read_wav(path)
        self.assertIn(str(path), str(caught.exception))
        self.assertIn(found, str(caught.exception))

    def test_refused(self) -> None:
        """What cannot be read is refused with what was found."""
        adpcm = struct.pack("<HHIIHH", 2, 1, 8000, 8000, 1, 8)
        impossible = struct.pack("<HHIIHH", 1, 2, 8000, 16000, 2, 16)
        unknown = struct.pack("<HHIIHH", 0xFFFE, 1, 8000, 16000, 2, 16) + bytes(24)
        for content, found in (
            (b"", "b''"),
            (b"ID3\x03" + bytes(40), "ID3"),
            (riff(chunk(b"fmt ", PLAIN_FORMAT)), "no data"),
            (riff(chunk(b"data", b"ab")), "before its format"),
            (riff(chunk(b"fmt ", b"short"), chunk(b"data", b"")), "5 bytes"),
            (riff(chunk(b"fmt ", adpcm), chunk(b"data", b"")), "format 2 with 8 bits"),
            (
                riff(chunk(b"fmt ", impossible), chunk(b"data", b"")),
                "frames of 2 bytes",
            ),
            (riff(chunk(b"fmt ", unknown), chunk(b"data", b"")), "0000"),
        ):
            self.assert_refused(content, found)

    def test_cut_anywhere(self) -> None:
        """A file cut at any byte is read or refused, and nothing else."""
        whole = self.written("ULAW").read_bytes()
        for length in range(len(whole)):
            path = self.file(whole[:length])
            try:
                frames = len(read_wav(path).samples)
            except AudioFormatError:
                self.assertLess(length, 58)
            else:
                self.assertEqual(frames, (length - 58) // 2)


class PiecesTests(WavTestCase):
    """Reading a file piece by piece."""

    def test_pieces(self) -> None:
        """A piece is what lies there, of any format; behind the end is nothing."""
        for subtype in ("PCM_16", "PCM_24", "ULAW"):
            path = self.written(subtype)
            whole = read_wav(path).samples
            with WavFile(path) as file:
                self.assertEqual(
                    (file.frames, file.channels, file.rate), (300, 2, 8000)
                )
                for start, count in ((290, 20), (0, 7), (133, 100), (300, 5), (900, 1)):
                    piece = file.read(start, count)
                    np.testing.assert_array_equal(piece, whole[start : start + count])


class LoadTests(WavTestCase):
    """Prompts in the format of the call."""

    def test_mono_and_format(self) -> None:
        """The channels are mixed and the result is encoded."""
        mean = np.asarray(np.rint(STEREO.mean(axis=1)), np.int16)
        for format_ in (MULAW_8K, ALAW_8K, AudioFormat("l16", 8000)):
            self.assertEqual(
                load(self.written("PCM_16"), format_), pcm.encode(mean, format_)
            )

    def test_resampled(self) -> None:
        """The result plays as long as the file, at the rate of the format."""
        path = self.written("PCM_16", rate=44100)
        for rate in (8000, 16000, 24000):
            size = len(load(path, AudioFormat("l16", rate)))
            self.assertEqual(size, 2 * -(-300 * rate // 44100))

    def test_untouched(self) -> None:
        """A prompt that is mu-law already stays the same to the byte."""
        speech = bytes(code for code in range(256) if code != 0x7F)
        form = struct.pack("<HHIIHHH", 7, 1, 8000, 8000, 1, 8, 0)
        path = self.file(riff(chunk(b"fmt ", form), chunk(b"data", speech)))
        self.assertEqual(load(str(path), MULAW_8K), speech)
