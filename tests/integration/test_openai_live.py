"""OpenAI itself, for those who have a key: ``OPENAI_API_KEY`` in the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from twistedvoice.agents.model.events import (
    Refused,
    SpeechStarted,
)
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.openai.messages import append_audio, truncate
from twistedvoice.agents.outside import Outside
from twistedvoice.audio.wav import load
from twistedvoice.formats import MULAW_8K
from twistedvoice.web.dial import AutobahnDialer

from .listening import Listening
from .process import SPEECH

__all__ = ["LiveTests"]


class LiveTests(TestCase):
    """The API as it is today."""

    timeout = 60
    if "OPENAI_API_KEY" not in os.environ:
        skip = "OPENAI_API_KEY is not set"

    async def test_conversation(self) -> None:
        """It greets in mu-law, hears the caller, answers, and takes a truncation."""
        clock: Any = reactor
        model = OpenAi.configure({"turn_detection": "server_vad"}, Path())
        assert isinstance(model, Model)
        accounts = {
            "openai.api_key": os.environ["OPENAI_API_KEY"],
            "openai.url": "wss://api.openai.com/v1/realtime",
        }
        dial = AutobahnDialer(clock)
        model.connect(Outside(clock=clock, dial=dial, accounts=accounts))
        listening = Listening()
        greeted, answered = listening.answers
        session = model.open(MULAW_8K)
        self.addCleanup(session.close)
        session.attach(listening)
        self.assertEqual((await greeted).status, "completed")
        item_id = listening.sound()[0].item_id
        heard_ms = sum(len(s.audio) for s in listening.sound()) // 8
        session.send(truncate(item_id, 0, heard_ms // 2))
        session.send(append_audio(load(SPEECH, MULAW_8K) + b"\xff" * 8000))
        self.assertEqual((await answered).status, "completed")
        self.assertTrue(any(isinstance(e, SpeechStarted) for e in listening.events))
        self.assertFalse(any(isinstance(e, Refused) for e in listening.events))
