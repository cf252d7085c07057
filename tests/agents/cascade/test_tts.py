# -*- test-case-name: tests.agents.cascade.test_tts -*-
"""What Cartesia is asked, and what it says; losses are in ``test_agent``."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.tts import Chunk, Done, Failed, Voice, dial, read
from twistedvoice.errors import DialectError
from twistedvoice.events import Message
from twistedvoice.formats import MULAW_8K

__all__ = ["ReadTests", "RequestTests"]


def message(told: object) -> Message:
    """:returns: a message of Cartesia's."""
    return Message(json.dumps(told).encode(), binary=False)


class RequestTests(SynchronousTestCase):
    """What is asked."""

    def test_socket(self) -> None:
        """The key and the version are in the headers; the key is not shown."""
        request = dial("wss://x/tts/websocket", "secret")
        self.assertEqual(set(request.headers), {"X-API-Key", "Cartesia-Version"})
        self.assertNotIn("secret", repr(request))

    def test_text(self) -> None:
        """A text is a context of its own, whole, in the format of the call."""
        voice = Voice(model="sonic-3", voice="v1", language="en")
        told = json.loads(voice.request("c1", "Hello.", MULAW_8K).data)
        self.assertEqual(
            told,
            {
                "model_id": "sonic-3",
                "transcript": "Hello.",
                "voice": {"mode": "id", "id": "v1"},
                "language": "en",
                "output_format": {
                    "container": "raw",
                    "encoding": "pcm_mulaw",
                    "sample_rate": 8000,
                },
                "context_id": "c1",
                "continue": False,
            },
        )


class ReadTests(SynchronousTestCase):
    """What Cartesia says."""

    def test_kinds(self) -> None:
        """Sound, ends and errors count; what else it says does not."""
        at = {"context_id": "c1"}
        for told, wanted in (
            ({"type": "chunk", "data": "AQI=", **at}, Chunk("c1", b"\x01\x02")),
            ({"type": "done", "done": True, **at}, Done("c1")),
            (
                {"type": "error", "status_code": 400, "error_code": "x", **at},
                Failed("c1", 400, "x"),
            ),
            ({"type": "error", "error": "old"}, Failed("", 0, "")),
            ({"type": "timestamps", **at}, None),
        ):
            self.assertEqual(read(message(told)), wanted)
        self.assertIsNone(read(Message(b"\x00", binary=True)))

    def test_nonsense(self) -> None:
        """What it would never say is an error."""
        wrong: tuple[object, ...] = (
            *([], None, {"type": "chunk"}, {"type": "chunk", "data": 7}),
            {"type": "chunk", "data": "A"},
            {"type": "chunk", "data": "A!QI="},
            *({"type": "error", "status_code": each} for each in ("x", 1e999)),
        )
        for told in (*map(message, wrong), Message(b"[" * 100_000, binary=False)):
            self.assertRaises(DialectError, read, told)
