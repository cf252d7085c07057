"""What we say is what the API takes: checked by the double's own reading of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.openai import messages
from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.openai.options import read_options
from twistedvoice.agents.tools import tools_of
from twistedvoice.doubles.openai.shapes import problem_with
from twistedvoice.events import Message

__all__ = ["MessagesTests"]


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
        for size in (0, 1, 2, 160, 161):
            payload = bytes(range(256))[:size]
            told = self.told(messages.append_audio(payload))
            self.assertEqual(base64.b64decode(told["audio"]), payload)

    def test_session(self) -> None:
        """Every setting makes a session that the API takes."""
        tools = tools_of(OpenAi)
        for settings in (
            {},
            {"turn_detection": "semantic_vad", "eagerness": "low"},
            {"noise_reduction": "far_field", "language": "de", "speed": 1.2},
            {"transcription": "", "max_output_tokens": 400},
        ):
            options = read_options(settings, Path())
            session = options.session({"type": "audio/pcmu"}, tools)
            self.told(messages.update_session(session))

    def test_others(self) -> None:
        """So is everything else that is said."""
        for message in (
            messages.create_response(),
            messages.create_response("Be quick."),
            messages.cancel_response(),
            messages.truncate("item_1", 0, 1234),
            messages.give_result("call_1", "{}"),
        ):
            self.told(message)

    def test_context(self) -> None:
        """What was said before is told as said by the one who said it."""
        for caller, role in ((True, "user"), (False, "assistant")):
            item = self.told(messages.remember(caller=caller, text="Hi"))["item"]
            self.assertEqual((item["role"], item["content"][0]["text"]), (role, "Hi"))
