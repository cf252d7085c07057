# -*- test-case-name: tests.speech.test_engines -*-
"""The synthesiser of an engine process: hibari, one sentence at a time.

Its voice and all that it needs are in its package. Sound comes in the caller's format,
trimmed and at the level of speech on a telephone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..audio import pcm
from ..audio.resample import resample
from ..formats import AudioFormat

__all__ = ["VOICE", "Mouth"]

#: Changes whenever the same text would sound otherwise.
VOICE = "hibari-0.2.1-heart-1"

_Floats = npt.NDArray[np.float64]

#: -20 dBFS RMS with peaks below -3.5 dBFS, and what counts as no sound.
_LEVEL, _PEAK, _SILENT = 0.1, 0.67, 0.004
#: Kept before the first sound, and between sentences.
_BEFORE_MS, _AFTER_MS = 20, 200


class Mouth:
    """One voice."""

    def __init__(self) -> None:
        """Load it, and speak once: the first sentence takes half a second."""
        from hibari import Hibari

        self._voice = Hibari()
        self._voice("Ready.", seed=1)

    def speak(self, text: str, sound: AudioFormat) -> Iterator[bytes]:
        """:returns: the sound of each sentence that can be said, once it is there."""
        try:
            yield from self._sentences(text, sound)
        except Exception as error:  # hibari's; a number of 40 digits is too much for it
            sys.stderr.write(f"a text cannot be said: {type(error).__name__}\n")

    def _sentences(self, text: str, sound: AudioFormat) -> Iterator[bytes]:
        for spoken in self._voice.stream(text, seed=1):
            rate = self._voice.sample_rate
            samples = levelled(trimmed(np.asarray(spoken, np.float64), rate))
            linear = np.round(samples * 32767).astype(np.int16)
            yield pcm.encode(resample(linear, rate, sound.rate), sound)


def trimmed(samples: _Floats, rate: int) -> _Floats:
    """:returns: the sound with a little silence around it."""
    (loud,) = np.nonzero(np.abs(samples) > _SILENT)
    if not len(loud):
        return samples[:0]
    first = max(0, loud[0] - rate * _BEFORE_MS // 1000)
    pause = np.zeros(rate * _AFTER_MS // 1000)
    return np.concatenate([samples[first : loud[-1]], pause])


def levelled(samples: _Floats) -> _Floats:
    """:returns: the sound as loud as speech on a telephone is."""
    loud = samples[np.abs(samples) > _SILENT]
    if not len(loud):
        return samples
    rms = float(np.sqrt(np.mean(loud**2)))
    return samples * min(_LEVEL / rms, _PEAK / float(np.max(np.abs(samples))))
