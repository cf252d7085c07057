# -*- test-case-name: tests.audio.test_correlation -*-
"""Where in a longer sound does a shorter one lie?

By cross-correlation through the Fourier transform, at every position at once. It knows
nothing of recordings; what a good fit is, those say who ask.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

__all__ = ["Fits", "fits", "products"]

_Floats = npt.NDArray[np.float64]


@frozen(eq=False)
class Fits:
    """How a piece fits at each position of what it is looked for in."""

    #: The sum of the products of both, and the energy of what lies there.
    products: _Floats = field(repr=False)
    energies: _Floats = field(repr=False)
    #: The energy of the piece.
    energy: float

    @property
    def best(self) -> int:
        """The position at which both are most alike, whatever their loudness."""
        return int(np.argmax(self.products / np.sqrt(self.energies + 1.0)))

    def correlation(self, position: int) -> float:
        """:returns: -1 to 1; silence is like nothing."""
        both = self.energies[position] * self.energy
        return float(self.products[position] / np.sqrt(both)) if both > 0 else 0.0


def fits(around: _Floats, piece: _Floats) -> Fits:
    """Lay ``piece`` at every position where the whole of it lies in ``around``."""
    found = products(around, piece)
    sums = np.concatenate(([0.0], np.cumsum(around * around)))
    energies = sums[len(piece) :] - sums[: len(found)]
    return Fits(found, energies, float(piece @ piece))


def products(around: _Floats, piece: _Floats) -> _Floats:
    """:returns: the sum of the products of both, for each position of ``piece``."""
    size = 1 << (len(around) - 1).bit_length()
    spectrum = np.fft.rfft(around, size) * np.fft.rfft(piece, size).conj()
    found: _Floats = np.fft.irfft(spectrum, size)
    return found[: len(around) - len(piece) + 1]
