"""Interruptions at any moment: what the API is told is what the ear has heard [BI-4].

A real call, its schedule and its playout clock are between the double and the model of
the caller's ear; each answer is made of one byte, so that the ear can tell them apart.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Line, tone
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.outside import Outside
from twistedvoice.audio import pcm
from twistedvoice.audio.pcm import Samples
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.openai.plan import Plan
from twistedvoice.doubles.openai.service import OpenAiDouble
from twistedvoice.doubles.plan import Reply
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import AgentFactory

from .talk import ACCOUNTS

__all__ = ["FuzzedCall", "InterruptTests"]

_SETTINGS: dict[str, object] = {"silence_ms": 100, "transcription": ""}
_QUIET, _LOUD = b"\xff" * 160, tone(20)
#: What answers are made of, one byte each; none is silence.
_BYTES = range(1, 120)


class FuzzedCall:
    """A caller who speaks into every answer, at moments drawn by lot."""

    def __init__(self, seed: int, delay: float = 0.0) -> None:
        """:param delay: of the carrier's line, one way, in seconds."""
        self._lot = Random(seed)
        self._delay = delay
        #: How long each answer is, and how much of it the ear has heard, in bytes.
        self._sizes: list[int] = []
        self._heard: Counter[int] = Counter()
        self.exchange = Exchange()
        self.exchange.make_agent = self._connect(self.exchange.clock)
        self.line: Line = self.exchange.dial(delay=delay)

    def _connect(self, clock: Clock) -> AgentFactory:
        """:returns: what makes the agent, and has the double behind it."""
        plan = Plan(
            voice=self._voice,
            answer=lambda heard_ms: Reply(says="words"),
            think_seconds=0.02,
        )
        self.double = OpenAiDouble(clock, plan)
        model = OpenAi.configure(_SETTINGS, Path())
        assert isinstance(model, Model)
        dial = MemoryNetwork(clock, self.double)
        model.connect(Outside(clock=clock, dial=dial, accounts=ACCOUNTS))
        return model

    def interrupt(self, times: int) -> None:
        """Let the model speak for a while, then speak; so often."""
        for _ in range(times):
            self._pass(self._lot.randrange(20, 1500))
            self._pass(100, _LOUD)
            self._pass(160 + round(2000 * self._delay))
            for byte, size in Counter(self.line.listen()).items():
                self._heard[self._newest(byte)] += size
            self.line.heard.clear()

    def errors_ms(self) -> list[float]:
        """:returns: for each answer, how much more the API thinks was heard."""
        items = self.double.session.conversation.items
        cuts = [i.truncated_ms for i in items if i.body.get("role") == "assistant"]
        told = [
            size / 8 if cut is None else float(cut)
            for cut, size in zip(cuts, self._sizes, strict=True)
        ]
        # The last one is still being said.
        return [told[n] - self._heard[n] / 8 for n in range(len(told) - 1)]

    def cuts(self) -> int:
        """:returns: how many answers the API was told to cut."""
        return self.double.session.kinds().count("conversation.item.truncate")

    def hang_up(self) -> list[object]:
        """:returns: what is left when the caller has hung up."""
        self.line.stop()
        self.line.call = None
        return self.exchange.leftovers()

    def _pass(self, milliseconds: int, sound: bytes = _QUIET) -> None:
        for _ in range(milliseconds // 20):
            self.line.sound(sound)
            self.exchange.advance(0.02)
        self.exchange.advance(milliseconds % 20 / 1000)

    def _voice(self, text: str, rate: int) -> Samples:
        byte = _BYTES[len(self._sizes) % len(_BYTES)]
        size = self._lot.randrange(4000, 16000)
        self._sizes.append(size)
        return pcm.decode(bytes([byte]) * size, MULAW_8K)

    def _newest(self, byte: int) -> int:
        """:returns: the newest answer that is made of ``byte``."""
        last = len(self._sizes) - 1
        return last - (last - _BYTES.index(byte)) % len(_BYTES)


class InterruptTests(SynchronousTestCase):
    """What the API thinks was heard, and what the ear has heard."""

    def assert_agree(self, delay: float, times: int, most_ms: float) -> None:
        """Interrupt so often; then every answer agrees to within so much."""
        call = FuzzedCall(7, delay)
        call.interrupt(times)
        errors = call.errors_ms()
        self.assertGreater(len(errors), times * 0.9)
        self.assertGreater(call.cuts(), times * 0.5)
        self.assertLessEqual(max(map(abs, errors)), most_ms)
        self.assertEqual(call.double.session.problems, [])
        self.assertEqual(call.hang_up(), [])

    def test_near(self) -> None:
        """Without delay, to the millisecond."""
        self.assert_agree(0.0, 15, 1.0)

    def test_far(self) -> None:
        """With a delay, all the same: the clear catches what it is told."""
        self.assert_agree(0.08, 10, 1.0)
