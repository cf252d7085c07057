# -*- test-case-name: tests.audio.test_loudness -*-
"""How loud a channel is, 20 ms by 20 ms, and which of that is sound.

Telephone lines differ by 40 dB, so a channel is held against its own speech and its own
noise. Two hours are a few megabytes of it: whole calls can be looked at without their
samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from .pcm import Samples
from .wav import WavFile

__all__ = ["FRAME_MS", "Flags", "Loudness", "loudness", "loudness_of", "runs"]

FRAME_MS = 20

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

_Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@frozen(eq=False)
class Loudness:
    """How loud one channel is."""

    #: The root of the mean square of each frame of 20 ms, in units of a sample.
    rms: _Floats = field(repr=False)
    #: From where on it is sound.
    limit: float

    @property
    def sound(self) -> Flags:
        """Which frames have sound for certain."""
        return self.rms >= self.limit

    @property
    def silence(self) -> Flags:
        """Which frames have none for certain; what fades away is neither."""
        return self.rms < self.limit * _SILENCE_RATIO

    def at(self, frames: npt.NDArray[np.int64]) -> Loudness:
        """:returns: the loudness of ``frames``, which are all in it."""
        return Loudness(self.rms[frames], self.limit)


def loudness(file: WavFile) -> list[Loudness]:
    """:returns: how loud each channel of ``file`` is; the last frame is whole."""
    size = file.rate * FRAME_MS // 1000
    chunks = [
        _rms(file.read(start, size * _CHUNK_FRAMES), size)
        for start in range(0, file.frames, size * _CHUNK_FRAMES)
    ]
    rms = np.concatenate([np.zeros((0, file.channels)), *chunks])
    return [_judged(channel) for channel in np.ascontiguousarray(rms.T)]


def loudness_of(samples: Samples, rate: int) -> Loudness:
    """:returns: how loud one channel is; the last frame is whole."""
    return _judged(_rms(samples.reshape(-1, 1), rate * FRAME_MS // 1000)[:, 0])


def runs(flags: Flags) -> list[tuple[int, int]]:
    """:returns: where each run of set flags begins and ends."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _rms(samples: Samples, size: int) -> _Floats:
    count, channels = len(samples) // size, samples.shape[1]
    frames = samples[: count * size].reshape(count, size, channels)
    roots: _Floats = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))
    return roots


def _judged(rms: _Floats) -> Loudness:
    audible = rms[rms > _AUDIBLE]
    speech = float(np.percentile(audible, 90)) if len(audible) else 0.0
    noise = float(np.percentile(rms, 10)) if len(rms) else 0.0
    limit = min(max(speech * _SOUND_RATIO, noise * _NOISE_RATIO), speech * _MOST_NOISE)
    return Loudness(rms, max(limit, _LEAST_SOUND))
