# -*- test-case-name: tests.audio.test_g711 -*-
"""ITU-T G.711: mu-law and A-law, by table.

Both tables of each law are built from the standard's segments when the module is
imported. Callers use :mod:`twistedvoice.audio.pcm`, which also knows linear PCM.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Law", "decode", "encode"]

Law = Literal["mulaw", "alaw"]

_Integers = npt.NDArray[np.int32]


def decode(payload: bytes, law: Law) -> npt.NDArray[np.int16]:
    """:returns: one sample for each byte."""
    return _DECODED[law][np.frombuffer(payload, np.uint8)]


def encode(samples: npt.NDArray[np.int16], law: Law) -> bytes:
    """:returns: one byte for each sample; what is too loud is clipped."""
    return _ENCODED[law][samples.view(np.uint16)].tobytes()


def _mulaw_decoded(codes: _Integers) -> _Integers:
    inverted = ~codes & 0xFF
    segment, step = inverted >> 4 & 7, inverted & 15
    magnitude = ((2 * step + 33) << segment + 2) - 132
    samples: _Integers = np.where(inverted & 0x80, -magnitude, magnitude)
    return samples


def _mulaw_encoded(samples: _Integers) -> _Integers:
    # 33 quarter-units are added so that every segment begins at a power of two.
    magnitude: _Integers = np.minimum(np.abs(samples), 32635) + 132
    segment = _top_bit(magnitude) - 7
    step = magnitude >> segment + 3 & 15
    sign: _Integers = np.where(samples < 0, 0x80, 0)
    return ~(sign | segment << 4 | step) & 0xFF


def _alaw_decoded(codes: _Integers) -> _Integers:
    # Every second bit of A-law is inverted on the wire.
    plain = codes ^ 0x55
    segment, step = plain >> 4 & 7, plain & 15
    linear = 2 * step + 1
    magnitude = np.where(segment == 0, linear, linear + 32 << segment - (segment > 0))
    samples: _Integers = np.where(plain & 0x80, magnitude << 3, -(magnitude << 3))
    return samples


def _alaw_encoded(samples: _Integers) -> _Integers:
    magnitude: _Integers = np.minimum(np.abs(samples) >> 4, 2047)
    segment: _Integers = np.maximum(_top_bit(magnitude) - 3, 0)
    step: _Integers = magnitude >> np.maximum(segment - 1, 0) & 15
    sign: _Integers = np.where(samples < 0, 0, 0x80)
    return (sign | segment << 4 | step) ^ 0x55


def _top_bit(values: _Integers) -> _Integers:
    """:returns: the position of the highest bit that is set; 0 for zero."""
    powers = 1 << np.arange(1, 16)
    return np.searchsorted(powers, values, side="right").astype(np.int32)


_CODES = np.arange(256, dtype=np.int32)
#: Every sample, in the order of its bits read as an unsigned number.
_SAMPLES = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)

_DECODED: dict[Law, npt.NDArray[np.int16]] = {
    "mulaw": _mulaw_decoded(_CODES).astype(np.int16),
    "alaw": _alaw_decoded(_CODES).astype(np.int16),
}
_ENCODED: dict[Law, npt.NDArray[np.uint8]] = {
    "mulaw": _mulaw_encoded(_SAMPLES).astype(np.uint8),
    "alaw": _alaw_encoded(_SAMPLES).astype(np.uint8),
}
