# -*- test-case-name: tests.test_formats -*-
"""How sound is written in bytes.

Sound crosses every seam of twistedvoice as ``bytes`` with one of these formats; the
20 ms arithmetic that follows from a format is here and nowhere else.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

__all__ = ["ALAW_8K", "FRAME_MS", "FRAME_US", "MULAW_8K", "AudioFormat", "Encoding"]

#: The length of every frame that is sent to a carrier.
FRAME_MS = 20
FRAME_US = FRAME_MS * 1000

Encoding = Literal["mulaw", "alaw", "l16"]

_SAMPLE_BYTES: dict[Encoding, int] = {"mulaw": 1, "alaw": 1, "l16": 2}
#: Digital silence. 0x00 in mu-law would be full-scale negative (-32124).
_SILENCE: dict[Encoding, bytes] = {"mulaw": b"\xff", "alaw": b"\xd5", "l16": b"\0\0"}


@frozen
class AudioFormat:
    """
    One channel of sound: an encoding and a sample rate.

    ``l16`` is signed 16-bit little-endian PCM.
    """

    encoding: Encoding
    rate: int

    @property
    def sample_bytes(self) -> int:
        """Bytes in one sample."""
        return _SAMPLE_BYTES[self.encoding]

    @property
    def bytes_per_second(self) -> int:
        """Bytes in one second."""
        return self.rate * self.sample_bytes

    @property
    def frame_bytes(self) -> int:
        """Bytes in one frame of 20 ms."""
        return self.bytes_per_second * FRAME_MS // 1000

    def silence(self, size: int) -> bytes:
        """:param size: how many bytes of silence; a whole number of samples."""
        return _SILENCE[self.encoding] * (size // self.sample_bytes)

    def duration_us(self, size: int) -> int:
        """:returns: how long ``size`` bytes play, in microseconds, rounded down."""
        return size * 1_000_000 // self.bytes_per_second

    def bytes_in(self, duration_us: int) -> int:
        """:returns: the bytes of the whole samples within ``duration_us``."""
        return duration_us * self.rate // 1_000_000 * self.sample_bytes


#: What G.711 telephony speaks in North America and Japan, and Twilio everywhere.
MULAW_8K = AudioFormat("mulaw", 8000)
#: What G.711 telephony speaks elsewhere.
ALAW_8K = AudioFormat("alaw", 8000)
