# -*- test-case-name: tests.audio.test_resample -*-
"""Change of sample rate by a windowed sinc, chunk by chunk.

The filter is cut into one row of coefficients for each phase that an output sample can
have between two input samples. Coefficients are multiples of 2**-30, so that all sums
are exact in a double whatever their order: how the sound was cut into chunks cannot be
heard, nor seen in the bits.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd

import numpy as np
import numpy.typing as npt

from .pcm import Samples

__all__ = ["Resampler", "resample"]

#: Zero crossings of the sinc on each side, and the middle of the filter's slope as a
#: part of the lower Nyquist frequency. With the window below: flat up to 84 % of
#: it (3.37 kHz at 8 kHz), 80 dB down from there on where anything would alias.
_CROSSINGS = 32
_CUTOFF = 0.92
_KAISER_BETA = 7.86
_GRAIN = 2.0**30


def resample(samples: Samples, rate_in: int, rate_out: int) -> Samples:
    """:returns: all of ``samples`` at ``rate_out``, as long as before."""
    if rate_in == rate_out:
        return samples
    resampler = Resampler(rate_in, rate_out)
    return np.concatenate([resampler.process(samples), resampler.flush()])


class Resampler:
    """
    One sound on its way from one rate to another.

    Output sample ``n`` stands for the same moment as the input at ``n / rate_out``
    seconds: the filter's delay shows only as output that comes a few milliseconds
    late, and :meth:`flush` brings the rest.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        common = gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        self._bank = _filter_bank(self._up, self._down)
        self._half: int = self._bank.shape[1] // 2
        self._begin()

    def _begin(self) -> None:
        #: The input from the first sample that the next output needs.
        self._input: npt.NDArray[np.float64] = np.zeros(self._half - 1)
        self._input_start = 1 - self._half
        self._received = 0
        self._next = 0

    def process(self, samples: Samples) -> Samples:
        """:returns: what can be said by now; any size, often empty at first."""
        self._received += len(samples)
        self._input = np.concatenate([self._input, samples])
        return self._output_until(self._computable())

    def flush(self) -> Samples:
        """:returns: the rest of the sound; then a new sound may begin."""
        self._input = np.concatenate([self._input, np.zeros(self._half)])
        rest = self._output_until(-(-self._received * self._up // self._down))
        self._begin()
        return rest

    def _computable(self) -> int:
        """:returns: the number of the first output that needs input yet to come."""
        whole_inputs = self._input_start + len(self._input) - self._half
        return max(self._next, -(-whole_inputs * self._up // self._down))

    def _output_until(self, end: int) -> Samples:
        sums = np.zeros(end - self._next)
        for n in range(self._next, min(self._next + self._up, end)):
            of_phase = sums[n - self._next :: self._up]
            at, phase = divmod(n * self._down, self._up)
            windows = self._windows(at - self._half + 1, len(of_phase))
            np.einsum("nt,t->n", windows, self._bank[phase], out=of_phase)
        self._next = end
        self._forget()
        clipped = np.minimum(np.maximum(np.rint(sums), -32768), 32767)
        return clipped.astype(np.int16)

    def _windows(self, first: int, count: int) -> npt.NDArray[np.float64]:
        """:returns: what outputs of one phase need, a row each; nothing is copied."""
        size = self._input.itemsize
        return np.ndarray(
            (count, self._bank.shape[1]),
            self._input.dtype,
            self._input.data,
            (first - self._input_start) * size,
            (self._down * size, size),
        )

    def _forget(self) -> None:
        needed = self._next * self._down // self._up - self._half + 1
        self._input = self._input[needed - self._input_start :]
        self._input_start = needed


@lru_cache(maxsize=16)
def _filter_bank(up: int, down: int) -> npt.NDArray[np.float64]:
    """:returns: a row for each phase; its middle is left of the output's moment."""
    stretch = max(1.0, down / up)
    half = ceil(_CROSSINGS * stretch)
    taps = np.arange(1 - half, half + 1)
    distance = (np.arange(up)[:, np.newaxis] / up - taps) / stretch
    inside = np.clip(1 - (distance / _CROSSINGS) ** 2, 0, None)
    bank = np.sinc(distance * _CUTOFF) * np.i0(_KAISER_BETA * np.sqrt(inside))
    # Each phase passes a constant unchanged.
    bank /= bank.sum(axis=1, keepdims=True)
    rounded: npt.NDArray[np.float64] = np.rint(bank * _GRAIN) / _GRAIN
    return rounded
