# -*- test-case-name: tests.speech.test_bargein -*-
"""The gate through which a caller's speech interrupts an agent.

Whoever tells that the caller speaks comes to the same gate, which decides once for each
speech. What it cuts off it can take up again, from the exact frame that was heard last,
when the speech was none.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from ..audio import pcm
from ..formats import AudioFormat
from ..interfaces import CallControl
from .recital import Recital

__all__ = ["BargeIn", "BargeInRules", "faded"]


@frozen(kw_only=True)
class BargeInRules:
    """When speech interrupts, and how, in milliseconds."""

    #: How long what was cut off still sounds, fading; 0 cuts hard.
    fade_ms: int = 20
    #: Speech no longer than this, in which nothing was understood, was none.
    false_ms: int = 800
    #: Just begun to speak, the agent is not interrupted: the line may echo.
    ignore_ms: int = 0


class BargeIn:
    """The gate of one call."""

    def __init__(
        self, call: CallControl, recital: Recital, rules: BargeInRules
    ) -> None:
        self._call = call
        self._recital = recital
        self._rules = rules
        #: Whether what is being said must be heard to its end.
        self.is_protected = False
        #: How often the agent was interrupted, and how often for nothing.
        self.interruptions = self.false_interruptions = 0
        self._armed = False
        self._rest = b""

    def speech_started(self) -> bool:
        """
        The caller speaks, and that is confirmed; told twice, it is the same speech.

        :returns: whether the agent was interrupted, which has then happened.
        """
        if not self._armed:
            self._armed, self._rest = True, b""
        return self.look()

    def look(self) -> bool:
        """
        See again, while the caller speaks, whether the agent must fall silent.

        :returns: whether it did.
        """
        saying = self._recital.saying
        if not self._armed or saying is None or not self._call.is_playing:
            return False
        if self.is_protected:
            self._armed = False  # this speech will not interrupt what is said next
            return False
        if saying.heard_ms() < self._rules.ignore_ms:
            return False
        self._cut()
        return True

    def speech_ended(self, *, understood: bool, spoken_ms: int) -> bool:
        """
        The caller has stopped.

        :param understood: whether words were recognised, in as far as that is known.
        :param spoken_ms: how long the speech was.
        :returns: whether it was a false alarm, and the agent goes on with what it was
            saying.
        """
        self._armed = False
        rest, self._rest = self._rest, b""
        if understood or not rest or spoken_ms > self._rules.false_ms:
            return False
        self.false_interruptions += 1
        self._recital.resume(rest)
        return True

    def _cut(self) -> None:
        self._armed = False
        self.interruptions += 1
        self._rest = self._recital.stop("barge_in")
        sound = self._call.format
        if fading := faded(self._rest, sound, self._rules.fade_ms):
            self._call.say(fading)


def faded(audio: bytes, sound: AudioFormat, fade_ms: int) -> bytes:
    """:returns: the beginning of ``audio``, ``fade_ms`` of it, falling to silence."""
    beginning = pcm.decode(audio[: sound.bytes_in(fade_ms * 1000)], sound)
    slope = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, len(beginning)))
    return pcm.encode((beginning * slope).astype(np.int16), sound)
