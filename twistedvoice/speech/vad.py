# -*- test-case-name: tests.speech.test_vad -*-
"""Whether 20 ms of sound are speech.

A frame is voiced when it stands out of the noise of the line and, where webrtcvad is
installed (extra ``local``), that takes it for speech too. The level alone tells speech
from silence, not from a cough; it ends speech at once, where webrtcvad lingers. Runs
in the reactor for each frame of a caller, so it costs microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from ..audio import g711, pcm
from ..formats import AudioFormat

__all__ = ["Detector", "EnergyDetector", "SpeechDetector", "new_detector"]

#: What webrtcvad can take; frames of 20 ms are right for it at each.
_RATES = (8_000, 16_000, 32_000, 48_000)
#: From 0, which takes much for speech, to 3.
_STRICTNESS = 2

#: Mean squares. No line is quieter than the one, no noise of a line louder than the
#: other: whoever speaks at once must not be taken for noise.
_QUIETEST, _LOUDEST_FLOOR = 30.0**2, 300.0**2
#: How far above the noise speech is: 10 dB.
_ABOVE_FLOOR = 10.0
#: The floor doubles in about a second of louder noise, and sinks at once.
_RISE = 1.015


class Detector(Protocol):
    """Tells speech from what is not; one for each call, since it learns the line."""

    def is_voiced(self, frame: bytes) -> bool:
        """:returns: whether 20 ms of sound, in the call's format, are speech."""


class EnergyDetector:
    """Takes for speech what is louder than the line's noise."""

    def __init__(self, sound: AudioFormat) -> None:
        self._mean_square = _meter(sound)
        self._floor = _QUIETEST

    def is_voiced(self, frame: bytes) -> bool:
        level = self._mean_square(frame)
        voiced = level > self._floor * _ABOVE_FLOOR
        if level < self._floor:
            self._floor = max(level, _QUIETEST)
        else:
            self._floor = min(self._floor * _RISE, level, _LOUDEST_FLOOR)
        return voiced


class SpeechDetector:
    """Takes for speech what is loud enough, and sounds like it to webrtcvad."""

    def __init__(self, sound: AudioFormat, vad: Any) -> None:
        """:param vad: has ``is_speech`` as ``webrtcvad.Vad``."""
        self._energy = EnergyDetector(sound)
        self._sound = sound
        self._vad = vad

    def is_voiced(self, frame: bytes) -> bool:
        # It must see every frame, since it learns the noise as well.
        samples = pcm.decode(frame, self._sound).tobytes()
        sounds_like_it = bool(self._vad.is_speech(samples, self._sound.rate))
        return self._energy.is_voiced(frame) and sounds_like_it


def new_detector(
    sound: AudioFormat, find: Callable[[str], object | None] = find_spec
) -> Detector:
    """:returns: the best detector that is installed, for one call in this format."""
    if sound.rate in _RATES and find("webrtcvad") is not None:
        from webrtcvad import Vad

        return SpeechDetector(sound, Vad(_STRICTNESS))
    return EnergyDetector(sound)


def _meter(sound: AudioFormat) -> Callable[[bytes], float]:
    """:returns: what gives the mean square of a frame."""
    if sound.encoding == "l16":
        return lambda frame: float(
            np.mean(np.square(pcm.decode(frame, sound), dtype=float))
        )
    squares = np.square(g711.decode(bytes(range(256)), sound.encoding), dtype=float)
    return lambda frame: float(squares[np.frombuffer(frame, np.uint8)].mean())
