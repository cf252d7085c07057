# -*- test-case-name: tests.speech.test_voicemail -*-
"""Who answered: a person or a machine, and when the machine takes a message.

A person says something short and waits; a machine goes on. That is all it knows: it
understands no word, so it may err, and a beep afterwards puts that right. Made for the
beginning of a call that somebody else has answered; it knows no clock.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from ..audio.beep import Beeps
from ..formats import FRAME_MS, AudioFormat
from .turns import Turns
from .vad import Detector, EnergyDetector

__all__ = ["Voicemail", "VoicemailRules"]


@frozen(kw_only=True)
class VoicemailRules:
    """What tells a person from a machine, in milliseconds."""

    #: The longest that a person says at first, short pauses and all.
    hello_ms: int = 2500
    #: The silence after it in which a person waits for an answer.
    wait_ms: int = 800


class Voicemail:
    """Listens to the beginning of one call."""

    def __init__(
        self,
        sound: AudioFormat,
        *,
        rules: VoicemailRules | None = None,
        detector: Detector | None = None,
    ) -> None:
        """:param detector: tells speech; by default what is louder than the noise."""
        self._sound = sound
        self._rules = rules or VoicemailRules()
        self._detector = detector or EnergyDetector(sound)
        self._beeps = Beeps(sound)
        self._turns = Turns()
        #: Since the first word, and since the last.
        self._greeting_ms = self._quiet_ms = 0
        self._is_decided = False

    def frame(self, payload: bytes) -> Literal["person", "machine", "beep"] | None:
        """
        :param payload: the next 20 ms; what is longer or shorter is not looked at.
        :returns: what this frame decided, usually nothing. ``person`` or ``machine``
            come once; ``beep`` comes at the end of each beep, and means a machine.
        """
        if len(payload) != self._sound.frame_bytes:
            return None
        if self._beeps.frame(payload):
            self._is_decided = True
            return "beep"
        if self._is_decided:
            return None
        self._count(self._detector.is_voiced(payload))
        if self._greeting_ms > self._rules.hello_ms and not self._quiet_ms:
            self._is_decided = True
            return "machine"
        if self._greeting_ms and self._quiet_ms >= self._rules.wait_ms:
            self._is_decided = True
            return "person"
        return None

    def _count(self, voiced: bool) -> None:
        turn = self._turns.frame(voiced)
        if self._greeting_ms:
            self._greeting_ms += FRAME_MS
        elif turn == "started":
            self._greeting_ms = self._turns.spoken_ms
        if self._turns.is_speaking:
            self._quiet_ms = 0
        elif turn == "ended":
            self._quiet_ms = self._turns.rules.hangover_ms
        else:
            self._quiet_ms += FRAME_MS
