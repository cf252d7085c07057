"""A call with the cascade, and doubles of its three services, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from tests.agents.model.talk import SPEECH, RemoteCase, RemoteTalk
from twistedvoice.agents.cascade.agent import Cascade
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
from twistedvoice.interfaces import AgentFactory

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


class Doubles(CascadeDouble):
    """The three services, in memory."""

    def __init__(self, clock: Clock, delay: float = 0.0) -> None:
        super().__init__(clock)
        self.network = MemoryNetwork(clock, self.socket, delay)
        fetch = MemoryHttp(clock, self.chat, delay).fetch
        self.outside = Outside(
            clock=clock, dial=self.network, fetch=fetch, accounts=ACCOUNTS
        )


class Talk(Doubles, RemoteTalk):
    """One call."""

    def __init__(
        self,
        *replies: ChatReply,
        agent: type[Cascade] = Cascade,
        clock: Clock | None = None,
        delay: float = 0.0,
        sound: AudioFormat = MULAW_8K,
        settings: Mapping[str, object] | None = None,
        transcripts: Sequence[str] = (),
    ) -> None:
        """
        :param replies: what the model says; the first is its greeting.
        :param transcripts: what is understood of the caller.
        """
        clock = clock or Clock()
        Doubles.__init__(self, clock, delay)
        self.chat.plan.replies += replies
        self.deepgram.plan.says += transcripts
        factory = self.factory(agent, settings or {})
        RemoteTalk.__init__(self, factory, self.outside, clock, sound)

    def factory(
        self, agent: type[Cascade], settings: Mapping[str, object]
    ) -> AgentFactory:
        """:returns: what makes the agent."""
        return agent.configure(settings, Path())

    def says(self, words: str, seconds: float = 0.0) -> None:
        """The caller says these words."""
        self.deepgram.plan.says.append(words)
        self.speak(seconds)

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

    def refuse(self, status: int) -> None:
        self.deepgram.plan.refusals.append(status)

    def heard(self) -> bytes:
        return bytes(self.hearing.heard)

    def results(self) -> list[str]:
        return [m["content"] for m in self.chat.messages() if m["role"] == "tool"]


class TalkCase(RemoteCase):
    """Calls with the cascade."""

    talk_class, reply = Talk, ChatReply

    def sound_of(self, text: str) -> bytes:
        return sound_of(text)

    def sessions(self, talk: Talk) -> Sequence[Any]:
        return [*talk.deepgram.sessions, *talk.cartesia.sessions]

    def assert_clean(self, talk: Talk) -> None:
        super().assert_clean(talk)
        self.assertEqual(talk.chat.problems, [])
