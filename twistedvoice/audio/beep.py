# -*- test-case-name: tests.audio.test_beep -*-
"""The beep after which a machine takes a message.

A beep is one steady tone of a fifth of a second or more, with silence after it. Each
frame is looked at through a bank of filters 50 Hz apart; speech is never so pure for so
long, and the tones of keys, of ringing and of a busy line are two at a time. One for
each call; it knows no clock.
"""

from __future__ import annotations

import numpy as np
from attrs import define

from ..formats import FRAME_MS, AudioFormat
from . import pcm

__all__ = ["Beeps"]

#: Hertz between two filters of a frame of 20 ms.
_SPACING = 1000 // FRAME_MS
#: The filters around 400 to 2000 Hz, in which machines beep.
_LOWEST, _HIGHEST = 400 // _SPACING, 2000 // _SPACING
#: What of all power must be in the filters nearest to the tone.
_PURE = 0.9
#: A tone is louder than this, 44 dB below the loudest.
_LEAST_POWER = 200.0**2
#: From frame to frame a tone keeps its level to 2 dB, and its frequency in Hz.
_STEADY, _STEADY_HERTZ = 1.6, 20.0

#: 200 ms less the frames that it does not fill; and a tone of 3 s is none.
_LEAST_FRAMES, _MOST_FRAMES = 9, 150
#: Silence is 12 dB below the tone, for 100 ms that begin within 40.
_FALL = 16.0
_QUIET_FRAMES, _SOON_FRAMES = 5, 7


@define
class _Tone:
    power: float
    hertz: float
    frames: int = 1

    def goes_on(self, power: float, hertz: float) -> bool:
        steady = 1 / _STEADY < power / self.power < _STEADY
        return steady and abs(hertz - self.hertz) < _STEADY_HERTZ


class Beeps:
    """Finds beeps in what one caller says."""

    def __init__(self, sound: AudioFormat) -> None:
        self._sound = sound
        size = sound.rate // _SPACING
        self._window = np.hanning(size + 1)[:size]
        # The power of all filters together for a mean square of one.
        self._scale = size * float(np.sum(self._window**2)) / 2
        self._tone: _Tone | None = None
        #: Frames since the tone ended, and those of them that are quiet, in a row.
        self._after = self._quiet = 0

    def frame(self, payload: bytes) -> bool:
        """
        :param payload: the next 20 ms; what is longer or shorter is not looked at.
        :returns: whether a beep has just ended.
        """
        if len(payload) != self._sound.frame_bytes:
            return False
        power, hertz = self._measured(payload)
        tone = self._tone
        if tone is not None and tone.goes_on(power, hertz):
            self._tone = _Tone(power, hertz, tone.frames + 1)
            self._after = self._quiet = 0
        elif tone is not None and tone.frames >= _LEAST_FRAMES:
            return self._ended(tone, power)
        else:
            self._tone = _Tone(power, hertz) if hertz else None
        return False

    def _ended(self, tone: _Tone, power: float) -> bool:
        self._after += 1
        self._quiet = self._quiet + 1 if power * _FALL < tone.power else 0
        is_over = self._quiet == _QUIET_FRAMES
        if is_over or self._after == _SOON_FRAMES:
            self._tone = None
            self._after = self._quiet = 0
        return is_over and tone.frames <= _MOST_FRAMES

    def _measured(self, payload: bytes) -> tuple[float, float]:
        """:returns: the mean square, and the frequency of the only tone or 0."""
        samples = pcm.decode(payload, self._sound) * self._window
        powers = np.abs(np.fft.rfft(samples)) ** 2
        total = float(powers[2:].sum())
        mean_square = total / self._scale
        peak = _LOWEST + int(np.argmax(powers[_LOWEST : _HIGHEST + 1]))
        near = powers[peak - 2 : peak + 3]
        if mean_square < _LEAST_POWER or float(near.sum()) < _PURE * total:
            return mean_square, 0.0
        middle = float(near @ np.arange(peak - 2, peak + 3)) / float(near.sum())
        return mean_square, middle * _SPACING
