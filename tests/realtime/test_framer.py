"""Sound of any size becomes frames of 20 ms, and none of it is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat
from twistedvoice.realtime.framer import Framer

from ..carriers.junk import steady

FORMATS = st.sampled_from([MULAW_8K, ALAW_8K, AudioFormat("l16", 16000)])
CHUNKS = st.lists(st.binary(max_size=1500), max_size=12)


class FramerTests(SynchronousTestCase):
    """What :class:`Framer` gives back of what it was given [AO-1]."""

    @steady
    @given(FORMATS, CHUNKS)
    def test_nothing_is_lost(self, sound: AudioFormat, chunks: list[bytes]) -> None:
        """Frames and tail together are the input, and every frame is whole."""
        framer = Framer(sound)
        frames = [frame for chunk in chunks for frame in framer.push(chunk)]
        self.assertEqual(b"".join([*frames, framer.tail]), b"".join(chunks))
        self.assertLessEqual({len(frame) for frame in frames}, {sound.frame_bytes})
        self.assertLess(len(framer.tail), sound.frame_bytes)

    @steady
    @given(FORMATS, CHUNKS)
    def test_finish(self, sound: AudioFormat, chunks: list[bytes]) -> None:
        """The end pads the last whole samples with silence to one frame at most."""
        framer = Framer(sound)
        for chunk in chunks:
            framer.push(chunk)
        whole = len(framer.tail) // sound.sample_bytes * sound.sample_bytes
        tail = framer.tail[:whole]
        last = framer.finish()
        self.assertEqual(len(last), 1 if tail else 0)
        for frame in last:
            silence = sound.silence(sound.frame_bytes - len(tail))
            self.assertEqual(frame, tail + silence)
        self.assertEqual((framer.tail, framer.finish()), (b"", []))

    def test_torn_sample_is_not_padded(self) -> None:
        """Half a sample at the very end is dropped and does not become noise."""
        framer = Framer(AudioFormat("l16", 8000))
        framer.push(b"\x01\x02\x03")
        self.assertEqual(framer.finish(), [b"\x01\x02" + b"\0" * 318])
        framer.push(b"\x01")
        self.assertEqual(framer.finish(), [])

    def test_frames_come_at_once(self) -> None:
        """A frame is given out with the byte that completes it, not later."""
        framer = Framer(MULAW_8K)
        self.assertEqual(framer.push(b"a" * 159), [])
        self.assertEqual(framer.push(b"a"), [b"a" * 160])
        self.assertEqual(framer.push(b"b" * 330), [b"b" * 160, b"b" * 160])
        self.assertEqual(framer.tail, b"b" * 10)
