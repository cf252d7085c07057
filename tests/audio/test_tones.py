# -*- test-case-name: tests.audio.test_tones -*-
"""What is dialled is understood by a receiver that was written from the standard."""

from __future__ import annotations

import math

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.audio.tones import MOST_DIGITS, dtmf
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat

from .dtmf_receiver import heard, powers

KEYS = "1234567890*#ABCD"
WIDE = AudioFormat("l16", 16000)


def samples(audio: bytes, sound: AudioFormat = MULAW_8K) -> list[float]:
    """:returns: what an ear at 8 kHz gets."""
    return [float(s) for s in pcm.decode(audio, sound)[:: sound.rate // 8000]]


class DialTests(SynchronousTestCase):
    """Tones as a receiver hears them."""

    def test_every_key(self) -> None:
        """Each key is understood in each format, mu-law's noise and all."""
        for sound in (MULAW_8K, ALAW_8K, WIDE):
            self.assertEqual(heard(samples(dtmf(KEYS, sound), sound)), KEYS)

    def test_same_key_twice(self) -> None:
        """The pause tells two of the same from one."""
        self.assertEqual(heard(samples(dtmf("1122211", MULAW_8K))), "1122211")

    def test_worn_line(self) -> None:
        """They are understood 20 dB quieter, over noise and beside the frequency."""
        noise = np.random.default_rng(1).normal(0, 60, 8000)
        audio = np.array(samples(dtmf("0#9D1", MULAW_8K))) / 10
        self.assertEqual(heard(list(audio + noise[: len(audio)])), "0#9D1")

    def test_levels(self) -> None:
        """The low tone is at -8 dBm0, the high one at -6, and nothing else sounds."""
        block = samples(dtmf("5", MULAW_8K))[80:720]
        found = powers(block)
        zero_dbm0 = (32636 * 10 ** (-3.17 / 20)) ** 2 / 2
        self.assertLess(abs(10 * math.log10(found[770] / zero_dbm0) + 8), 0.2)
        self.assertLess(abs(10 * math.log10(found[1336] / zero_dbm0) + 6), 0.2)
        total = float(np.mean(np.square(block)))
        self.assertLess(abs(total / (found[770] + found[1336]) - 1), 0.02)

    def test_times(self) -> None:
        """A tone and the pause after it last 100 ms each, and ``w`` half a second."""
        loud = np.abs(np.array(samples(dtmf("7w8", MULAW_8K)))) > 50
        edges = np.flatnonzero(
            np.diff(loud[: len(loud) // 80 * 80].reshape(-1, 80).any(1))
        )
        self.assertEqual(list((edges + 1) * 10), [100, 700, 800])
        self.assertEqual(len(loud), 7200)

    def test_no_click(self) -> None:
        """A tone begins and ends softly."""
        tone = np.abs(np.array(samples(dtmf("1", MULAW_8K)))[:800])
        self.assertLess(max(tone[:3].max(), tone[-3:].max()), 2500)
        self.assertGreater(tone.max(), 15000)

    def test_refused(self) -> None:
        """What is no key, or too much, is refused without being repeated."""
        for digits in ("12x", "1 2", "1" * (MOST_DIGITS + 1)):
            error = self.assertRaises(ValueError, dtmf, digits, MULAW_8K)
            self.assertNotIn(digits, str(error))
        self.assertEqual(dtmf("", MULAW_8K), b"")
