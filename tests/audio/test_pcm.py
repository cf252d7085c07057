"""Tests for :mod:`twistedvoice.audio.pcm`."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.errors import AudioFormatError
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat

L16 = AudioFormat("l16", 16000)


class PcmTests(SynchronousTestCase):
    """Every format, both ways."""

    def test_l16_is_little_endian(self) -> None:
        """The low byte comes first."""
        self.assertEqual(
            pcm.decode(b"\x01\x00\xff\xff\x00\x80", L16).tolist(), [1, -1, -32768]
        )
        self.assertEqual(
            pcm.encode(np.array([258, -2], np.int16), L16), b"\x02\x01\xfe\xff"
        )

    def test_g711(self) -> None:
        """The law is that of the format."""
        self.assertEqual(pcm.decode(b"\x80", MULAW_8K).tolist(), [32124])
        self.assertEqual(pcm.decode(b"\xd5", ALAW_8K).tolist(), [8])
        self.assertEqual(pcm.encode(np.array([0], np.int16), ALAW_8K), b"\xd5")

    def test_silence_of_every_format(self) -> None:
        """The silence of a format is next to nothing in samples."""
        for format_ in (MULAW_8K, ALAW_8K, L16):
            samples = pcm.decode(format_.silence(format_.frame_bytes), format_)
            self.assertLessEqual(int(np.abs(samples).max()), 8)

    def test_strided_samples(self) -> None:
        """One channel of several can be encoded as it is."""
        stereo = np.array([[0, 1], [32124, 2]], np.int16)
        self.assertEqual(pcm.encode(stereo[:, 0], MULAW_8K), b"\xff\x80")
        self.assertEqual(pcm.encode(stereo[:, 1], L16), b"\x01\0\x02\0")

    def test_half_a_sample(self) -> None:
        """Bytes that end inside a sample are refused."""
        with self.assertRaises(AudioFormatError) as caught:
            pcm.decode(b"\0\0\0", L16)
        self.assertIn("3 bytes", str(caught.exception))
