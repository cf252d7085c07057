# -*- test-case-name: tests.archive.test_speech -*-
"""When somebody speaks on one side of a recording, and how loud.

Loudness decides, held against the side's own noise and its own loudest words, since
telephone lines differ by 40 dB. A pause for breath does not end what is said, and a
click does not begin it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..audio.pcm import Samples

__all__ = ["Level", "Span", "level", "speech"]

_FRAME_MS = 20
#: What is quieter is no speech on any line: -46 dB of full scale.
_LEAST = 160.0
#: Speech is 10 dB above the noise, and no more than 20 dB below the loudest words.
_ABOVE_NOISE, _BELOW_LOUDEST = 3.0, 0.1
#: Noise that is not 6 dB below the loudest is no noise: somebody never paused.
_NEVER_PAUSED = 0.5
#: Shorter sounds are no speech.
_LEAST_FRAMES = 3
_FULL_SCALE = 32768.0

_Flags = npt.NDArray[np.bool_]


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
    rms = _loudness(samples, rate * _FRAME_MS // 1000)
    if not len(rms):
        return []
    loudest, noise = np.percentile(rms, 98), np.percentile(rms, 10)
    limit = max(_BELOW_LOUDEST * loudest, _ABOVE_NOISE * noise)
    loud = rms >= max(min(limit, _NEVER_PAUSED * loudest), _LEAST)
    edges = _edges(_without_breaths(loud, breath_ms // _FRAME_MS))
    return [
        Span(float(start * _FRAME_MS), float(end * _FRAME_MS))
        for start, end in edges
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


def _loudness(samples: Samples, size: int) -> npt.NDArray[np.float64]:
    """:returns: the root of the mean square of each frame; the last one is whole."""
    count = len(samples) // size
    frames = samples[: count * size].reshape(count, size)
    roots: npt.NDArray[np.float64] = np.sqrt(
        np.mean(np.square(frames, dtype=np.float64), axis=1)
    )
    return roots


def _without_breaths(loud: _Flags, longest: int) -> _Flags:
    """:returns: ``loud``, with the pauses filled that are within speech."""
    filled = loud.copy()
    for start, end in _edges(~loud):
        if end - start < longest and start and end < len(loud):
            filled[start:end] = True
    return filled


def _edges(flags: _Flags) -> list[tuple[int, int]]:
    """:returns: where each run of set flags begins and ends."""
    found = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return list(zip(found[::2].tolist(), found[1::2].tolist(), strict=True))


def _db(amplitude: float) -> float | None:
    return float(20 * np.log10(amplitude / _FULL_SCALE)) if amplitude else None
