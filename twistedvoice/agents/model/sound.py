# -*- test-case-name: tests.agents.model.test_sound -*-
"""Between the format of a call and one that an API speaks.

The same format passes through untouched; any other is brought to the other rate,
without a seam between pieces of any size. What the caller says goes out in pieces.
"""

from __future__ import annotations

from ...audio import pcm
from ...audio.resample import Resampler
from ...formats import AudioFormat

__all__ = ["Converter", "Pieces"]

#: What goes to an API at once: two frames. Each message costs two system calls and
#: more; so the API hears the caller 10 ms later on average.
_PIECE_US = 40_000


class Pieces:
    """Gathers the frames of a call into pieces that are worth a message."""

    def __init__(self, form: AudioFormat) -> None:
        self._least = form.bytes_in(_PIECE_US)
        self._gathered = b""

    def add(self, sound: bytes) -> bytes:
        """:returns: all that was gathered, once it is enough; until then nothing."""
        gathered = self._gathered + sound
        if len(gathered) < self._least:
            self._gathered = gathered
            return b""
        self._gathered = b""
        return gathered


class Converter:
    """One sound, piece by piece, from one format to another."""

    def __init__(self, one: AudioFormat, other: AudioFormat) -> None:
        self._one, self._other = one, other
        self._resampler = None if one == other else Resampler(one.rate, other.rate)
        #: The first half of a sample whose second half is yet to come.
        self._half = b""

    def convert(self, sound: bytes) -> bytes:
        """:returns: what can be said by now; a few milliseconds come with the next."""
        if self._resampler is None:
            return sound
        sound = self._half + sound
        whole = len(sound) // self._one.sample_bytes * self._one.sample_bytes
        self._half = sound[whole:]
        samples = pcm.decode(sound[:whole], self._one)
        return pcm.encode(self._resampler.process(samples), self._other)

    def rest(self) -> bytes:
        """:returns: what is left at the end of the sound."""
        if self._resampler is None:
            return b""
        return pcm.encode(self._resampler.flush(), self._other)
