# -*- test-case-name: tests.agents.test_silence -*-
"""Callers who say nothing are asked whether they are there, and then left."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.agents.silence import Silence
from twistedvoice.audio.wav import load
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import CallControl
from twistedvoice.simulator import speech
from twistedvoice.testing import FakeCall

HELLO = load(Path(speech.__path__[0]) / "caller_hello.wav", MULAW_8K)
#: What a good line sounds like while nobody speaks.
NOTHING = b"\xff\x7f\xfe\xff" * 40
QUESTION = b"\x12" * 8000


class Host(Agent):
    """Asks twice, after five seconds each."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def call_started(self, call: CallControl) -> None:
        self.silence = Silence(
            call,
            ask=self.ask,
            leave=self.leave,
            seconds=5,
        )

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        self.silence.frame(payload)

    def digit_pressed(self, digit: str) -> None:
        self.silence.heard()

    def ask(self) -> None:
        self.done.append("asked")
        self.call.say(QUESTION)

    async def leave(self) -> None:
        self.done.append("left")
        self.call.hang_up_after(self.call.say(QUESTION))


class SilenceTests(SynchronousTestCase):
    """A caller with such an agent."""

    def setUp(self) -> None:
        self.agent = Host()
        self.call = FakeCall(self.agent)
        self.call.start()

    def wait(self, seconds: float) -> None:
        """Hear nothing of the caller for a while."""
        self.call.hear(NOTHING * round(seconds * 50))

    def test_asks_and_leaves(self) -> None:
        """After five seconds, and five more, it asks; then it says goodbye."""
        self.wait(4.9)
        self.assertEqual(self.agent.done, [])
        self.wait(0.2)
        self.assertEqual(self.agent.done, ["asked"])
        self.wait(5.8)
        self.assertEqual(self.agent.done, ["asked"])
        self.wait(0.2)
        self.assertEqual(self.agent.done, ["asked", "asked"])
        self.wait(6)
        self.assertEqual(self.agent.done, ["asked", "asked", "left"])
        self.wait(1.1)
        self.assertEqual(self.call.events[-1], ("ended", "hung_up"))

    def test_answer(self) -> None:
        """Who answers is there, and is asked from the beginning again."""
        self.wait(11.1)
        self.call.hear(HELLO)
        self.wait(4.5)
        self.assertEqual(self.agent.done, ["asked"] * 2)
        self.wait(6)
        self.assertEqual(self.agent.done, ["asked"] * 3)

    def test_key(self) -> None:
        """A key is an answer, too."""
        self.wait(4.9)
        self.call.press("1")
        self.wait(4.9)
        self.assertEqual(self.agent.done, [])

    def test_agent_speaks(self) -> None:
        """While the agent speaks, or plays music, nobody is asked."""
        hold = self.call.hold(b"\x12" * 8000)
        self.wait(30)
        hold.resume()
        self.wait(4.9)
        self.assertEqual(self.agent.done, [])

    def test_click(self) -> None:
        """A click on the line is nobody."""
        for _ in range(10):
            self.wait(0.5)
            self.call.hear(b"\x00" * 160)
        self.assertEqual(self.agent.done, ["asked"])

    def test_own_detector(self) -> None:
        """An agent that listens anyway may say itself what speech is."""

        class Deaf:
            def is_voiced(self, frame: bytes) -> bool:
                return False

        asked: list[str] = []
        silence = Silence(
            self.call, ask=lambda: asked.append("asked"), seconds=1, detector=Deaf()
        )
        for start in range(0, 160 * 60, 160):
            silence.frame(HELLO[start : start + 160])
            self.call.advance(0.02)
        self.assertEqual(asked, ["asked"])

    def test_usual(self) -> None:
        """Without settings it asks twice after eight seconds each, and hangs up."""
        asked: list[float] = []
        silence = Silence(
            self.call, ask=lambda: asked.append(self.call.clock.seconds())
        )
        for _ in range(1210):
            silence.frame(NOTHING)
            self.call.advance(0.02)
        self.assertEqual([round(at) for at in asked], [8, 16])
        self.assertTrue(self.call.ended)
