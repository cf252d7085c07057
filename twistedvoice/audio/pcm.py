# -*- test-case-name: tests.audio.test_pcm -*-
"""Between the bytes of a format and 16-bit samples.

Whoever needs numbers (a resampler, a level, a picture) decodes here and encodes here
again; sound that only passes through stays bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import AudioFormatError
from ..formats import AudioFormat
from . import g711

__all__ = ["Samples", "decode", "encode"]

#: Signed 16-bit samples of one channel.
Samples = npt.NDArray[np.int16]


def decode(payload: bytes, format: AudioFormat) -> Samples:  # noqa: A002
    """
    Read samples; the result may share the memory of ``payload``.

    :raises AudioFormatError: when ``payload`` ends inside a sample.
    """
    if format.encoding != "l16":
        return g711.decode(payload, format.encoding)
    if len(payload) % format.sample_bytes:
        raise AudioFormatError(f"{len(payload)} bytes of l16 end inside a sample")
    return np.frombuffer(payload, "<i2").astype(np.int16, copy=False)


def encode(samples: Samples, format: AudioFormat) -> bytes:  # noqa: A002
    """:returns: ``samples`` in ``format``; its rate is the caller's business."""
    if format.encoding != "l16":
        return g711.encode(samples, format.encoding)
    return samples.astype("<i2", copy=False).tobytes()
