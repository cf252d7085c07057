# -*- test-case-name: tests.simulator.test_align -*-
"""Is a recorded track what was sent on it?

Two tracks are compared by normalised cross-correlation, so that their loudness does
not matter and their timing does. One delay for the whole call is allowed, and from
phrase to phrase a small wobble about it; sound that is missing, added, or somewhere
else counts against the track.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ..audio.correlation import fits, products

__all__ = ["CORRELATION_NEEDED", "MAX_SHIFT_MS", "WOBBLE_MS", "Match", "match"]

#: What the whole track must correlate with.
CORRELATION_NEEDED = 0.95
#: What each stretch of it must: a fault in one phrase is not averaged away.
_STRETCH_NEEDED = 0.8
#: The most that a track may lie late or early: what a playout buffer delays.
MAX_SHIFT_MS = 120
#: The most that a phrase may lie beside the shift of the whole: one frame and a bit.
WOBBLE_MS = 25

#: The pieces that find their own place; short, so that few hold two phrases.
_WINDOW_MS = 200
#: How many windows are a stretch.
_STRETCH = 10
#: A stretch with less than this share of the loudest one's energy is not judged.
_AUDIBLE = 0.02

Samples = NDArray[np.int16]
_Floats = NDArray[np.float64]


@frozen
class Match:
    """How far a track is the sound that it should be."""

    #: Over the whole track, 0 to 1.
    correlation: float
    #: How much later the track has the sound; negative when earlier.
    shift_ms: float
    #: The correlation of the two seconds that fit worst.
    worst: float

    @property
    def right(self) -> bool:
        """Whether the track is what was sent on it, all of it, all the time."""
        return self.correlation >= CORRELATION_NEEDED and self.worst >= _STRETCH_NEEDED


def match(
    track: Samples,
    reference: Samples,
    *,
    rate: int = 8000,
    max_shift_ms: int = MAX_SHIFT_MS,
) -> Match:
    """
    Compare a recorded track with what was sent on it.

    :param max_shift_ms: where the sound may lie; it is not looked for further away.
    :returns: the match at the best shift; silence matches nothing.
    """
    window = _WINDOW_MS * rate // 1000
    margin = max_shift_ms * rate // 1000
    size = -(-max(len(track), len(reference), 1) // window) * window
    sent = _placed(reference, 0, size)
    kept = _placed(track, margin, size + 2 * margin)
    shift = int(np.argmax(products(kept, sent)))
    wobble = WOBBLE_MS * rate // 1000
    low, high = max(shift - wobble, 0), min(shift + wobble, 2 * margin)
    found = np.array(
        [
            _fit(kept[start + low : start + high + window], piece, shift - low)
            for start, piece in zip(
                range(0, size, window), sent.reshape(-1, window), strict=True
            )
        ]
    )
    return Match(
        correlation=_correlation(found),
        shift_ms=(shift - margin) * 1000 / rate,
        worst=min(map(_correlation, _audible_stretches(found)), default=0.0),
    )


def _placed(samples: Samples, start: int, size: int) -> _Floats:
    placed = np.zeros(size)
    placed[start : start + len(samples)] = samples
    return placed


def _fit(around: _Floats, piece: _Floats, usual: int) -> tuple[float, float, float]:
    """
    Find ``piece`` in what lies around its place.

    :param usual: where it is taken to be when it is silent.
    :returns: the product of the two at the best place, and the energy of each.
    """
    found = fits(around, piece)
    best = found.best if found.energy else usual
    return float(found.products[best]), float(found.energies[best]), found.energy


def _correlation(fits: _Floats) -> float:
    product, kept, sent = fits.sum(axis=0)
    if not kept or not sent:
        return 0.0
    return float(np.clip(product / np.sqrt(kept * sent), 0.0, 1.0))


def _audible_stretches(fits: _Floats) -> Iterator[_Floats]:
    stretches = [fits[at : at + _STRETCH] for at in range(0, len(fits), _STRETCH)]
    loudness = [float(stretch[:, 1:].sum(axis=0).max()) for stretch in stretches]
    for stretch, energy in zip(stretches, loudness, strict=True):
        if energy > _AUDIBLE * max(loudness):
            yield stretch
