# -*- test-case-name: tests.archive.test_speech -*-
"""When somebody speaks on one side of a recording, and how loud.

Loudness decides (:mod:`~twistedvoice.audio.loudness`). A pause for breath does not end
what is said, and a click does not begin it.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ..audio.loudness import FRAME_MS, Flags, loudness_of, runs
from ..audio.pcm import Samples

__all__ = ["Level", "Span", "level", "speech"]

#: Shorter sounds are no speech.
_LEAST_FRAMES = 3
_FULL_SCALE = 32768.0


@frozen
class Span:
    """A span of time on the recording."""

    start_ms: float
    end_ms: float


@frozen(kw_only=True)
class Level:
    """How loud a side is, in dB below full scale; None where it is silent."""

    #: The mean of what was said.
    speech_db: float | None
    peak_db: float | None
    #: For how long somebody spoke.
    speech_ms: float


def speech(samples: Samples, rate: int, breath_ms: int) -> list[Span]:
    """
    Find when somebody speaks.

    :param breath_ms: shorter pauses are within speech.
    :returns: in order.
    """
    sound = loudness_of(samples, rate).sound
    return [
        Span(float(start * FRAME_MS), float(end * FRAME_MS))
        for start, end in runs(_without_breaths(sound, breath_ms // FRAME_MS))
        if end - start >= _LEAST_FRAMES
    ]


def level(samples: Samples, rate: int, spans: list[Span]) -> Level:
    """:param spans: when somebody speaks."""
    said = [
        samples[int(span.start_ms * rate / 1000) : int(span.end_ms * rate / 1000)]
        for span in spans
    ]
    together = np.concatenate(said) if said else samples[:0]
    mean = np.sqrt(np.mean(np.square(together, dtype=np.float64))) if said else 0.0
    return Level(
        speech_db=_db(float(mean)),
        peak_db=_db(float(np.abs(samples.astype(np.int32)).max(initial=0))),
        speech_ms=sum(span.end_ms - span.start_ms for span in spans),
    )


def _without_breaths(loud: Flags, longest: int) -> Flags:
    """:returns: ``loud``, with the pauses filled that are within speech."""
    filled = loud.copy()
    for start, end in runs(~loud):
        if end - start < longest and start and end < len(loud):
            filled[start:end] = True
    return filled


def _db(amplitude: float) -> float | None:
    return float(20 * np.log10(amplitude / _FULL_SCALE)) if amplitude else None
