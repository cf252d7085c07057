"""A receiver of DTMF after ITU-T Q.24, which shares nothing with our generator.

Goertzel's algorithm, sample by sample, over blocks of 102 samples at 8 kHz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

__all__ = ["heard", "powers", "received"]

#: Which pair of tones is which key.
PAIRS = {
    (697, 1209): "1", (697, 1336): "2", (697, 1477): "3", (697, 1633): "A",
    (770, 1209): "4", (770, 1336): "5", (770, 1477): "6", (770, 1633): "B",
    (852, 1209): "7", (852, 1336): "8", (852, 1477): "9", (852, 1633): "C",
    (941, 1209): "*", (941, 1336): "0", (941, 1477): "#", (941, 1633): "D",
}  # fmt: skip
TONES = sorted({tone for pair in PAIRS for tone in pair})
BLOCK = 102
#: Q.24 has receivers accept this much more or less of the high tone, in dB.
MOST_TWIST, LEAST_TWIST = 4.0, -8.0


def power(block: Sequence[float], hertz: float) -> float:
    """:returns: the mean square of one frequency in a block at 8 kHz."""
    turn = 2 * math.cos(2 * math.pi * hertz / 8000)
    last, before = 0.0, 0.0
    for sample in block:
        last, before = sample + turn * last - before, last
    squared = last * last + before * before - turn * last * before
    return 2 * squared / len(block) ** 2


def powers(block: Sequence[float]) -> dict[int, float]:
    """:returns: the power of each of the eight tones."""
    return {tone: power(block, tone) for tone in TONES}


def received(block: Sequence[float]) -> str:
    """:returns: the key that a block is, or nothing."""
    found = powers(block)
    low = max(TONES[:4], key=found.__getitem__)
    high = max(TONES[4:], key=found.__getitem__)
    total = sum(sample * sample for sample in block) / len(block)
    if total < 1000.0 or found[low] + found[high] < 0.7 * total:
        return ""
    twist = 10 * math.log10(found[high] / found[low])
    return PAIRS[low, high] if LEAST_TWIST < twist < MOST_TWIST else ""


def heard(samples: Sequence[float]) -> str:
    """:returns: the keys in order; one counts after 40 ms, and ends by a pause."""
    blocks = [
        received(samples[start : start + BLOCK])
        for start in range(0, len(samples) - BLOCK + 1, BLOCK)
    ]
    runs = [(key, len(list(run))) for key, run in groupby(blocks)]
    return "".join(key for key, length in runs if length >= 3)
