"""What we say is what the API takes: checked by the double's own reading of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.gemini import messages
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.gemini.options import read_options
from twistedvoice.agents.model.memory import Line
from twistedvoice.agents.tools import tool, tools_of
from twistedvoice.doubles.gemini.shapes import problem_with
from twistedvoice.events import Message

__all__ = ["MessagesTests"]


class Clerk(Gemini):
    """Has a function with arguments, beside those without."""

    @tool("Look it up.", {"number": {"type": "string"}})
    def look(self, number: str) -> str:
        """Know nothing."""
        return number


class MessagesTests(SynchronousTestCase):
    """Each message, as its reader sees it."""

    def told(self, message: Message) -> dict[str, Any]:
        """:returns: a message that was found right."""
        self.assertFalse(message.binary)
        told: dict[str, Any] = json.loads(message.data)
        self.assertIsNone(problem_with(told))
        return told

    def test_sound(self) -> None:
        """Every byte of the caller's sound arrives, in pieces of any length."""
        for size in (0, 2, 640, 642):
            payload = (bytes(range(256)) * 3)[:size]
            audio = self.told(messages.append_audio(payload))["realtimeInput"]["audio"]
            self.assertEqual(base64.b64decode(audio["data"]), payload)
            self.assertEqual(audio["mimeType"], "audio/pcm;rate=16000")

    def test_setup(self) -> None:
        """Every setting, function and line makes a set-up that the API takes."""
        said = [Line(who="agent", text="Hello", at_ms=0)]
        for settings, handle in (
            ({}, ""),
            ({"language": "de-DE", "max_output_tokens": 9, "speech_ms": 0}, "handle"),
        ):
            options = read_options(settings, Path())
            setup = options.setup(tools_of(Clerk), said, handle)
            self.told(messages.begin(setup))

    def test_results(self) -> None:
        """A result is an object, made of what a function came to."""
        for result, response in (
            ('{"a": 1}', {"a": 1}),
            ("[1]", {"output": "[1]"}),
            ("done", {"output": "done"}),
            ('{"a": NaN}', {"output": '{"a": NaN}'}),
            ('{"a": 1e999}', {"output": '{"a": 1e999}'}),
            ("[" * 100_000, {"output": "[" * 100_000}),
        ):
            told = self.told(messages.give_result("1", "f", result))
            [given] = told["toolResponse"]["functionResponses"]
            self.assertEqual(given, {"id": "1", "name": "f", "response": response})

    def test_asking(self) -> None:
        """The model can be asked to speak."""
        self.told(messages.speak_up("Go on."))
