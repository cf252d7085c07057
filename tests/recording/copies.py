# -*- test-case-name: tests.recording.test_compare -*-
"""Two copies of one call, as files: ours, and the carrier's with what befell it."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.simulator.babble import RATE, babble, beside

__all__ = ["RATE", "call", "later", "wav"]

Samples = NDArray[np.int16]


def call(seconds: int) -> tuple[Samples, Samples]:
    """:returns: caller and service, who take turns of about five seconds."""
    caller: list[Samples | float] = []
    service: list[Samples | float] = []
    for turn in range(seconds // 10):
        caller += [0.3, babble(2 * turn + 1, 4.2), 5.5]
        service += [5.0, babble(2 * turn + 2, 4.6), 0.4]
    return beside(*caller), beside(*service)


def later(seconds: float, sound: Samples) -> Samples:
    """:returns: the sound of a recording that began ``seconds`` after ours."""
    return sound[round(seconds * RATE) :]


def wav(*channels: Samples, rate: int = RATE) -> bytes:
    """:returns: a file with these channels of 16-bit samples."""
    size = min(map(len, channels))
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = np.stack([each[:size] for each in channels], axis=1)
        file.writeframes(samples.astype("<i2").tobytes())
    return body.getvalue()


def kept(path: Path, *channels: Samples, rate: int = RATE) -> Path:
    """:returns: ``path``, where such a file is now."""
    path.write_bytes(wav(*channels, rate=rate))
    return path
