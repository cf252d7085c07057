# -*- test-case-name: tests.agents.cascade.test_stt -*-
"""What Deepgram is asked, and what it says; turns are in ``test_agent``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.stt import Heard, Paused, Trouble, listen, read
from twistedvoice.errors import DialectError
from twistedvoice.events import Message
from twistedvoice.formats import MULAW_8K

__all__ = ["ListenTests", "ReadTests"]


def message(told: object) -> Message:
    """:returns: a message of Deepgram's."""
    return Message(json.dumps(told).encode(), binary=False)


class ListenTests(SynchronousTestCase):
    """The request for a socket."""

    def test_request(self) -> None:
        """It says how the call sounds and what is wanted; the key is not shown."""
        request = listen(
            *("wss://x/v1/listen", "k", MULAW_8K),
            model="nova-3",
            language="de",
            silence_ms=400,
        )
        query = {k: v[0] for k, v in parse_qs(urlsplit(request.url).query).items()}
        self.assertEqual((query["encoding"], query["sample_rate"]), ("mulaw", "8000"))
        self.assertEqual((query["endpointing"], query["language"]), ("400", "de"))
        self.assertEqual(request.headers, {"Authorization": "Token k"})


class ReadTests(SynchronousTestCase):
    """What Deepgram says."""

    def results(self, **fields: object) -> dict[str, Any]:
        """:returns: what was understood."""
        best = {"transcript": " hello ", "confidence": 0.9, "words": []}
        told = {"type": "Results", "start": 1.5, "duration": 1.0, "is_final": True}
        return {**told, "channel": {"alternatives": [best]}, **fields}

    def test_results(self) -> None:
        """Words, whether they are final, and whether the caller has stopped."""
        told = read(message(self.results(speech_final=True)))
        wanted = Heard(text="hello", is_final=True, ends_turn=True, start=1.5)
        self.assertEqual(told, wanted)
        self.assertNotIn("hello", repr(told))
        told = read(message(self.results(is_final=False)))
        assert isinstance(told, Heard)
        self.assertEqual((told.is_final, told.ends_turn), (False, False))

    def test_others(self) -> None:
        """Pauses and errors count; what else it says does not."""
        pause = {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 2.5}
        self.assertEqual(read(message(pause)), Paused(2.5))
        error = {"type": "Error", "err_code": "Bad", "description": "private"}
        self.assertEqual(read(message(error)), Trouble("Bad"))
        for kind in ("Metadata", "SpeechStarted", "New"):
            self.assertIsNone(read(message({"type": kind})))
        self.assertIsNone(read(Message(b"\x00", binary=True)))

    def test_nonsense(self) -> None:
        """What it would never say is an error, without the words of it."""
        wrong: tuple[object, ...] = (
            *([], None, 7, "x", {"type": "UtteranceEnd"}),
            self.results(channel={}),
            self.results(channel={"alternatives": []}),
            *(self.results(start="secret"), self.results(start=10**400)),
            self.results(channel={"alternatives": [{"transcript": None}]}),
        )
        deep = Message(b"[" * 100_000, binary=False)
        for told in (*map(message, wrong), deep):
            error = self.assertRaises(DialectError, read, told)
            self.assertNotIn("secret", str(error))
        self.assertRaises(DialectError, read, Message(b"{", binary=False))
