# -*- test-case-name: tests.simulator.test_align -*-
"""Made-up speech: syllables of a wandering voice with pauses, the same every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "babble", "beside"]

RATE = 8000


def babble(seed: int, seconds: float) -> NDArray[np.int16]:
    """:returns: a voice of its own for each ``seed``, with the pitch of a person."""
    random = np.random.default_rng(seed)
    size = int(seconds * RATE)
    time = np.arange(size) / RATE
    wander = np.interp(time, np.arange(0, seconds + 1, 0.3), _steps(random, seconds))
    phase = 2 * np.pi * np.cumsum(110 + 15 * (seed % 5) + 40 * wander) / RATE
    voice = sum(
        random.uniform(0.3, 1) / n * np.sin(n * phase + random.uniform(0, 6))
        for n in range(1, 15)
    )
    voice = voice + 0.1 * random.normal(size=size)
    loudness = np.interp(time, np.arange(0, seconds + 1, 0.3), _steps(random, seconds))
    return np.asarray(9000 * np.maximum(loudness - 0.25, 0) * voice, dtype=np.int16)


def beside(*parts: NDArray[np.int16] | float) -> NDArray[np.int16]:
    """:returns: sounds one after the other; a number is a pause in seconds."""
    return np.concatenate(
        [
            np.zeros(round(part * RATE), np.int16) if isinstance(part, float) else part
            for part in parts
        ]
    )


def _steps(random: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    return random.uniform(0, 1, len(np.arange(0, seconds + 1, 0.3)))
