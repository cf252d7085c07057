# -*- test-case-name: tests.audio.test_tones -*-
"""The keys of a telephone as the sound that other telephones understand (DTMF).

Frequencies are those of ITU-T Q.23; levels and times are chosen to be right for every
receiver that ITU-T Q.24 describes. What is dialled may be a code or a card number: no
error repeats it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..formats import AudioFormat
from . import pcm

__all__ = ["MOST_DIGITS", "dtmf"]

#: More than anybody dials; it takes a quarter of a minute to say.
MOST_DIGITS = 80

#: Hertz: the rows and the columns of a telephone's keys.
_LOW = (697, 770, 852, 941)
_HIGH = (1209, 1336, 1477, 1633)
_KEYS = "123A456B789C*0#D"
#: Levels in dBm0. The high tone is louder, since lines weaken it more.
_LOW_LEVEL, _HIGH_LEVEL = -8.0, -6.0
#: The peak of a sine of 0 dBm0 in 16-bit samples: G.711 is full at 3.17 dBm0.
_ZERO_DBM0 = 32636 * 10 ** (-3.17 / 20)

#: Receivers need 40 ms of each, networks that pass it on 70.
_TONE_SECONDS = 0.1
_PAUSE_SECONDS = 0.1
#: What ``w`` waits.
_WAIT_SECONDS = 0.5
#: Tones rise and fall in this time, so that nothing clicks.
_RAMP_SECONDS = 0.003


def dtmf(digits: str, sound: AudioFormat) -> bytes:
    """
    Dial ``digits``: 100 ms of tone and 100 ms of pause for each.

    :param digits: of ``0123456789*#ABCD``, and ``w`` for half a second of silence; at
        most :data:`MOST_DIGITS`.
    :raises ValueError: when there are others or too many; never says which.
    """
    if not set(digits) <= set(_KEYS + "w"):
        raise ValueError("a digit is one of 0123456789*#ABCD, or w for a pause")
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"at most {MOST_DIGITS} digits can be sent at once")
    return b"".join(_dialled(digit, sound) for digit in digits)


@lru_cache
def _dialled(digit: str, sound: AudioFormat) -> bytes:
    if digit == "w":
        return _silence(_WAIT_SECONDS, sound)
    return _tone(_KEYS.index(digit), sound) + _silence(_PAUSE_SECONDS, sound)


def _tone(place: int, sound: AudioFormat) -> bytes:
    seconds = np.arange(round(_TONE_SECONDS * sound.rate)) / sound.rate
    wave = sum(
        _ZERO_DBM0 * 10 ** (level / 20) * np.sin(2 * np.pi * hertz * seconds)
        for hertz, level in (
            (_LOW[place // 4], _LOW_LEVEL),
            (_HIGH[place % 4], _HIGH_LEVEL),
        )
    )
    edge = np.minimum(seconds, seconds[::-1]) / _RAMP_SECONDS
    ramped = wave * np.minimum(1, edge)
    return pcm.encode(np.rint(ramped).astype(np.int16), sound)


def _silence(seconds: float, sound: AudioFormat) -> bytes:
    return sound.silence(sound.bytes_in(round(seconds * 1_000_000)))
