# -*- test-case-name: tests.audio.test_wav -*-
"""The container of WAV files: chunks, and the sizes that a crash leaves wrong.

Knows where things are in a file, and nothing of samples. A writer that died never came
to fill its sizes in, and one that streams does not know them: both are read as far as
the file goes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO

from attrs import frozen

from ..errors import AudioFormatError

__all__ = ["UNKNOWN_SIZE", "Layout", "WaveFormat", "read_layout"]

#: What a writer puts where it cannot know a size yet; also the largest one.
UNKNOWN_SIZE = 0xFFFFFFFF

_EXTENSIBLE = 0xFFFE
#: What follows the two bytes of the tag in a sub-format that has such a tag.
_TAGGED_GUID = bytes.fromhex("000000001000800000aa00389b71")


@frozen(kw_only=True)
class WaveFormat:
    """What the ``fmt`` chunk says."""

    #: 1 PCM, 3 floats, 6 A-law, 7 mu-law.
    tag: int
    channels: int
    rate: int
    #: Bits of one sample of one channel.
    bits: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8


@frozen(kw_only=True)
class Layout:
    """Where the sound is in a file."""

    format: WaveFormat
    #: Where the count of sample frames stands, None without a ``fact`` chunk.
    fact_at: int | None
    data_at: int
    #: How many bytes of sound there really are; may end inside a sample frame.
    data_bytes: int
    #: Whether something follows the sound.
    trailed: bool


@frozen
class _Chunk:
    name: bytes
    at: int
    #: How much of it there is in the file, whatever its own size says.
    size: int


#: What sound is sampled at; anything else is a broken header.
_RATES = range(4_000, 192_001)


def read_layout(file: BinaryIO, name: str) -> Layout:
    """
    Find the sound.

    :param name: what errors call the file.
    :raises AudioFormatError: when this is no WAV file, or one without sound.
    """
    form: WaveFormat | None = None
    fact_at: int | None = None
    length = file.seek(0, SEEK_END)
    for chunk in _chunks(file, length, name):
        if chunk.name == b"fmt ":
            form = _read_format(file, chunk, name)
        elif chunk.name == b"fact" and chunk.size >= 4:
            fact_at = chunk.at
        elif chunk.name == b"data":
            if form is None:
                raise AudioFormatError(f"{name}: the sound comes before its format")
            return Layout(
                format=form,
                fact_at=fact_at,
                data_at=chunk.at,
                data_bytes=chunk.size,
                trailed=chunk.at + chunk.size + chunk.size % 2 < length,
            )
    raise AudioFormatError(f"{name}: has no data chunk")


def _chunks(file: BinaryIO, length: int, name: str) -> Iterator[_Chunk]:
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise AudioFormatError(f"{name}: begins with {head!r}, not as a WAV file")
    finished = int.from_bytes(head[4:8], "little") + 8 == length
    at = 12
    while at + 8 <= length:
        file.seek(at)
        kind, stated = struct.unpack("<4sI", file.read(8))
        at += 8
        size = min(stated, length - at)
        if kind == b"data" and stated == 0 and not finished:
            size = length - at
        yield _Chunk(kind, at, size)
        at += size + size % 2


def _read_format(file: BinaryIO, chunk: _Chunk, name: str) -> WaveFormat:
    file.seek(chunk.at)
    body = file.read(min(chunk.size, 40))
    if len(body) < 16:
        raise AudioFormatError(f"{name}: its format takes only {len(body)} bytes")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", body[:16])
    if tag == _EXTENSIBLE:
        if body[26:40] != _TAGGED_GUID:
            raise AudioFormatError(f"{name}: sub-format {body[24:40].hex()} is unknown")
        tag = int.from_bytes(body[24:26], "little")
    form = WaveFormat(tag=tag, channels=channels, rate=rate, bits=bits)
    fits = form.frame_bytes == frame_bytes and rate in _RATES
    if not channels or not bits or not fits:
        raise AudioFormatError(
            f"{name}: {channels} channels of {bits} bits at {rate} Hz"
            f" in frames of {frame_bytes} bytes cannot be"
        )
    return form
