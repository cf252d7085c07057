"""A call with an agent, and the double of its model behind it, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model.agent import ModelAgent
from twistedvoice.agents.model.house import House
from twistedvoice.agents.outside import Outside
from twistedvoice.audio import pcm
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.plan import Reply
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.interfaces import AgentFactory
from twistedvoice.testing import FakeCall

__all__ = ["SPEECH", "RemoteCase", "RemoteTalk", "Talk", "TalkCase"]

#: The caller says three words, and is quiet long enough to have spoken.
SPEECH = pcm.encode(tones("one two three", 8000), MULAW_8K)
_QUIET = b"\xff" * 6400


class RemoteTalk:
    """One call with an agent whose model is elsewhere; derive each kind from it."""

    def __init__(
        self, factory: AgentFactory, outside: Outside, clock: Clock, sound: AudioFormat
    ) -> None:
        assert isinstance(factory, House)
        factory.connect(outside)
        self.house: House[Any] = factory
        self.clock = clock
        self._sound = sound
        self.call: FakeCall

    def start(self, seconds: float = 0.0) -> FakeCall:
        """The caller is on the line, for so long."""
        made = self.house()
        self.call = FakeCall(made, clock=self.clock, format=self._sound)
        self.call.start()
        self.call.advance(seconds)
        return self.call

    def speak(self, seconds: float = 0.0) -> None:
        """The caller speaks and is quiet then; ``seconds`` more pass."""
        self.call.hear(SPEECH + _QUIET)
        self.call.advance(seconds)

    def refuse(self, status: int) -> None:
        """The next socket is refused."""
        raise NotImplementedError

    def heard(self) -> bytes:
        """:returns: what the model heard of the caller, in the newest session."""
        raise NotImplementedError

    def results(self) -> list[str]:
        """:returns: what the model was told that functions came to."""
        raise NotImplementedError


class Talk(RemoteTalk):
    """One call with a model behind one API; derive from it for each."""

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
        clock = Clock()
        self.plan = self.plan_class(replies=list(replies), **plan)
        self.double = self.double_class(clock, self.plan)
        self.network = MemoryNetwork(clock, self.double, delay)
        factory = (agent or self.agent_class).configure(settings or {}, Path())
        outside = Outside(clock=clock, dial=self.network, accounts=self.accounts)
        super().__init__(factory, outside, clock, sound)

    @property
    def session(self) -> Any:
        """The newest session."""
        return self.double.session

    def refuse(self, status: int) -> None:
        self.plan.refusals.append(status)

    def heard(self) -> bytes:
        return bytes(self.session.heard)

    def asked(self) -> int:
        """:returns: how often the newest session was asked to speak."""
        raise NotImplementedError


class RemoteCase(SynchronousTestCase):
    """Calls in which no service finds anything to complain of, and nothing is left."""

    talk_class: ClassVar[Any]
    #: What a model says, and perhaps calls.
    reply: ClassVar[Any]

    def sound_of(self, text: str) -> bytes:
        """:returns: how the double says ``text``, as it is heard in mu-law."""
        raise NotImplementedError

    def talk(self, *replies: Any, **options: Any) -> Any:
        """:returns: a call that is checked when the test is over."""
        talk = self.talk_class(*replies, **options)
        self.addCleanup(self.assert_clean, talk)
        return talk

    def sessions(self, talk: Any) -> Sequence[Any]:
        """:returns: all sockets that the doubles have had."""
        raise NotImplementedError

    def assert_clean(self, talk: Any) -> None:
        """Nothing that we said was wrong; the end leaves nothing behind."""
        talk.call.caller_hangs_up()
        talk.house.close()
        talk.call.advance(1)
        self.assertEqual(talk.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        for session in self.sessions(talk):
            self.assertEqual(session.problems, [])
            self.assertIsNotNone(session.ended)


class TalkCase(RemoteCase):
    """Calls with a model behind one API."""

    reply = Reply

    def sessions(self, talk: Talk) -> Sequence[Any]:
        sessions: Sequence[Any] = talk.double.sessions
        return sessions
