# -*- test-case-name: tests.agents.cascade.test_odd -*-
"""Services that do not keep to their own rules: no caller is left on a dead line."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from twistedvoice.agents import menufile
from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.tools import tool
from twistedvoice.audio.wav import load
from twistedvoice.doubles import chat
from twistedvoice.doubles.cartesia import Mishap
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.formats import MULAW_8K
from twistedvoice.testing import FakeCall

from .talk import SPEECH, Talk, TalkCase, sound_of

__all__ = ["HearingTests", "SpeakingTests", "ThinkingTests"]

WELCOME = Path(menufile.__file__).parent / "prompts" / "welcome.wav"
HELLO = ChatReply(says="Hello there.")


class Clerk(Cascade):
    """Has two functions."""

    @tool("The time.")
    def time(self) -> str:
        return "noon"

    @tool("The place.")
    def place(self) -> str:
        return "here"


class OddCase(TalkCase):
    """Calls that must go on."""

    def assert_answers(self, talk: Talk) -> None:
        """The caller speaks, and is answered."""
        talk.chat.plan.replies.append(ChatReply(says="Well."))
        talk.says("what is new", 3)
        self.assertEqual(talk.said()[-1], ("user", "what is new"))
        self.assertTrue(talk.call.heard.endswith(sound_of("Well.")))


class HearingTests(OddCase):
    """Deepgram."""

    def test_silent(self) -> None:
        """One that hears and never says anything is replaced."""
        talk = self.talk(HELLO)
        call = talk.start(2)
        deaf: Any = talk.hearing
        deaf._hear = lambda sound: None
        noise = SPEECH * 20
        call.hear(noise[: 8000 * 10])
        self.assertEqual(len(talk.deepgram.sessions), 1)
        call.hear(noise[:800] + b"\xff" * 8000)
        call.advance(2)
        self.assertEqual(len(talk.deepgram.sessions), 2)
        self.assert_answers(talk)

    def test_quiet_caller(self) -> None:
        """A caller who says nothing for long is no reason to replace it."""
        talk = self.talk(HELLO)
        call = talk.start(2)
        call.hear(b"\xff" * 8000 * 40)
        self.assertEqual(len(talk.deepgram.sessions), 1)

    def test_null(self) -> None:
        """A transcript that is none is nothing that the caller said."""
        talk = self.talk(HELLO)
        call = talk.start(2)
        nothing: list[object] = [None, {"words": []}]
        for text in nothing:
            channel = {"alternatives": [{"transcript": text}]}
            now: dict[str, Any] = {"is_final": True, "speech_final": True, "start": 1}
            talk.hearing.say("Results", channel=channel, **now)
            call.advance(1)
        self.assertEqual(len(talk.chat.asked), 1)
        self.assert_answers(talk)

    def test_greets_first(self) -> None:
        """A key that was refused while the phone rang: greeting, then apology."""
        talk = self.talk(settings={"greeting": str(WELCOME)})
        talk.deepgram.plan.refusals.append(401)
        talk.house.expect(FakeCall.call_id)
        talk.clock.advance(1)
        call = talk.start(20)
        welcome = load(WELCOME, MULAW_8K)
        self.assertTrue(call.heard.startswith(welcome))
        self.assertGreater(len(call.heard), len(welcome) + 8000)
        self.assertEqual(call.events[-1], ("ended", "hung_up"))


class ThinkingTests(OddCase):
    """The chat model."""

    def test_same_ids(self) -> None:
        """Functions that are called by the same id all have their results."""
        calls: list[Any] = [("time", {}), ("place", {})]
        talk = self.talk(ChatReply(calls=calls), HELLO, agent=Clerk)
        call_of: Any = chat._Stream.call

        def same(stream: Any, n: int, call_id: str, *what: Any) -> None:
            call_of(stream, n, "call", *what)

        self.patch(chat._Stream, "call", same)
        call = talk.start(4)
        results = [m["content"] for m in talk.chat.messages() if m["role"] == "tool"]
        self.assertEqual(results, ["noon", "here"])
        self.assertEqual(call.heard, sound_of("Hello there."))

    def test_runs_away(self) -> None:
        """An answer without an end is broken off, and what came of it is said."""
        talk = self.talk(ChatReply(says="word " * 9000))
        talk.chat.plan.word_seconds = 0.001
        call = talk.start(9)
        self.assertEqual(talk.chat.broken_off, 1)
        call.advance(9)
        self.assertTrue(call.is_playing)
        self.assertEqual(len(talk.chat.asked), 1)

    def test_runs_away_at_once(self) -> None:
        """So is one that comes in one piece."""
        for text in ("word " * 9000, "a" * 50_000, "A. " * 9000):
            talk = self.talk(ChatReply(says=text.replace(" ", "\n")))
            call = talk.start(9)
            self.assertEqual(talk.chat.broken_off, 1)
            sentences: Any = call.agent
            texts = [each.text for each in sentences._speech._sentences]
            self.assertLess(sum(map(len, texts)), 10_001)


class SpeakingTests(OddCase):
    """Cartesia."""

    def test_flood(self) -> None:
        """More sound than a call can hold is not said, and the call goes on."""
        talk = self.talk(HELLO)
        talk.cartesia.plan.mishaps.append(Mishap(hangs=True))
        call = talk.start(1)
        flood = base64.b64encode(b"\x11" * 3_000_000).decode()
        talk.speaking.say("chunk", "c1", data=flood)
        call.advance(1)
        self.assertEqual(call.said, b"")
        self.assert_answers(talk)

    def test_protected_and_interrupted(self) -> None:
        """A protected greeting that somebody else cuts off is over."""
        greeting = ChatReply(says="Good day to you. " + "word " * 40)
        talk = self.talk(greeting, settings={"protect_greeting": True})
        talk.chat.plan.word_seconds = 0.3
        call = talk.start(2)
        self.assertTrue(call.is_playing)
        call.interrupt("operator")
        call.advance(1)
        self.assert_answers(talk)
