# -*- test-case-name: tests.agents.openai.test_agent -*-
"""Between the format of a call and one that the Realtime API speaks.

G.711 passes through untouched; anything else is brought to 24 kHz and back, without a
seam between pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...audio import pcm
from ...audio.resample import Resampler
from ...formats import ALAW_8K, MULAW_8K, AudioFormat

__all__ = ["api_format", "converter_from_api", "converter_to_api"]

_DIRECT = {MULAW_8K: "audio/pcmu", ALAW_8K: "audio/pcma"}
_WIDE = AudioFormat("l16", 24000)

_Converter = Callable[[bytes], bytes]


def api_format(own: AudioFormat) -> Mapping[str, object]:
    """:returns: how the API is told what the call is carried in."""
    if own in _DIRECT:
        return {"type": _DIRECT[own]}
    return {"type": "audio/pcm", "rate": _WIDE.rate}


def converter_to_api(own: AudioFormat) -> _Converter:
    """:returns: what turns the caller's sound, piece by piece, into the API's."""
    return _through if own in _DIRECT else _resampling(own, _WIDE)


def converter_from_api(own: AudioFormat) -> _Converter:
    """:returns: the same the other way; for one item, since each begins anew."""
    return _through if own in _DIRECT else _resampling(_WIDE, own)


def _through(sound: bytes) -> bytes:
    return sound


def _resampling(one: AudioFormat, other: AudioFormat) -> _Converter:
    resampler = Resampler(one.rate, other.rate)
    rest = b""

    def convert(sound: bytes) -> bytes:
        nonlocal rest
        sound = rest + sound
        whole = len(sound) // one.sample_bytes * one.sample_bytes
        rest = sound[whole:]
        return pcm.encode(resampler.process(pcm.decode(sound[:whole], one)), other)

    return convert
