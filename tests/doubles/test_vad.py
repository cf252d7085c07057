"""The detector hears on the sound itself."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.pcm import Samples
from twistedvoice.doubles.vad import Edge, EnergyVad
from twistedvoice.doubles.voice import tones

__all__ = ["VadTests"]

RATE = 8000
SPEECH = tones("one two three", RATE)


def silence(milliseconds: int) -> Samples:
    """:returns: what a quiet line sounds like: noise at -60 dB."""
    size = RATE * milliseconds // 1000
    return np.random.default_rng(1).integers(-30, 30, size).astype(np.int16)


def heard(sound: Samples, step: int, **options: float) -> list[Edge]:
    """:returns: what is detected in ``sound``, fed in pieces."""
    vad = EnergyVad(
        RATE,
        threshold=options.get("threshold", 0.5),
        padding_ms=100,
        silence_ms=300,
        speech_ms=int(options.get("speech_ms", 60)),
    )
    pieces = range(0, len(sound), step)
    return [edge for at in pieces for edge in vad.feed(sound[at : at + step])]


class VadTests(SynchronousTestCase):
    """When speech begins and ends."""

    def test_edges(self) -> None:
        """Speech begins a little before it is loud, and ends after enough silence."""
        sound = np.concatenate([silence(500), SPEECH, silence(600)])
        # The last word is followed by 60 ms of silence of its own.
        edges = [Edge("started", 400), Edge("stopped", 500 + 840 + 300)]
        for step in (160, 133, 4000, len(sound)):
            self.assertEqual(heard(sound, step), edges)

    def test_pause_within(self) -> None:
        """A pause between words ends nothing."""
        sound = np.concatenate([SPEECH, silence(200), SPEECH, silence(600)])
        self.assertEqual([e.kind for e in heard(sound, 160)], ["started", "stopped"])

    def test_click(self) -> None:
        """Forty milliseconds of noise are no speech."""
        sound = np.concatenate([silence(100), SPEECH[:320], silence(600)])
        self.assertEqual(heard(sound, 160), [])

    def test_patience(self) -> None:
        """How long a sound must be until it is speech can be said."""
        word = np.concatenate([silence(100), SPEECH[:1600], silence(600)])
        self.assertEqual(len(heard(word, 160, speech_ms=200)), 2)
        self.assertEqual(heard(word, 160, speech_ms=240), [])

    def test_threshold(self) -> None:
        """A soft voice is heard only below a threshold that lets it in."""
        soft = (SPEECH // 20).astype(np.int16)
        self.assertEqual(heard(soft, 160), [])
        self.assertNotEqual(heard(soft, 160, threshold=0.3), [])
