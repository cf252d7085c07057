"""Tests of where a piece lies in a longer sound."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.correlation import fits, products


class CorrelationTests(SynchronousTestCase):
    """A piece of noise in noise."""

    def setUp(self) -> None:
        random = np.random.default_rng(5)
        self.around = random.normal(size=3000) * 1000
        self.piece = random.normal(size=700) * 1000

    def test_products(self) -> None:
        """The transform finds what the definition says, at each position."""
        found = products(self.around, self.piece)
        right = np.correlate(self.around, self.piece, "valid")
        np.testing.assert_allclose(found, right, atol=1e-3)

    def test_energies(self) -> None:
        """The energies are of what lies under the piece, and of the piece."""
        found = fits(self.around, self.piece)
        self.assertEqual(len(found.energies), len(found.products))
        under = self.around[123:823]
        self.assertAlmostEqual(found.energies[123] / (under @ under), 1.0)
        self.assertAlmostEqual(found.energy / (self.piece @ self.piece), 1.0)

    def test_best(self) -> None:
        """A quiet copy is found before something louder that is less alike."""
        self.around[1500:2200] = self.piece / 10
        found = fits(self.around, self.piece)
        self.assertEqual(found.best, 1500)
        self.assertAlmostEqual(found.correlation(1500), 1.0)
        self.assertLess(found.correlation(100), 0.3)

    def test_silence(self) -> None:
        """Silence is like nothing, on either side."""
        for around, piece in (
            (np.zeros(3000), self.piece),
            (self.around, np.zeros(700)),
        ):
            self.assertEqual(fits(around, piece).correlation(3), 0.0)
