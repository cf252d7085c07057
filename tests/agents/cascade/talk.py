"""A call with the cascade, and doubles of its three services, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.cascade.services import Services
from twistedvoice.agents.outside import Outside
from twistedvoice.audio import pcm
from twistedvoice.doubles.cartesia import CartesiaSession
from twistedvoice.doubles.cascade import CascadeDouble
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.doubles.deepgram import DeepgramSession
from twistedvoice.doubles.http import MemoryHttp
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

__all__ = ["ACCOUNTS", "SPEECH", "Doubles", "Talk", "TalkCase", "sound_of"]

ACCOUNTS = {
    "deepgram.api_key": "dg-double",
    "deepgram.url": "wss://deepgram.double/v1/listen",
    "llm.api_key": "sk-chat",
    "llm.url": "https://chat.double/v1",
    "cartesia.api_key": "sk-cartesia",
    "cartesia.url": "wss://cartesia.double/tts/websocket",
}


def sound_of(text: str) -> bytes:
    """:returns: how the double says ``text`` in mu-law."""
    return pcm.encode(tones(text, 8000), MULAW_8K)


#: The caller says three words, and is quiet long enough to have spoken.
SPEECH = sound_of("one two three")
_QUIET = b"\xff" * 4800


class Doubles(CascadeDouble):
    """The three services, in memory."""

    def __init__(self, clock: Clock, delay: float = 0.0) -> None:
        super().__init__(clock)
        self.network = MemoryNetwork(clock, self.socket, delay)
        fetch = MemoryHttp(clock, self.chat, delay).fetch
        self.outside = Outside(
            clock=clock, dial=self.network, fetch=fetch, accounts=ACCOUNTS
        )


class Talk(Doubles):
    """One call."""

    def __init__(
        self,
        *replies: ChatReply,
        agent: type[Cascade] = Cascade,
        clock: Clock | None = None,
        delay: float = 0.0,
        sound: AudioFormat = MULAW_8K,
        **settings: object,
    ) -> None:
        """:param replies: what the model says; the first is its greeting."""
        self.clock = clock or Clock()
        super().__init__(self.clock, delay)
        self.chat.plan.replies += replies
        services = agent.configure(settings, Path())
        assert isinstance(services, Services)
        self.services = services
        self.services.connect(self.outside)
        self._sound = sound
        self.call: FakeCall

    def start(self, seconds: float = 0.0) -> FakeCall:
        """The caller is on the line, for so long."""
        made: Any = self.services()
        self.call = FakeCall(made, clock=self.clock, format=self._sound)
        self.call.start()
        self.call.advance(seconds)
        return self.call

    def speak(self, words: str = "", seconds: float = 0.0) -> None:
        """The caller says something and is quiet then; ``seconds`` more pass."""
        self.deepgram.plan.says += [words] if words else []
        self.call.hear(SPEECH + _QUIET)
        self.call.advance(seconds)

    @property
    def hearing(self) -> DeepgramSession:
        """The newest socket to Deepgram."""
        return self.deepgram.sessions[-1]

    @property
    def speaking(self) -> CartesiaSession:
        """The newest socket to Cartesia."""
        return self.cartesia.sessions[-1]

    def said(self) -> list[tuple[str, str]]:
        """:returns: the conversation as the model was told of it last."""
        return [(m["role"], m["content"]) for m in self.chat.messages()[1:]]


class TalkCase(SynchronousTestCase):
    """Calls in which no service finds anything to complain of, and nothing is left."""

    def talk(self, *replies: ChatReply, **options: Any) -> Talk:
        """:returns: a call that is checked when the test is over."""
        talk = Talk(*replies, **options)
        self.addCleanup(self.assert_clean, talk)
        return talk

    def assert_clean(self, talk: Talk) -> None:
        """Nothing that we said was wrong; the end leaves nothing behind."""
        talk.call.caller_hangs_up()
        talk.services.close()
        talk.call.advance(1)
        self.assertEqual(talk.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(talk.chat.problems, [])
        sessions: list[Any] = [*talk.deepgram.sessions, *talk.cartesia.sessions]
        for session in sessions:
            self.assertEqual(session.problems, [])
            self.assertIsNotNone(session.ended)
