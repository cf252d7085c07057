# -*- test-case-name: tests.audio.test_wav -*-
"""Reading WAV files: everything a telephone exchange or a sound studio writes.

The standard library reads neither G.711 nor a file whose writer died. Reading takes as
long as the disk does; callers in the service read in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from ..errors import AudioFormatError
from ..formats import AudioFormat
from . import g711, pcm
from .pcm import Samples
from .resample import resample
from .riff import read_layout
from .wavwriter import Opener

__all__ = ["Sound", "WavFile", "load", "read_wav"]


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


class WavFile:
    """
    A WAV file that is open to be read piece by piece: PCM of 8 to 32 bits, 32-bit
    floats, mu-law or A-law.

    A file that was not finished is read as far as it goes. It closes at the end of a
    ``with``.
    """

    def __init__(self, path: Path | str, opened: Opener = FileIO) -> None:
        """
        :param opened: opens the file.
        :raises AudioFormatError: naming the file and what was found in it.
        """
        with ExitStack() as stack:
            self._file = stack.enter_context(BufferedReader(opened(path, "r")))
            layout = read_layout(self._file, str(path))
            form = layout.format
            reader = _READERS.get((form.tag, form.bits))
            if reader is None:
                raise AudioFormatError(
                    f"{path}: format {form.tag} with {form.bits} bits cannot be read;"
                    " use PCM of 8, 16, 24 or 32 bits, 32-bit floats, mu-law or A-law"
                )
            stack.pop_all()
        self._reader = reader
        self._data_at, self._frame_bytes = layout.data_at, form.frame_bytes
        self.channels, self.rate = form.channels, form.rate
        #: How many samples each channel has.
        self.frames = layout.data_bytes // form.frame_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def read(self, start: int, count: int) -> Samples:
        """:returns: ``(frames, channels)`` from ``start``; fewer at the end."""
        count = max(0, min(count, self.frames - start))
        self._file.seek(self._data_at + start * self._frame_bytes)
        data = self._file.read(count * self._frame_bytes)
        return self._reader(data).reshape(-1, self.channels)


def read_wav(path: Path | str, opened: Opener = FileIO) -> Sound:
    """
    Read a whole WAV file, in the formats of :class:`WavFile`.

    :param opened: opens the file.
    :raises AudioFormatError: naming the file and what was found in it.
    """
    with WavFile(path, opened) as file:
        return Sound(file.read(0, file.frames), file.rate)


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
