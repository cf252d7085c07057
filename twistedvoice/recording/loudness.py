# -*- test-case-name: tests.recording.test_loudness -*-
"""How loud a recording is, 20 ms by 20 ms, and where one copy lacks what the other has.

Two hours are a few megabytes of it, so that whole calls can be laid side by side
without their samples. Used by :mod:`.compare`, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from ..audio.wav import WavFile

__all__ = ["FRAME_MS", "HOLE_MS", "Loudness", "Span", "holes", "loudness"]

FRAME_MS = 20
#: Sound that is missing for less is none of our business: a packet or two.
HOLE_MS = 200

#: What is read at a time.
_CHUNK_FRAMES = 3000
#: Sound is what is less than 20 dB below the channel's speech, 10 dB over its noise,
#: though that may not take more than half of the speech, and over -46 dBFS.
_SOUND_RATIO = 0.1
_NOISE_RATIO = 3.0
_MOST_NOISE = 0.5
_LEAST_SOUND = 160.0
#: Silence is 12 dB below that.
_SILENCE_RATIO = 0.25
#: Quieter frames do not count when it is asked how loud speech is.
_AUDIBLE = 50.0
#: Pauses within speech that belong to it.
_PAUSE = 10
#: How far sound may lie beside its place; a jitter buffer does as much.
_BESIDE = 4
#: How much sound must be missing for sure before it is a hole.
_SURELY = 3

_Floats = npt.NDArray[np.float64]
_Flags = npt.NDArray[np.bool_]


@frozen(eq=False)
class Loudness:
    """How loud one channel is."""

    #: The root of the mean square of each frame of 20 ms, in units of a sample.
    rms: _Floats = field(repr=False)
    #: From where on it is sound.
    limit: float

    @property
    def sound(self) -> _Flags:
        """Which frames have sound for certain."""
        return self.rms >= self.limit

    @property
    def silence(self) -> _Flags:
        """Which frames have none for certain; what fades away is neither."""
        return self.rms < self.limit * _SILENCE_RATIO

    def at(self, frames: npt.NDArray[np.int64]) -> Loudness:
        """:returns: the loudness of ``frames``, which are all in it."""
        return Loudness(self.rms[frames], self.limit)


@frozen
class Span:
    """A span of time, in frames of 20 ms."""

    start: int
    length: int


def loudness(file: WavFile) -> list[Loudness]:
    """:returns: how loud each channel of ``file`` is; the last frame is whole."""
    size = file.rate * FRAME_MS // 1000
    chunks = [
        _rms(file.read(start, size * _CHUNK_FRAMES).astype(np.float64), size)
        for start in range(0, file.frames, size * _CHUNK_FRAMES)
    ]
    rms = np.concatenate([np.zeros((0, file.channels)), *chunks])
    return [_judged(channel) for channel in np.ascontiguousarray(rms.T)]


def holes(has: Loudness, lacks: Loudness) -> Iterator[Span]:
    """
    Find where ``has`` has sound and ``lacks``, at the same time, has none.

    :returns: spans of :data:`HOLE_MS` and more; sound may lie 80 ms beside its place.
    """
    speech = ~_long_runs(~has.sound, _PAUSE)
    missing = speech & lacks.silence
    surely = has.sound & _long_runs(lacks.silence, 2 * _BESIDE, trim=_BESIDE)
    for span in _runs(missing):
        within = slice(span.start, span.start + span.length)
        if span.length * FRAME_MS >= HOLE_MS and surely[within].sum() >= _SURELY:
            yield span


def _rms(samples: _Floats, size: int) -> _Floats:
    frames = len(samples) // size
    squares = samples[: frames * size].reshape(frames, size, samples.shape[1]) ** 2
    roots: _Floats = np.sqrt(squares.mean(axis=1))
    return roots


def _judged(rms: _Floats) -> Loudness:
    audible = rms[rms > _AUDIBLE]
    speech = float(np.percentile(audible, 90)) if len(audible) else 0.0
    noise = float(np.percentile(rms, 10)) if len(rms) else 0.0
    limit = min(max(speech * _SOUND_RATIO, noise * _NOISE_RATIO), speech * _MOST_NOISE)
    return Loudness(rms, max(limit, _LEAST_SOUND))


def _runs(flags: _Flags) -> list[Span]:
    """:returns: where ``flags`` are set, one span for each run."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [
        Span(int(start), int(end - start))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def _long_runs(flags: _Flags, longer_than: int, trim: int = 0) -> _Flags:
    """:returns: only runs that are longer, shorter by ``trim`` at either end."""
    kept = np.zeros_like(flags)
    for span in _runs(flags):
        if span.length > longer_than:
            kept[span.start + trim : span.start + span.length - trim] = True
    return kept
