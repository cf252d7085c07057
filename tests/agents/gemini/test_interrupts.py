# -*- test-case-name: tests.agents.gemini.test_interrupts -*-
"""Interruptions at any moment: what is remembered is what the ear has heard [BI-4].

Gemini cannot be told what was heard, but whoever goes on from a lost session is. Each
answer has a letter for every few milliseconds of its sound, so its words tell the time.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Line, tone
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.model.memory import Line as Said
from twistedvoice.agents.outside import Outside
from twistedvoice.audio import pcm
from twistedvoice.audio.pcm import Samples
from twistedvoice.doubles.gemini.plan import Plan
from twistedvoice.doubles.gemini.service import GeminiDouble
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.plan import Reply
from twistedvoice.formats import MULAW_8K

from .talk import ACCOUNTS

__all__ = ["FuzzedCall", "InterruptTests"]

_QUIET, _LOUD = b"\xff" * 160, tone(20)
#: What answers are made of, one level each: far enough apart for the resampler.
_BYTES = (1, 17, 33, 49, 65)
_LETTERS = 2000


class Noting(Gemini):
    """Notes what the caller heard, in letters of each answer."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.heard: dict[int, int] = {}

    def transcribed(self, line: Said) -> None:
        if line.who == "agent":
            self.heard[ord(line.text[0]) - 0x4E00] = len(line.text)


class FuzzedCall:
    """A caller who speaks into every answer, at moments drawn by lot."""

    def __init__(self, seed: int, delay: float = 0.0) -> None:
        """:param delay: of the carrier's line, one way, in seconds."""
        self._lot = Random(seed)
        self._delay = delay
        #: How long each answer is, and how much of it was heard, in bytes of mu-law.
        self.sizes: list[int] = []
        self.ear: Counter[int] = Counter()
        self.exchange = Exchange()
        clock = self.exchange.clock
        plan = Plan(
            voice=self._voice,
            answer=lambda heard_ms: Reply(
                says=chr(0x4E00 + len(self.sizes)) * _LETTERS
            ),
            think_seconds=0.02,
            piece_every_seconds=0.0,
        )
        self.double = GeminiDouble(clock, plan)
        model = Noting.configure({"silence_ms": 100}, Path())
        assert isinstance(model, Model)
        dial = MemoryNetwork(clock, self.double)
        model.connect(Outside(clock=clock, dial=dial, accounts=ACCOUNTS))
        self.agent: Noting

        def make_agent() -> Noting:
            self.agent = Noting(model)
            return self.agent

        self.exchange.make_agent = make_agent
        self.line: Line = self.exchange.dial(delay=delay)

    def interrupt(self, times: int) -> None:
        """Let the model speak for a while, then speak; so often."""
        for _ in range(times):
            self._pass(self._lot.randrange(200, 1500))
            self._pass(200, _LOUD)
            self._pass(200 + round(2000 * self._delay))
            self._listen()

    def errors_ms(self) -> list[float]:
        """:returns: for each answer, how much more is remembered than was heard."""
        heard, sizes = self.agent.heard, self.sizes
        return [
            heard.get(n, 0) * sizes[n] / _LETTERS / 8 - self.ear[n] / 8
            for n in range(len(sizes) - 1)  # the last one is still being said
        ]

    def _listen(self) -> None:
        last = len(self.sizes) - 1
        for byte, size in Counter(self.line.listen()).items():
            # The resampler rings for some bytes: they belong to the nearest level.
            nearest = min(range(len(_BYTES)), key=lambda n: abs(_BYTES[n] - byte))
            self.ear[last - (last - nearest) % len(_BYTES)] += size
        self.line.heard.clear()

    def _pass(self, milliseconds: int, sound: bytes = _QUIET) -> None:
        for _ in range(milliseconds // 20):
            self.line.sound(sound)
            self.exchange.advance(0.02)
        self.exchange.advance(milliseconds % 20 / 1000)

    def _voice(self, text: str, rate: int) -> Samples:
        byte = _BYTES[len(self.sizes) % len(_BYTES)]
        self.sizes.append(self._lot.randrange(4000, 16000))
        return pcm.decode(bytes([byte]) * (3 * self.sizes[-1]), MULAW_8K)


class InterruptTests(SynchronousTestCase):
    """What is remembered, and what the ear has heard."""

    def assert_agree(self, delay: float, times: int) -> None:
        """Interrupt so often; then every answer agrees, to a letter or two."""
        call = FuzzedCall(7, delay)
        call.interrupt(times)
        errors = call.errors_ms()
        self.assertGreater(len(errors), times * 0.6)
        self.assertGreater(len(call.line.arrivals("clear")), times * 0.3)
        self.assertLessEqual(max(map(abs, errors)), 3.0)
        self.assertEqual(call.double.session.problems, [])
        call.line.stop()
        call.line.call = None
        self.assertEqual(call.exchange.leftovers(), [])

    def test_near(self) -> None:
        """Without delay."""
        self.assert_agree(0.0, 15)

    def test_far(self) -> None:
        """With a delay, all the same."""
        self.assert_agree(0.08, 15)
