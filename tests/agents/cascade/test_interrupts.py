# -*- test-case-name: tests.agents.cascade.test_interrupts -*-
"""Interruptions at any moment: the model remembers what the ear has heard [BI-4].

A real call, its schedule and its playout clock are between the doubles and the model of
the caller's ear; each sentence is made of one byte: the ear can tell them apart.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Line, tone
from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.cascade.services import Services
from twistedvoice.agents.cascade.speech import heard_words
from twistedvoice.agents.model.memory import Line as Said
from twistedvoice.audio import pcm
from twistedvoice.audio.pcm import Samples
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.formats import MULAW_8K

from .talk import Doubles

__all__ = ["InterruptTests"]

_QUIET, _LOUD = b"\xff" * 160, tone(20)
_WORDS = "one two three four five six seven eight nine ten eleven twelve."


class Noting(Cascade):
    """Notes what the caller heard."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.heard: list[str] = []

    def transcribed(self, line: Said) -> None:
        if line.who == "agent":
            self.heard.append(line.text)


class FuzzedCall:
    """A caller who speaks into every answer, at moments drawn by lot."""

    def __init__(self, seed: int) -> None:
        self._lot = Random(seed)
        #: How long each sentence is, in bytes.
        self.sizes: list[int] = []
        self.exchange = Exchange()
        doubles = Doubles(self.exchange.clock)
        doubles.chat.plan.answer = lambda said: ChatReply(says=_WORDS)
        doubles.chat.plan.word_seconds = 0.0
        doubles.cartesia.plan.voice = self._voice
        services = Noting.configure({"silence_ms": 100}, Path())
        assert isinstance(services, Services)
        services.connect(doubles.outside)
        self.agent: Noting

        def make_agent() -> Noting:
            self.agent = Noting(services)
            return self.agent

        self.exchange.make_agent = make_agent
        self.line: Line = self.exchange.dial()

    def interrupt(self, times: int) -> None:
        """Let the agent speak for a while, then speak; so often."""
        for _ in range(times):
            self._pass(self._lot.randrange(400, 1800))
            self._pass(300, _LOUD)
            self._pass(200)

    def _pass(self, milliseconds: int, sound: bytes = _QUIET) -> None:
        for _ in range(milliseconds // 20):
            self.line.sound(sound)
            self.exchange.advance(0.02)
        self.exchange.advance(milliseconds % 20 / 1000)

    def _voice(self, text: str, rate: int) -> Samples:
        self.sizes.append(self._lot.randrange(4000, 16000))
        return pcm.decode(bytes([len(self.sizes)]) * self.sizes[-1], MULAW_8K)


class InterruptTests(SynchronousTestCase):
    """What the model remembers, and what the ear has heard."""

    def test_agree(self) -> None:
        """Of each sentence the words that the ear heard, by their share of it."""
        call = FuzzedCall(7)
        call.interrupt(30)
        ear = Counter(call.line.listen())
        wanted = [
            heard_words(_WORDS, ear[n + 1] // 8, size // 8)
            for n, size in enumerate(call.sizes)
            if ear[n + 1]
        ]
        heard = call.agent.heard
        self.assertEqual(heard, wanted[: len(heard)])
        self.assertGreater(len(heard), 20)
        self.assertGreater(sum(text != _WORDS for text in heard), 10)
        call.line.stop()
        call.line.call = None
        self.assertEqual(call.exchange.leftovers(), [])
