# -*- test-case-name: tests.doubles.openai.test_session -*-
"""How doubles of models speak: one tone for each word.

So a person can tell words apart by ear, and a test can tell them apart by pitch.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

import numpy as np

from ..audio.pcm import Samples

__all__ = ["WORD_MS", "tones"]

#: How long a word takes, with the silence after it.
WORD_MS = 300
_GAP_MS = 60
_LEVEL = 6000


@lru_cache(maxsize=8)
def tones(text: str, rate: int) -> Samples:
    """:returns: how the double speaks ``text``, a tone for each word."""
    pieces = [np.zeros(0, np.int16)]
    for word in text.split():
        pitch = 200 + crc32(word.encode()) % 600
        time = np.arange(rate * (WORD_MS - _GAP_MS) // 1000) / rate
        pieces.append((_LEVEL * np.sin(2 * np.pi * pitch * time)).astype(np.int16))
        pieces.append(np.zeros(rate * _GAP_MS // 1000, np.int16))
    return np.concatenate(pieces)
