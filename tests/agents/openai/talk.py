"""A call with the agent, and the double of OpenAI behind it, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.outside import Outside
from twistedvoice.audio import pcm
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.openai.plan import Plan
from twistedvoice.doubles.openai.service import OpenAiDouble
from twistedvoice.doubles.openai.session import Session
from twistedvoice.doubles.plan import Reply
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

__all__ = ["ACCOUNTS", "SPEECH", "Talk", "TalkCase", "sound_of"]

ACCOUNTS = {"openai.api_key": "sk-double", "openai.url": "ws://double/v1/realtime"}


def sound_of(text: str) -> bytes:
    """:returns: how the double says ``text`` in mu-law."""
    return pcm.encode(tones(text, 8000), MULAW_8K)


#: The caller says three words, and is quiet long enough to have spoken.
SPEECH = sound_of("one two three")
_QUIET = b"\xff" * 6400


class Talk:
    """One call."""

    def __init__(
        self,
        *replies: Reply,
        agent: type[OpenAi] = OpenAi,
        delay: float = 0.0,
        sound: AudioFormat = MULAW_8K,
        settings: dict[str, object] | None = None,
        **plan: Any,
    ) -> None:
        """:param replies: what the model says; the first is its greeting."""
        self.clock = Clock()
        self.plan = Plan(replies=list(replies), **plan)
        self.double = OpenAiDouble(self.clock, self.plan)
        self.network = MemoryNetwork(self.clock, self.double, delay)
        model = agent.configure(settings or {}, Path())
        assert isinstance(model, Model)
        self.model = model
        outside = Outside(clock=self.clock, dial=self.network, accounts=ACCOUNTS)
        self.model.connect(outside)
        self._sound = sound
        self.call: FakeCall

    def start(self, seconds: float = 0.0) -> FakeCall:
        """The caller is on the line, for so long."""
        made = self.model()
        self.call = FakeCall(made, clock=self.clock, format=self._sound)
        self.call.start()
        self.call.advance(seconds)
        return self.call

    @property
    def session(self) -> Session:
        """The newest session."""
        return self.double.session

    def speak(self, seconds: float = 0.0) -> None:
        """The caller speaks and is quiet then; ``seconds`` more pass."""
        self.call.hear(SPEECH + _QUIET)
        self.call.advance(seconds)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """:returns: what the newest session was told of a kind."""
        return [each for each in self.session.told if each["type"] == kind]


class TalkCase(SynchronousTestCase):
    """Calls in which the API finds nothing to complain of, and nothing is left."""

    def talk(self, *replies: Reply, **options: Any) -> Talk:
        """:returns: a call that is checked when the test is over."""
        talk = Talk(*replies, **options)
        self.addCleanup(self.assert_clean, talk)
        return talk

    def assert_clean(self, talk: Talk) -> None:
        """Nothing that we said was wrong; the end leaves nothing behind."""
        talk.call.caller_hangs_up()
        talk.model.close()
        self.assertEqual(talk.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        for session in talk.double.sessions:
            self.assertEqual(session.problems, [])
            self.assertIsNotNone(session.ended)
