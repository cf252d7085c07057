"""Sound on its way to an API and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.sound import Converter, Pieces
from twistedvoice.audio import pcm
from twistedvoice.audio.pcm import Samples
from twistedvoice.audio.resample import resample
from twistedvoice.formats import MULAW_8K, AudioFormat

__all__ = ["SoundTests"]

_16K, _24K = AudioFormat("l16", 16000), AudioFormat("l16", 24000)


def tone(rate: int) -> Samples:
    """:returns: 200 ms of 440 Hz."""
    time = np.arange(rate // 5) / rate
    return (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)


class SoundTests(SynchronousTestCase):
    """Converted piece by piece."""

    def test_untouched(self) -> None:
        """The same format is passed through, byte for byte."""
        same = Converter(MULAW_8K, MULAW_8K)
        self.assertEqual((same.convert(b"\1\2\3"), same.rest()), (b"\1\2\3", b""))

    @settings(max_examples=40)
    @given(st.lists(st.integers(0, 3000), max_size=20), st.booleans())
    def test_no_seams(self, sizes: list[int], up: bool) -> None:
        """However it is cut, even within a sample, it is what it is in one piece."""
        one, other = (MULAW_8K, _16K) if up else (_24K, MULAW_8K)
        sound = pcm.encode(tone(one.rate), one)
        converter, made, at = Converter(one, other), b"", 0
        for size in [*sizes, len(sound)]:
            made += converter.convert(sound[at : at + size])
            at += size
        made += converter.rest()
        whole = resample(pcm.decode(sound, one), one.rate, other.rate)
        self.assertEqual(made, pcm.encode(whole, other))

    def test_nothing_is_lost(self) -> None:
        """As much comes out as went in, to the sample."""
        converter = Converter(_24K, MULAW_8K)
        made = converter.convert(bytes(48_000)) + converter.rest()
        self.assertEqual(made, b"\xff" * 8000)

    def test_pieces(self) -> None:
        """Two frames go out together; frames of any size are kept in order."""
        pieces = Pieces(MULAW_8K)
        frames = [bytes([n]) * 160 for n in range(4)]
        made = [pieces.add(frame) for frame in frames]
        self.assertEqual(made, [b"", b"".join(frames[:2]), b"", b"".join(frames[2:])])
        self.assertEqual(pieces.add(b"\1" * 319), b"")
        self.assertEqual(pieces.add(b"\2" * 500), b"\1" * 319 + b"\2" * 500)
