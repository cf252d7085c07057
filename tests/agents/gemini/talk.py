"""A call with the agent, and the double of Gemini behind it, in virtual time."""

from __future__ import annotations

import json
from typing import Any

from tests.agents.model import talk
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.audio import pcm
from twistedvoice.audio.resample import resample
from twistedvoice.doubles.gemini.plan import Plan
from twistedvoice.doubles.gemini.service import PATH, GeminiDouble
from twistedvoice.doubles.gemini.session import Session
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import MULAW_8K

__all__ = ["ACCOUNTS", "Talk", "TalkCase", "sound_of"]

ACCOUNTS = {"gemini.api_key": "gemini-double", "gemini.url": f"ws://double{PATH}"}


def sound_of(text: str) -> bytes:
    """:returns: how the double says ``text``, as it is heard in mu-law."""
    return pcm.encode(resample(tones(text, 24000), 24000, 8000), MULAW_8K)


class Talk(talk.Talk):
    """One call."""

    agent_class = Gemini
    plan_class = Plan
    double_class = GeminiDouble
    accounts = ACCOUNTS

    @property
    def session(self) -> Session:
        """The newest session."""
        session: Session = self.double.session
        return session

    def told(self, kind: str) -> list[dict[str, Any]]:
        """:returns: what the newest session was told of a kind."""
        return [each[kind] for each in self.session.told if kind in each]

    def asked(self) -> int:
        return len(self.told("realtimeInput"))

    def results(self) -> list[str]:
        told = self.told("toolResponse")
        results = [each for some in told for each in some["functionResponses"]]
        return [json.dumps(each["response"]) for each in results]


class TalkCase(talk.TalkCase):
    """Calls with Gemini."""

    talk_class = Talk

    def sound_of(self, text: str) -> bytes:
        """:returns: how the double says ``text``, as it is heard in mu-law."""
        return sound_of(text)
