# -*- test-case-name: tests.audio.test_wav -*-
"""Reading WAV files: everything a telephone exchange or a sound studio writes.

The standard library reads neither G.711 nor a file whose writer died. Reading takes as
long as the disk does; callers in the service read in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from ..errors import AudioFormatError
from ..formats import AudioFormat
from . import g711, pcm
from .pcm import Samples
from .resample import resample
from .riff import read_layout

__all__ = ["Sound", "load", "read_wav"]


@frozen(eq=False)
class Sound:
    """Sound in memory: an array of ``(frames, channels)`` and its rate."""

    samples: Samples = field(repr=False)
    rate: int

    def mono(self) -> Samples:
        """:returns: the mean of all channels."""
        if self.samples.shape[1] == 1:
            return self.samples[:, 0]
        return np.asarray(np.rint(self.samples.mean(axis=1)), np.int16)


def read_wav(path: Path | str) -> Sound:
    """
    Read a WAV file: PCM of 8 to 32 bits, 32-bit floats, mu-law or A-law.

    A file that was not finished is read as far as it goes.

    :raises AudioFormatError: naming the file and what was found in it.
    """
    with open(path, "rb") as file:
        layout = read_layout(file, str(path))
        form = layout.format
        reader = _READERS.get((form.tag, form.bits))
        if reader is None:
            raise AudioFormatError(
                f"{path}: format {form.tag} with {form.bits} bits cannot be read;"
                " use PCM of 8, 16, 24 or 32 bits, 32-bit floats, mu-law or A-law"
            )
        file.seek(layout.data_at)
        size = layout.data_bytes // form.frame_bytes * form.frame_bytes
        return Sound(reader(file.read(size)).reshape(-1, form.channels), form.rate)


def load(path: Path | str, format: AudioFormat) -> bytes:  # noqa: A002
    """
    Read a WAV file as one channel of sound in ``format``.

    :raises AudioFormatError: naming the file and what was found in it.
    """
    sound = read_wav(path)
    return pcm.encode(resample(sound.mono(), sound.rate, format.rate), format)


def _unsigned_8(data: bytes) -> Samples:
    return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8


def _signed_16(data: bytes) -> Samples:
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def _signed_24(data: bytes) -> Samples:
    upper = np.frombuffer(data, np.uint8).reshape(-1, 3)[:, 1:]
    return _signed_16(upper.tobytes())


def _signed_32(data: bytes) -> Samples:
    return (np.frombuffer(data, "<i4") >> 16).astype(np.int16)


def _float_32(data: bytes) -> Samples:
    floats: npt.NDArray[np.float32] = np.nan_to_num(np.frombuffer(data, "<f4"))
    scaled: npt.NDArray[np.float32] = np.clip(floats, -1, 1) * np.float32(32768)
    return np.asarray(np.clip(np.rint(scaled), -32768, 32767), np.int16)


_READERS: Mapping[tuple[int, int], Callable[[bytes], Samples]] = {
    (1, 8): _unsigned_8,
    (1, 16): _signed_16,
    (1, 24): _signed_24,
    (1, 32): _signed_32,
    (3, 32): _float_32,
    (6, 8): lambda data: g711.decode(data, "alaw"),
    (7, 8): lambda data: g711.decode(data, "mulaw"),
}
