"""A call with the agent, and the double of OpenAI behind it, in virtual time."""

from __future__ import annotations

from typing import Any

from tests.agents.model import talk
from tests.agents.model.talk import SPEECH
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.audio import pcm
from twistedvoice.doubles.openai.plan import Plan
from twistedvoice.doubles.openai.service import OpenAiDouble
from twistedvoice.doubles.openai.session import Session
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K

__all__ = ["ACCOUNTS", "SPEECH", "Talk", "TalkCase", "sound_of"]

ACCOUNTS = {"openai.api_key": "sk-double", "openai.url": "ws://double/v1/realtime"}


def sound_of(text: str) -> bytes:
    """:returns: how the double says ``text`` in mu-law."""
    return pcm.encode(tones(text, 8000), MULAW_8K)


class Talk(talk.Talk):
    """One call."""

    agent_class = OpenAi
    plan_class = Plan
    double_class = OpenAiDouble
    accounts = ACCOUNTS

    @property
    def session(self) -> Session:
        """The newest session."""
        session: Session = self.double.session
        return session

    def told(self, kind: str) -> list[dict[str, Any]]:
        """:returns: what the newest session was told of a kind."""
        return [each for each in self.session.told if each["type"] == kind]

    def asked(self) -> int:
        return len(self.told("response.create"))

    def results(self) -> list[str]:
        items = [each["item"] for each in self.told("conversation.item.create")]
        results = [each for each in items if each["type"] == "function_call_output"]
        return [each["output"] for each in results]


class TalkCase(talk.TalkCase):
    """Calls with OpenAI."""

    talk_class = Talk

    def sound_of(self, text: str) -> bytes:
        """:returns: how the double says ``text`` in mu-law."""
        return sound_of(text)
