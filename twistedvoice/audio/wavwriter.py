# -*- test-case-name: tests.audio.test_wavwriter -*-
"""Writing WAV files that grow while a call lasts, and mending those left unfinished.

Every batch is handed to the system as it comes, so that a process that dies loses
nothing it wrote; the sizes in the header are filled in at the end, or by
:func:`repair_wav`. Until then they say "unknown", which other programs understand.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from ..errors import AudioFormatError, EncryptionError
from ..formats import AudioFormat, Encoding
from .riff import UNKNOWN_SIZE, Layout, WaveFormat, read_layout

__all__ = ["Opener", "WavWriter", "repair_wav"]

#: Opens the file at a path in a mode; so a file may be other than what is on the disk.
Opener = Callable[[Path | str, str], FileIO]

_TAGS: dict[Encoding, int] = {"l16": 1, "alaw": 6, "mulaw": 7}


class WavWriter:
    """
    A WAV file being written.

    :param path: replaced when it exists, unless it is gone on with.
    :param format: the encoding and rate of every channel.
    :param resume: go on at the end of a file that a writer like this one left when it
        died.
    :param opened: opens the file.
    :raises OSError: here and by :meth:`write`, when the disk says no. What was written
        before stays, and :meth:`close` still makes a good file of it.
    :raises AudioFormatError: when there is no WAV file to go on with.
    """

    def __init__(
        self,
        path: Path | str,
        format: AudioFormat,  # noqa: A002
        channels: int,
        *,
        resume: bool = False,
        opened: Opener = FileIO,
    ) -> None:
        self._format = WaveFormat(
            tag=_TAGS[format.encoding],
            channels=channels,
            rate=format.rate,
            bits=format.sample_bytes * 8,
        )
        #: Bytes of sound in the file.
        self.data_bytes = 0
        #: As ``opened`` opened it.
        self.file = opened(path, "r+" if resume else "w+")
        try:
            if resume:
                self.data_bytes = self._whole_bytes(str(path))
                self.file.seek(0)
            _write_all(self.file, _header(self._format))
            self.file.seek(self.data_bytes, os.SEEK_CUR)
            self.file.truncate()
        except (OSError, AudioFormatError, EncryptionError):
            self.file.close()
            raise

    def write(self, interleaved: bytes | bytearray) -> None:
        """Append whole sample frames, in one call to the system where that can be."""
        view = memoryview(interleaved)
        while view:
            count = self.file.write(view)
            self.data_bytes += count
            view = view[count:]

    def _whole_bytes(self, name: str) -> int:
        size = read_layout(self.file, name).data_bytes
        return size - size % self._format.frame_bytes

    def sync(self) -> None:
        """Have all that was written on the disk itself."""
        os.fsync(self.file.fileno())

    def close(self) -> None:
        """Fill in the sizes and let go of the file; idempotent."""
        if self.file.closed:
            return
        with self.file:
            _finish(self.file, _own_layout(self._format, self.data_bytes))


def repair_wav(path: Path | str, opened: Opener = FileIO) -> bool:
    """
    Make a good file of one whose writer died: right sizes, whole sample frames.

    :param opened: opens the file.
    :returns: whether anything was wrong with it.
    :raises AudioFormatError: when it is no WAV file at all.
    """
    with opened(path, "r+") as file:
        layout = read_layout(file, str(path))
        return not layout.trailed and _finish(file, layout)


def _write_all(file: FileIO, data: bytes) -> None:
    """Write all of ``data``; a disk that fills up may take a part first."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


#: RIFF, an 18-byte fmt, fact, and the head of data.
_HEADER_BYTES = 58


def _header(form: WaveFormat) -> bytes:
    return struct.pack(
        "<4sI4s 4sIHHIIHHH 4sII 4sI",
        *(b"RIFF", UNKNOWN_SIZE, b"WAVE"),
        *(b"fmt ", 18, form.tag, form.channels, form.rate),
        *(form.rate * form.frame_bytes, form.frame_bytes, form.bits, 0),
        *(b"fact", 4, UNKNOWN_SIZE),
        *(b"data", UNKNOWN_SIZE),
    )


def _own_layout(form: WaveFormat, data_bytes: int) -> Layout:
    return Layout(
        format=form,
        fact_at=_HEADER_BYTES - 12,
        data_at=_HEADER_BYTES,
        data_bytes=data_bytes,
        trailed=False,
    )


def _finish(file: FileIO, layout: Layout) -> bool:
    """:returns: whether the file was not yet what it must be."""
    frame_bytes = layout.format.frame_bytes
    frames = layout.data_bytes // frame_bytes
    size = frames * frame_bytes
    end = layout.data_at + size + size % 2
    changed = _set_length(file, end, layout.data_at + size)
    changed |= _set_size(file, 4, end - 8)
    changed |= _set_size(file, layout.data_at - 4, size)
    if layout.fact_at is not None:
        changed |= _set_size(file, layout.fact_at, frames)
    return changed


def _set_length(file: BinaryIO | FileIO, end: int, sound_end: int) -> bool:
    """Cut at the end of the sound, and pad that to an even length with a zero."""
    if file.seek(0, os.SEEK_END) == end:
        return False
    file.truncate(sound_end)
    file.truncate(end)
    return True


def _set_size(file: BinaryIO | FileIO, at: int, size: int) -> bool:
    wanted = struct.pack("<I", min(size, UNKNOWN_SIZE))
    file.seek(at)
    if file.read(4) == wanted:
        return False
    file.seek(at)
    file.write(wanted)
    return True
