"""Tests for :mod:`twistedvoice.simulator.align`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.babble import RATE, babble, beside
from twistedvoice.simulator.align import MAX_SHIFT_MS, match

CALLER = beside(1.0, babble(1, 4), 2.5, babble(2, 3), 3.0, babble(3, 1.5), 2.0)
SERVICE = beside(0.5, babble(4, 5), 1.5, babble(5, 6), 0.8, babble(6, 3))


def late(milliseconds: int) -> NDArray[np.int16]:
    """:returns: what the service says, so much later."""
    return beside(milliseconds / 1000, SERVICE)


class RightTrackTests(SynchronousTestCase):
    """What must pass."""

    def test_same(self) -> None:
        """A track that is what was sent matches wholly and at no shift."""
        found = match(CALLER, CALLER)
        self.assertTrue(found.right)
        self.assertAlmostEqual(found.correlation, 1.0, places=6)
        self.assertEqual(found.shift_ms, 0.0)

    def test_level(self) -> None:
        """A track that is much quieter still matches."""
        self.assertTrue(match((CALLER / 20).astype(np.int16), CALLER).right)

    def test_constant_delay(self) -> None:
        """A delay of the whole call is found and allowed up to its bound."""
        found = match(late(60), SERVICE)
        self.assertTrue(found.right)
        self.assertEqual(found.shift_ms, 60.0)

    def test_earlier(self) -> None:
        """A track that lies early has a negative shift."""
        self.assertEqual(match(SERVICE, late(60)).shift_ms, -60.0)

    def test_at_the_bound(self) -> None:
        """The largest delay that is allowed is allowed."""
        self.assertTrue(match(late(MAX_SHIFT_MS), SERVICE).right)

    def test_wobble_between_phrases(self) -> None:
        """Each phrase may lie a little beside the delay of the whole call."""
        voices = [babble(seed, 3) for seed in (4, 5, 6)]
        sent = beside(0.5, voices[0], 1.0, voices[1], 1.0, voices[2], 1.0)
        kept = beside(0.53, voices[0], 1.007, voices[1], 0.985, voices[2], 1.0)
        self.assertTrue(match(kept, sent).right)

    def test_phrase_cut_off(self) -> None:
        """An interrupt that cuts one frame earlier on one side does no harm."""
        sent = beside(0.5, SERVICE[: 5 * RATE], babble(7, 3))
        kept = sent.copy()
        cut = round(5.5 * RATE)
        kept[cut - RATE // 50 : cut] = 0
        self.assertTrue(match(kept, sent).right)


class WrongTrackTests(SynchronousTestCase):
    """What must fail the very same check."""

    def test_swapped(self) -> None:
        """The other side's track does not match."""
        self.assertFalse(match(SERVICE, CALLER).right)
        self.assertFalse(match(CALLER, SERVICE).right)

    def test_shifted(self) -> None:
        """A track that lies 200 ms beyond the bound, late or early, does not match."""
        far = late(MAX_SHIFT_MS + 200)
        self.assertFalse(match(far, SERVICE).right)
        self.assertFalse(match(SERVICE, far).right)

    def test_just_beyond(self) -> None:
        """A frame beyond the bound is beyond it."""
        far = late(MAX_SHIFT_MS + 20)
        self.assertFalse(match(far, SERVICE).right)

    def test_silent(self) -> None:
        """Neither a silent nor an empty track matches."""
        for nothing in (np.zeros_like(CALLER), CALLER[:0]):
            found = match(nothing, CALLER)
            self.assertFalse(found.right)
            self.assertEqual(found.correlation, 0.0)

    def test_nothing_sent(self) -> None:
        """Sound where nothing was sent does not match."""
        self.assertFalse(match(CALLER, np.zeros_like(CALLER)).right)

    def test_mixed(self) -> None:
        """A track with both sides on it does not match."""
        size = min(len(CALLER), len(SERVICE))
        both = CALLER[:size] // 2 + SERVICE[:size] // 2
        self.assertFalse(match(both, CALLER[:size]).right)

    def test_crosstalk_between_phrases(self) -> None:
        """One second of other sound where nothing was said does not match."""
        kept = beside(0.5, SERVICE, 1.0)
        kept[-RATE:] = babble(8, 1)
        self.assertFalse(match(kept, beside(0.5, SERVICE, 1.0)).right)

    def test_noise_over_it(self) -> None:
        """Noise half as strong as the sound is too much."""
        noise = np.random.default_rng(9).normal(size=len(CALLER))
        kept = CALLER + noise * CALLER.std() / 2
        self.assertFalse(match(kept.astype(np.int16), CALLER).right)

    def test_one_phrase_missing(self) -> None:
        """A short phrase that was lost is not averaged away."""
        sent = beside(SERVICE, 3.0, SERVICE, 3.0, babble(7, 1.0) // 2, 3.0)
        kept = sent.copy()
        kept[-4 * RATE :] = 0
        found = match(kept, sent)
        self.assertGreater(found.correlation, 0.95)
        self.assertFalse(found.right)

    def test_jump_inside(self) -> None:
        """A track whose last part slipped by 50 ms does not match."""
        slipped = beside(SERVICE[: 10 * RATE], 0.05, SERVICE[10 * RATE :])
        self.assertFalse(match(slipped, SERVICE).right)

    def test_steady_drift(self) -> None:
        """A track that runs one in a hundred too slowly does not match."""
        places = np.arange(0, len(SERVICE), 0.99)
        slow = np.interp(places, np.arange(len(SERVICE)), SERVICE)
        self.assertFalse(match(slow.astype(np.int16), SERVICE).right)

    def test_truncated(self) -> None:
        """A track that ends in the middle does not match."""
        self.assertFalse(match(SERVICE[: len(SERVICE) // 2], SERVICE).right)
