"""The three services themselves, each for those who have its key in the environment.

They are ``DEEPGRAM_API_KEY``, ``LLM_API_KEY`` (with ``LLM_URL`` and ``LLM_MODEL``) and
``CARTESIA_API_KEY``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from twistedvoice.agents.cascade.history import FunctionCall
from twistedvoice.agents.cascade.link import Link
from twistedvoice.agents.cascade.llm import Chat
from twistedvoice.agents.cascade.options import read_options
from twistedvoice.agents.cascade.stt import MANNERS, DeepgramEars, listen
from twistedvoice.agents.cascade.tts import MANNERS as SPEAKING
from twistedvoice.agents.cascade.tts import CartesiaMouth, dial
from twistedvoice.agents.model.watch import Watch
from twistedvoice.audio.wav import load
from twistedvoice.errors import ChatFailed
from twistedvoice.formats import MULAW_8K
from twistedvoice.web.client import TreqClient
from twistedvoice.web.dial import AutobahnDialer

from .process import SPEECH

__all__ = ["ChatTests", "HearingTests", "SpeakingTests"]

CLOCK: Any = reactor
OPTIONS = read_options({}, Path())
NEW_WATCH = partial(Watch, CLOCK, CLOCK.callLater, 30)


class Listening:
    """Notes what a service says, and tells when it is done."""

    def __init__(self) -> None:
        self.said = ""
        self.sound = b""
        self.done: Deferred[None] = Deferred()

    def caller_began(self) -> None:
        self.said = "?"

    def caller_said(self, text: str) -> None:
        self.said = text
        self.done.callback(None)

    def ears_given_up(self) -> None:
        self.done.errback(AssertionError("Deepgram"))

    def words_came(self, text: str) -> None:
        self.said += text

    def chat_ended(self, calls: Sequence[FunctionCall]) -> None:
        self.done.callback(None)

    def chat_failed(self, failed: ChatFailed) -> None:
        self.done.errback(failed)

    def sound_came(self, sound: bytes) -> None:
        self.sound += sound

    def sound_ended(self, *, whole: bool) -> None:
        self.done.callback(None)

    def mouth_given_up(self) -> None:
        self.done.errback(AssertionError("Cartesia"))


class HearingTests(TestCase):
    """Deepgram as it is today."""

    timeout = 60
    if "DEEPGRAM_API_KEY" not in os.environ:
        skip = "DEEPGRAM_API_KEY is not set"

    async def test_hears(self) -> None:
        """It hears words, and when they end."""
        listening = Listening()
        request = listen(
            "wss://api.deepgram.com/v1/listen",
            os.environ["DEEPGRAM_API_KEY"],
            MULAW_8K,
            model=OPTIONS.listening_model,
            language=OPTIONS.language,
            silence_ms=OPTIONS.silence_ms,
        )
        link = Link(CLOCK, AutobahnDialer(CLOCK), request, MANNERS, 0)
        ears = DeepgramEars(link, listening, NEW_WATCH)
        self.addCleanup(ears.close)
        ears.begin(lambda step: step())
        ears.hear(load(SPEECH, MULAW_8K) + b"\xff" * 16_000)
        await listening.done
        self.assertNotIn(listening.said, ("", "?"))


class ChatTests(TestCase):
    """A chat model as it is today."""

    timeout = 60
    if "LLM_API_KEY" not in os.environ:
        skip = "LLM_API_KEY is not set"

    async def test_answers(self) -> None:
        """It answers in words."""
        client = TreqClient(CLOCK)
        self.addCleanup(client.close)
        chat = Chat(
            fetch=client.fetch,
            url=os.environ.get("LLM_URL", "https://api.openai.com/v1"),
            key=os.environ["LLM_API_KEY"],
            model=os.environ.get("LLM_MODEL", OPTIONS.model),
            tools=(),
        )
        listening = Listening()
        chat.ask(
            [{"role": "user", "content": "Say hello."}], listening, lambda step: step()
        )
        await listening.done
        self.assertNotEqual(listening.said, "")


class SpeakingTests(TestCase):
    """Cartesia as it is today."""

    timeout = 60
    if "CARTESIA_API_KEY" not in os.environ:
        skip = "CARTESIA_API_KEY is not set"

    async def test_speaks(self) -> None:
        """It speaks mu-law, sentence after sentence."""
        request = dial(
            "wss://api.cartesia.ai/tts/websocket", os.environ["CARTESIA_API_KEY"]
        )
        link = Link(CLOCK, AutobahnDialer(CLOCK), request, SPEAKING, 0)
        listening = Listening()
        mouth = CartesiaMouth(
            link,
            OPTIONS.voice,
            MULAW_8K,
            NEW_WATCH,
            listening.mouth_given_up,
        )
        self.addCleanup(mouth.close)
        mouth.owner = listening
        mouth.begin(lambda step: step())
        for sentence in ("Hello there.", "How can I help you?"):
            listening.sound, listening.done = b"", Deferred()
            mouth.speak(sentence)
            await listening.done
            self.assertGreater(len(listening.sound), 4000)
