# -*- test-case-name: tests.speech.test_bargein -*-
"""Tests of the gate between a caller's speech and an agent that speaks."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.audio import pcm
from twistedvoice.formats import MULAW_8K
from twistedvoice.speech.bargein import BargeIn, BargeInRules, faded
from twistedvoice.speech.recital import Recital
from twistedvoice.testing import FakeCall

#: Ten seconds in which every frame differs from its neighbours.
_LONG = b"".join(bytes([number % 200]) * 160 for number in range(500))
_CUT = [("interrupt", "barge_in")]


class BargeInTests(SynchronousTestCase):
    """One gate on a call whose caller hears without delay."""

    def gate(self, rules: BargeInRules) -> BargeIn:
        """:returns: a gate of a call on which something long is being said."""
        self.call = FakeCall(Agent())
        self.call.start()
        self.recital = Recital(self.call)
        self.recital.say(_LONG)
        return BargeIn(self.call, self.recital, rules)

    def test_interrupts(self) -> None:
        """Speech silences the agent at once, and only once however often it is told."""
        gate = self.gate(BargeInRules(fade_ms=0))
        self.call.advance(1)
        self.assertTrue(gate.speech_started())
        self.assertFalse(self.call.is_playing)
        self.assertFalse(gate.speech_started())
        self.assertEqual(self.call.events, _CUT)
        self.assertEqual(gate.interruptions, 1)

    def test_nothing_said(self) -> None:
        """Speech into silence interrupts nothing; it does what comes while it lasts."""
        gate = self.gate(BargeInRules(fade_ms=0))
        self.call.advance(11)
        self.assertFalse(gate.speech_started())
        self.assertFalse(gate.look())
        self.recital.say(_LONG)
        self.assertTrue(gate.look())
        self.assertEqual(self.call.events, _CUT)

    def test_protected(self) -> None:
        """What must be heard is heard; only new speech interrupts what follows it."""
        gate = self.gate(BargeInRules())
        gate.is_protected = True
        self.assertFalse(gate.speech_started())
        gate.is_protected = False
        self.assertFalse(gate.look())
        gate.speech_ended(understood=False, spoken_ms=300)
        self.assertTrue(gate.speech_started())

    def test_ignored_at_first(self) -> None:
        """For as long as the line may echo the agent is not interrupted."""
        gate = self.gate(BargeInRules(ignore_ms=200))
        self.call.advance(0.1)
        self.assertFalse(gate.speech_started())
        self.call.advance(0.08)
        self.assertFalse(gate.look())
        self.call.advance(0.02)
        self.assertTrue(gate.look())

    def test_false_alarm(self) -> None:
        """After a cough the agent goes on with the very frame that was cut off."""
        gate = self.gate(BargeInRules(fade_ms=0))
        self.call.advance(1.03)
        gate.speech_started()
        self.call.advance(0.5)
        self.assertTrue(gate.speech_ended(understood=False, spoken_ms=400))
        self.call.advance(20)
        # It was cut in the middle of its 52nd frame, which is heard again.
        self.assertEqual(self.call.heard, _LONG[: 51 * 160 + 80] + _LONG[51 * 160 :])
        self.assertEqual(gate.false_interruptions, 1)
        self.assertFalse(gate.speech_ended(understood=False, spoken_ms=400))

    def test_no_false_alarm(self) -> None:
        """What was understood, or was long, was speech: the agent stays silent."""
        for understood, spoken_ms in ((True, 400), (False, 820)):
            gate = self.gate(BargeInRules(fade_ms=0))
            gate.speech_started()
            ended = gate.speech_ended(understood=understood, spoken_ms=spoken_ms)
            self.assertFalse(ended)
            self.assertFalse(self.call.is_playing)

    def test_fade(self) -> None:
        """What is cut off fades within the time that is set, and goes on unfaded."""
        gate = self.gate(BargeInRules(fade_ms=60))
        self.call.advance(1)
        gate.speech_started()
        self.call.advance(0.5)
        fade = self.call.heard[8000:]
        self.assertEqual(fade, faded(_LONG[8000:], MULAW_8K, 60))
        gate.speech_ended(understood=False, spoken_ms=200)
        self.call.advance(20)
        self.assertEqual(self.call.heard, _LONG[:8000] + fade + _LONG[8000:])

    def test_slope(self) -> None:
        """A fade begins as loud as the sound, ends in silence, and only falls."""
        steady = pcm.encode(np.full(1000, 8000, np.int16), MULAW_8K)
        fade = pcm.decode(faded(steady, MULAW_8K, 40), MULAW_8K).astype(int)
        self.assertEqual(len(fade), 320)
        self.assertEqual(fade[0], pcm.decode(steady, MULAW_8K)[0])
        self.assertLess(fade[-1], 10)
        self.assertTrue((np.diff(fade) <= 0).all())
        self.assertEqual(faded(b"", MULAW_8K, 40), b"")
