"""Tests for :mod:`twistedvoice.archive.speech`."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.babble import babble, beside
from twistedvoice.archive.speech import Span, level, speech
from twistedvoice.audio.pcm import Samples

RATE = 8000


def tone(seconds: float, amplitude: float) -> Samples:
    """:returns: a tone of 400 Hz."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(amplitude * np.sin(2 * np.pi * 400 * times), np.int16)


class SpeechTests(SynchronousTestCase):
    """When somebody speaks."""

    def spans(self, *parts: Samples | float) -> list[Span]:
        """:returns: the spans in sounds one after the other."""
        return speech(beside(*parts), RATE, 400)

    def test_places(self) -> None:
        """Each phrase is found where it is."""
        said = tone(1, 5000)
        self.assertEqual(
            self.spans(0.5, said, 0.6, said, 1.0), [Span(500, 1500), Span(2100, 3100)]
        )

    def test_breath(self) -> None:
        """A short pause is within speech; at the edges it is not."""
        said = tone(1, 5000)
        self.assertEqual(self.spans(0.1, said, 0.3, said, 0.1), [Span(100, 2400)])

    def test_click(self) -> None:
        """A click is no speech."""
        self.assertEqual(self.spans(1.0, tone(0.04, 20_000), 1.0), [])

    def test_noise(self) -> None:
        """The line's own noise is no speech, however loud the line is."""
        noise = np.random.default_rng(1).normal(0, 300, 4 * RATE)
        noise[RATE : 2 * RATE] += tone(1, 8000)
        noisy = np.asarray(noise, np.int16)
        self.assertEqual(speech(noisy, RATE, 400), [Span(1000, 2000)])

    def test_never_pauses(self) -> None:
        """Who speaks all the time is no noise."""
        self.assertEqual(self.spans(tone(3, 5000)), [Span(0, 3000)])

    def test_quiet(self) -> None:
        """Silence, near silence and nothing at all have no speech."""
        for sound in (beside(1.0), tone(1, 30), tone(0, 1)):
            self.assertEqual(speech(sound, RATE, 400), [])

    def test_level(self) -> None:
        """Levels are those of what was said, not of the pauses between."""
        sound = beside(3.0, tone(1, 3277), 4.0)
        found = level(sound, RATE, speech(sound, RATE, 400))
        assert found.speech_db is not None and found.peak_db is not None
        self.assertAlmostEqual(found.speech_db, -23.0, places=1)
        self.assertAlmostEqual(found.peak_db, -20.0, places=1)
        self.assertEqual(found.speech_ms, 1000)

    def test_level_of_silence(self) -> None:
        """Silence has no level."""
        found = level(beside(1.0), RATE, [])
        self.assertEqual((found.speech_db, found.peak_db), (None, None))
        self.assertEqual(found.speech_ms, 0)

    def test_babble(self) -> None:
        """A made-up voice with syllables is one span."""
        (span,) = self.spans(1.0, babble(1, 1.6), 1.0)
        self.assertEqual((span.start_ms, span.end_ms), (1000, 2600))
