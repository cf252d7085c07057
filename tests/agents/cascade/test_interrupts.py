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
#: What sentences are made of, one byte each; none is silence.
_BYTES = range(1, 120)
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

    def __init__(self, seed: int, delay: float = 0.0) -> None:
        """:param delay: of the carrier's line, one way, in seconds."""
        self._lot = Random(seed)
        self._delay = delay
        #: How long each sentence is, and how much of it was heard, in bytes.
        self.sizes: list[int] = []
        self.ear: Counter[int] = Counter()
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
        self.line: Line = self.exchange.dial(delay=delay)

    def interrupt(self, times: int) -> None:
        """Let the agent speak for a while, then speak; so often."""
        for _ in range(times):
            self._pass(self._lot.randrange(400, 1800))
            self._pass(300, _LOUD)
            self._pass(200 + round(2000 * self._delay))
            for byte, size in Counter(self.line.listen()).items():
                self.ear[self._newest(byte)] += size
            self.line.heard.clear()

    def _pass(self, milliseconds: int, sound: bytes = _QUIET) -> None:
        for _ in range(milliseconds // 20):
            self.line.sound(sound)
            self.exchange.advance(0.02)
        self.exchange.advance(milliseconds % 20 / 1000)

    def _voice(self, text: str, rate: int) -> Samples:
        self.sizes.append(self._lot.randrange(4000, 16000))
        byte = _BYTES[(len(self.sizes) - 1) % len(_BYTES)]
        return pcm.decode(bytes([byte]) * self.sizes[-1], MULAW_8K)

    def _newest(self, byte: int) -> int:
        """:returns: the newest sentence that is made of ``byte``."""
        last = len(self.sizes) - 1
        return last - (last - _BYTES.index(byte)) % len(_BYTES)


class InterruptTests(SynchronousTestCase):
    """What the model remembers, and what the ear has heard."""

    def assert_agree(self, delay: float, times: int) -> None:
        """Of each sentence the words that the ear heard, by their share of it."""
        call = FuzzedCall(7, delay)
        call.interrupt(times)
        wanted = [
            heard_words(_WORDS, call.ear[n] // 8, size // 8)
            for n, size in enumerate(call.sizes)
            if call.ear[n]
        ]
        heard = [text for text in call.agent.heard if text]
        self.assertEqual(heard, [text for text in wanted if text][: len(heard)])
        self.assertGreater(len(heard), times * 0.6)
        self.assertGreater(sum(text != _WORDS for text in heard), times * 0.3)
        call.line.stop()
        call.line.call = None
        self.assertEqual(call.exchange.leftovers(), [])

    def test_near(self) -> None:
        """Without delay, to the word."""
        self.assert_agree(0.0, 15)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 10)
