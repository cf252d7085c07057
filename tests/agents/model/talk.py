"""A call with an agent, and the double of its model behind it, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.agent import ModelAgent
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.outside import Outside
from twistedvoice.audio import pcm
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.plan import Reply
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

__all__ = ["SPEECH", "Talk", "TalkCase"]

#: The caller says three words, and is quiet long enough to have spoken.
SPEECH = pcm.encode(tones("one two three", 8000), MULAW_8K)
_QUIET = b"\xff" * 6400


class Talk:
    """One call; derive from it for each API."""

    agent_class: ClassVar[type[ModelAgent]]
    plan_class: ClassVar[Any]
    double_class: ClassVar[Any]
    accounts: ClassVar[Mapping[str, str]]

    def __init__(
        self,
        *replies: Reply,
        agent: type[ModelAgent] | None = None,
        delay: float = 0.0,
        sound: AudioFormat = MULAW_8K,
        settings: dict[str, object] | None = None,
        **plan: Any,
    ) -> None:
        """:param replies: what the model says; the first is its greeting."""
        self.clock = Clock()
        self.plan = self.plan_class(replies=list(replies), **plan)
        self.double = self.double_class(self.clock, self.plan)
        self.network = MemoryNetwork(self.clock, self.double, delay)
        model = (agent or self.agent_class).configure(settings or {}, Path())
        assert isinstance(model, Model)
        self.model = model
        outside = Outside(clock=self.clock, dial=self.network, accounts=self.accounts)
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
    def session(self) -> Any:
        """The newest session."""
        return self.double.session

    def speak(self, seconds: float = 0.0) -> None:
        """The caller speaks and is quiet then; ``seconds`` more pass."""
        self.call.hear(SPEECH + _QUIET)
        self.call.advance(seconds)

    def asked(self) -> int:
        """:returns: how often the newest session was asked to speak."""
        raise NotImplementedError

    def results(self) -> list[str]:
        """:returns: what the model was told that functions came to."""
        raise NotImplementedError


class TalkCase(SynchronousTestCase):
    """Calls in which the API finds nothing to complain of, and nothing is left."""

    talk_class: ClassVar[type[Talk]]

    def sound_of(self, text: str) -> bytes:
        """:returns: how the double says ``text``, as it is heard in mu-law."""
        raise NotImplementedError

    def talk(self, *replies: Reply, **options: Any) -> Any:
        """:returns: a call that is checked when the test is over."""
        talk = self.talk_class(*replies, **options)
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
