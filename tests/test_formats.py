"""The arithmetic of sound in bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import ALAW_8K, FRAME_US, MULAW_8K, AudioFormat

from .carriers.junk import steady

L16_16K = AudioFormat("l16", 16000)
FORMATS = st.sampled_from([MULAW_8K, ALAW_8K, L16_16K, AudioFormat("l16", 24000)])


class AudioFormatTests(SynchronousTestCase):
    """What follows from an encoding and a rate."""

    def test_sizes(self) -> None:
        """A frame of 20 ms has the bytes that every carrier expects."""
        self.assertEqual((MULAW_8K.frame_bytes, ALAW_8K.frame_bytes), (160, 160))
        self.assertEqual((L16_16K.frame_bytes, L16_16K.bytes_per_second), (640, 32_000))
        self.assertEqual((MULAW_8K.sample_bytes, L16_16K.sample_bytes), (1, 2))

    def test_silence(self) -> None:
        """Silence is what the ear hears as nothing, in whole samples [B19]."""
        self.assertEqual(MULAW_8K.silence(3), b"\xff\xff\xff")
        self.assertEqual(ALAW_8K.silence(3), b"\xd5\xd5\xd5")
        self.assertEqual(L16_16K.silence(4), b"\0\0\0\0")

    def test_duration(self) -> None:
        """A frame plays 20 ms, and less than a microsecond is not counted."""
        for sound in (MULAW_8K, ALAW_8K, L16_16K):
            self.assertEqual(sound.duration_us(sound.frame_bytes), FRAME_US)
        self.assertEqual(AudioFormat("l16", 44_100).duration_us(2), 22)

    @steady
    @given(FORMATS, st.integers(0, 10_000_000))
    def test_bytes_in(self, sound: AudioFormat, span_us: int) -> None:
        """As many whole samples as fit into a span, and one more would not."""
        size = sound.bytes_in(span_us)
        self.assertEqual(size % sound.sample_bytes, 0)
        self.assertLessEqual(sound.duration_us(size), span_us)
        self.assertGreaterEqual(sound.duration_us(size + sound.sample_bytes), span_us)
