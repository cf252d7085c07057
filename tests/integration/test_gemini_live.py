"""Gemini itself, for those who have a key: ``GEMINI_API_KEY`` in the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.model.events import Resumable, WordsCame, WordsHeard
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.outside import Outside
from twistedvoice.audio.wav import load
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.settings import SETTINGS
from twistedvoice.web.dial import AutobahnDialer

from .listening import Listening
from .process import SPEECH

__all__ = ["LiveTests"]

_HEARD = AudioFormat("l16", 16000)


class LiveTests(TestCase):
    """The API as it is today."""

    timeout = 60
    if "GEMINI_API_KEY" not in os.environ:
        skip = "GEMINI_API_KEY is not set"

    async def test_conversation(self) -> None:
        """It greets, hears, answers, writes both down, and can be resumed."""
        clock: Any = reactor
        named = os.environ.get("GEMINI_LIVE_MODEL")
        model = Gemini.configure({"model": named} if named else {}, Path())
        assert isinstance(model, Model)
        [url] = [each.default for each in SETTINGS if each.key == "gemini.url"]
        accounts = {
            "gemini.api_key": os.environ["GEMINI_API_KEY"],
            "gemini.url": str(url),
        }
        dial = AutobahnDialer(clock)
        model.connect(Outside(clock=clock, dial=dial, accounts=accounts))
        listening = Listening()
        greeted, answered = listening.answers
        session = model.open(MULAW_8K)
        self.addCleanup(session.close)
        session.attach(listening)
        self.assertEqual((await greeted).status, "completed")
        self.assertNotEqual(listening.sound(), [])
        session.hear(load(SPEECH, _HEARD) + bytes(48_000))
        self.assertEqual((await answered).status, "completed")
        for kind in (WordsCame, WordsHeard, Resumable):
            self.assertTrue(any(isinstance(e, kind) for e in listening.events), kind)
