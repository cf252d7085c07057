"""Tests for :mod:`twistedvoice.audio.resample`."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.pcm import Samples
from twistedvoice.audio.resample import Resampler, resample

RATES_IN = (8000, 16000, 24000, 44100, 48000)
RATES_OUT = (8000, 16000, 24000)
PAIRS = [(a, b) for a in RATES_IN for b in RATES_OUT if a != b]


def tone(hertz: float, rate: int, seconds: float = 0.5) -> Samples:
    """:returns: a sine at a third of full scale."""
    moments = np.arange(round(rate * seconds)) / rate
    sine = 10000 * np.sin(2 * np.pi * hertz * moments)
    return np.asarray(np.rint(sine), np.int16)


def level_db(samples: Samples) -> float:
    """:returns: the level against :func:`tone`, without the ends of the sound."""
    middle = samples[len(samples) // 5 : -len(samples) // 5].astype(float)
    rms = float(np.sqrt(np.mean(middle**2)))
    return float(20 * np.log10(max(rms, 1e-3) / (10000 / np.sqrt(2))))


class ChunkTests(SynchronousTestCase):
    """A sound in pieces is the sound in one piece."""

    @settings(deadline=None, max_examples=60)
    @given(
        pair=st.sampled_from(PAIRS),
        seed=st.integers(0, 2**32 - 1),
        sizes=st.lists(st.integers(0, 700), max_size=12),
    )
    def test_any_chunks(
        self, pair: tuple[int, int], seed: int, sizes: list[int]
    ) -> None:
        """However it is cut, every bit of the result is the same."""
        noise = np.random.default_rng(seed).integers(-32768, 32767, sum(sizes))
        sound = noise.astype(np.int16)
        resampler = Resampler(*pair)
        pieces = [
            resampler.process(chunk)
            for chunk in np.split(sound, np.cumsum(sizes)[:-1] if sizes else [])
        ]
        pieces.append(resampler.flush())
        np.testing.assert_array_equal(np.concatenate(pieces), resample(sound, *pair))

    def test_long_chunk(self) -> None:
        """A chunk of many internal steps is right at every seam."""
        sound = tone(440, 48000, 2.0)
        resampler = Resampler(48000, 8000)
        pieces = [
            resampler.process(sound[at : at + 960]) for at in range(0, 96000, 960)
        ]
        pieces.append(resampler.flush())
        np.testing.assert_array_equal(
            np.concatenate(pieces), resample(sound, 48000, 8000)
        )

    def test_again_after_flush(self) -> None:
        """The next sound knows nothing of the last one."""
        resampler = Resampler(44100, 8000)
        sound = tone(700, 44100)
        resampler.process(sound[::-1].copy())
        resampler.flush()
        again = np.concatenate([resampler.process(sound), resampler.flush()])
        np.testing.assert_array_equal(again, resample(sound, 44100, 8000))


class QualityTests(SynchronousTestCase):
    """What comes out sounds as what went in."""

    def test_same_rate(self) -> None:
        """Nothing is touched when nothing is to do."""
        sound = tone(440, 8000)
        self.assertIs(resample(sound, 8000, 8000), sound)

    def test_length(self) -> None:
        """The sound lasts as long as before, rounded up to a sample."""
        for rate_in, rate_out in PAIRS:
            for size in (0, 1, 441, 12345):
                out = resample(np.zeros(size, np.int16), rate_in, rate_out)
                self.assertEqual(len(out), -(-size * rate_out // rate_in))

    def test_tone_in_place(self) -> None:
        """A tone of 1 kHz keeps its level and its phase at every pair of rates."""
        for rate_in, rate_out in PAIRS:
            out = resample(tone(1000, rate_in), rate_in, rate_out)
            expected = tone(1000, rate_out)
            self.assertLess(abs(level_db(out)), 0.1, (rate_in, rate_out))
            difference = out.astype(np.int32) - expected
            self.assertLess(level_db(difference.astype(np.int16)), -60)

    def test_telephone_band(self) -> None:
        """Speech up to 3.3 kHz passes on its way down to 8 kHz."""
        for hertz in (300, 2000, 3300):
            out = resample(tone(hertz, 44100), 44100, 8000)
            self.assertLess(abs(level_db(out)), 0.2, hertz)

    def test_no_alias(self) -> None:
        """What 8 kHz cannot hold is gone, not folded down."""
        for rate_in in (16000, 24000, 44100, 48000):
            for hertz in (4500, 6000, 7000):
                out = resample(tone(hertz, rate_in), rate_in, 8000)
                self.assertLess(level_db(out), -60, (rate_in, hertz))

    def test_no_image(self) -> None:
        """On the way up nothing appears above the old band."""
        out = resample(tone(1000, 8000), 8000, 24000)[2000:10000]
        spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
        above = spectrum[round(len(out) * 4400 / 24000) :]
        self.assertLess(20 * np.log10(above.max() / spectrum.max()), -60)

    def test_constant(self) -> None:
        """A constant stays what it is, to the bit."""
        out = resample(np.full(4000, 12345, np.int16), 44100, 8000)
        self.assertEqual(set(out[200:-200].tolist()), {12345})

    def test_loud(self) -> None:
        """What overshoots full scale is clipped, not wrapped round."""
        square = np.where(np.arange(4000) % 80 < 40, 32767, -32768).astype(np.int16)
        out = resample(square, 8000, 16000)
        settled = out[100:-100].reshape(-1, 2)[:, 0]
        self.assertEqual(int(settled.max()), 32767)
        self.assertEqual(int(settled.min()), -32768)
