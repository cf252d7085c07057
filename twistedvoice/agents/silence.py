# -*- test-case-name: tests.agents.test_silence -*-
"""Callers who say nothing any more: they are asked, and in the end the call is ended.

It counts the frames in which neither side is to be heard, so it needs no timer, and a
caller on hold is never asked. Any agent can hand it what it hears.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..formats import FRAME_MS
from ..interfaces import CallControl
from ..speech.turns import Turns
from ..speech.vad import Detector, EnergyDetector

__all__ = ["Silence"]


class Silence:
    """Watches over one call; make it when the call starts."""

    def __init__(
        self,
        call: CallControl,
        *,
        ask: Callable[[], Awaitable[object] | object],
        leave: Callable[[], Awaitable[object] | object] | None = None,
        seconds: float = 8.0,
        times: int = 2,
        detector: Detector | None = None,
    ) -> None:
        """
        :param ask: says something like "are you still there?".
        :param leave: ends the call, by a goodbye perhaps; by default, hangs up.
        :param seconds: how long neither side speaks before the caller is asked, and
            asked again.
        :param times: how often the caller is asked before the call is ended.
        :param detector: tells the caller's speech; by default anything louder than
            the line's noise is it.
        """
        self._call = call
        self._ask = ask
        self._leave = leave or call.hang_up
        self._most_ms = round(seconds * 1000)
        self._times = times
        self._detector = detector or EnergyDetector(call.format)
        self._turns = Turns()
        self._quiet_ms = 0
        self._asked = 0

    def frame(self, payload: bytes) -> None:
        """Twenty milliseconds of the caller; call it from ``audio_heard``."""
        whole = len(payload) == self._call.format.frame_bytes
        self._turns.frame(whole and self._detector.is_voiced(payload))
        if self._turns.is_speaking:
            self.heard()
        elif self._call.is_playing:
            self._quiet_ms = 0
        else:
            self._quiet_ms += FRAME_MS
            if self._quiet_ms >= self._most_ms:
                self._break()

    def heard(self) -> None:
        """The caller is there; call it from ``digit_pressed``."""
        self._quiet_ms = self._asked = 0

    def _break(self) -> None:
        self._quiet_ms = 0
        self._asked += 1
        # So it is contained like all that agents do, and may be a coroutine.
        self._call.call_later(
            0, self._ask if self._asked <= self._times else self._leave
        )
