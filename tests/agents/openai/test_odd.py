# -*- test-case-name: tests.agents.openai.test_odd -*-
"""An API that does not keep to its own rules: no caller is left on a dead line."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tests.agents.model.cases import HELLO, TALE, ClerkTools
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.doubles.plan import Reply

from .talk import Talk, TalkCase, sound_of

__all__ = ["OddTests"]


class Clerk(ClerkTools, OpenAi):
    """An agent with functions of its own."""


class OddTests(TalkCase):
    """Events that come twice, too late, never, or too large."""

    def first(self, talk: Talk, kind: str) -> dict[str, Any]:
        """:returns: the first event of a kind that was said, to be said again."""
        said = next(dict(each) for each in talk.session.said if each["type"] == kind)
        return {name: said[name] for name in said if name not in ("type", "event_id")}

    def say_instead(self, talk: Talk, times: Mapping[str, int]) -> None:
        """Have the session say some kinds of events so often, and not once."""
        say = talk.session.say

        def say_often(kind: str, **fields: object) -> None:
            for _ in range(times.get(kind, 1)):
                say(kind, **fields)

        talk.session.say = say_often  # type: ignore[method-assign]

    def assert_answers(self, talk: Talk) -> None:
        """The caller speaks, and is answered by the first session."""
        talk.plan.replies.append(Reply(says="well"))
        talk.speak(3)
        self.assertEqual(len(talk.double.sessions), 1)
        self.assertTrue(talk.call.heard.endswith(sound_of("well")))

    def test_sound_after_its_end(self) -> None:
        """Sound of an item, or of an answer, that was said to be whole is dropped."""
        for seconds in (1.0, 5.0):
            talk = self.talk(Reply(says=TALE))
            call = talk.start(seconds)
            kind = "response.output_audio.delta"
            late = self.first(talk, kind) | {"delta": "ERER"}
            talk.session.say("response.output_audio.done", **late)
            talk.session.say(kind, **late)
            call.advance(5)
            self.assertEqual(call.heard, sound_of(TALE))
            self.assert_answers(talk)

    def test_mixed_up(self) -> None:
        """Of two items that are told in turns the later one is said to its end."""
        talk = self.talk(Reply(says=TALE), piece_every_seconds=0.09)
        call = talk.start(1)
        other = self.first(talk, "response.output_audio.delta") | {"delta": "ERER"}
        talk.session.say("response.output_audio.delta", **other | {"item_id": "other"})
        call.advance(5)
        self.assertTrue(call.heard.rstrip(b"\xff").endswith(b"\x11" * 3))
        self.assert_answers(talk)

    def test_author_says_something(self) -> None:
        """What else is said into an answer ends it there, and nothing more."""
        talk = self.talk(Reply(says=TALE), piece_every_seconds=0.09)
        call = talk.start(1)
        call.say(b"\x11" * 800)
        call.advance(5)
        self.assertTrue(call.heard.endswith(b"\x11" * 800))
        self.assert_answers(talk)

    def test_no_end_of_sound(self) -> None:
        """An item ends with its answer, if nothing else says so."""
        talk = self.talk(Reply(says=HELLO), settings={"protect_greeting": True})
        call = talk.start(0.1)
        self.say_instead(talk, {"response.output_audio.done": 0})
        call.advance(3)
        self.assert_answers(talk)

    def test_protected_but_empty(self) -> None:
        """A caller who waits for a protected greeting is heard when none comes."""
        for reply in (Reply(incomplete="content_filter"), Reply()):
            talk = self.talk(reply, settings={"protect_greeting": True})
            talk.start(2)
            self.assert_answers(talk)

    def test_called_twice(self) -> None:
        """A function that is called again while it runs is run, and answered, once."""
        calls = [("wait", {"seconds": 1})]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        call = talk.start(0.1)
        self.say_instead(talk, {"response.function_call_arguments.done": 2})
        call.advance(4)
        self.assertEqual(talk.results(), ["waited"])
        self.assertEqual(call.heard, sound_of(HELLO))

    def test_arguments_without_end(self) -> None:
        """Arguments that are nested too deeply are a mistake of the model's."""
        calls = [("order", "[" * 20_000)]
        talk = self.talk(Reply(calls=calls), Reply(says=HELLO), agent=Clerk)
        call = talk.start(4)
        self.assertEqual(talk.results(), ['{"error": "the arguments are not JSON"}'])
        self.assertEqual(call.heard, sound_of(HELLO))

    def test_caller_without_end(self) -> None:
        """A caller who is said to speak, and never to stop, is not waited for."""
        talk = self.talk(Reply(says=HELLO), Reply(says=TALE))
        call = talk.start(2)
        talk.session.say("input_audio_buffer.speech_started", item_id="item_9")
        call.advance(59)
        self.assertEqual(len(talk.double.sessions), 1)
        call.advance(6)
        self.assertEqual(len(talk.double.sessions), 2)
        self.assertTrue(call.heard.endswith(sound_of(TALE)))

    def test_flood(self) -> None:
        """More sound than a call can hold is not said, and the call goes on."""
        talk = self.talk(Reply(says=HELLO))
        call = talk.start(0.25)
        flood = base64.b64encode(b"\x11" * 3_000_000).decode()
        more = self.first(talk, "response.output_audio.delta") | {"delta": flood}
        talk.session.say("response.output_audio.delta", **more)
        call.advance(3)
        self.assertLess(len(call.said), 9000)
        self.assert_answers(talk)
