# -*- test-case-name: tests.doubles.test_vad -*-
"""Hears when somebody speaks: a plain detector of energy, on the sound itself.

It is fed samples in pieces of any size and answers with the moments at which speech
began and ended, on the clock of the sound: a second of samples is a second.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from attrs import frozen

from ..audio.pcm import Samples

__all__ = ["Edge", "EnergyVad"]

_WINDOW_MS = 20
#: Full scale, for a threshold of 1; the API's 0.5 then is -36 dB of it.
_FULL = 32768.0


@frozen
class Edge:
    """Speech began or ended."""

    kind: Literal["started", "stopped"]
    at_ms: int


class EnergyVad:
    """One caller's sound."""

    def __init__(
        self,
        rate: int,
        *,
        threshold: float,
        padding_ms: int,
        silence_ms: int,
        speech_ms: int = 60,
    ) -> None:
        """
        :param threshold: from 0 to 1, louder is higher.
        :param padding_ms: how long before the first loud window speech begins.
        :param silence_ms: how long it must be quiet until speech has ended.
        :param speech_ms: how long it must be loud until speech has begun: a click is
            none.
        """
        self._window = rate * _WINDOW_MS // 1000
        self._level = _FULL * 10 ** (-3.6 * (1 - threshold))
        self._padding_ms = padding_ms
        self._loud_windows = max(1, speech_ms // _WINDOW_MS)
        self._silent_windows = max(1, silence_ms // _WINDOW_MS)
        self._rest: Samples = np.zeros(0, np.int16)
        self._windows = 0
        #: Windows in a row that are as speech is not now: loud in silence, or quiet.
        self._other = 0
        self.speaking = False

    @property
    def heard_ms(self) -> int:
        """How much sound was looked at."""
        return self._windows * _WINDOW_MS

    def feed(self, samples: Samples) -> list[Edge]:
        """:returns: what began or ended within ``samples``."""
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // self._window
        self._rest = sound[whole * self._window :]
        windows = sound[: whole * self._window].reshape(whole, self._window)
        power = np.square(windows, dtype=np.float64).mean(axis=1)
        return [
            edge
            for loud in np.sqrt(power) > self._level
            if (edge := self._hear(bool(loud)))
        ]

    def _hear(self, loud: bool) -> Edge | None:
        self._windows += 1
        self._other = self._other + 1 if loud is not self.speaking else 0
        needed = self._silent_windows if self.speaking else self._loud_windows
        if self._other < needed:
            return None
        self._other = 0
        self.speaking = not self.speaking
        if not self.speaking:
            return Edge("stopped", self.heard_ms)
        began_ms = self.heard_ms - self._loud_windows * _WINDOW_MS
        return Edge("started", max(0, began_ms - self._padding_ms))
