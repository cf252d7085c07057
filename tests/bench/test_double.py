"""Tests for :mod:`twistedvoice.bench.double`."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tests.web.dial_contract import Ear
from tests.web.test_dial import AutobahnLine
from twistedvoice.bench.double import DOUBLES
from twistedvoice.events import Message
from twistedvoice.sockets import SocketRequest

__all__ = ["DoubleTests"]


class DoubleTests(SynchronousTestCase):
    """A double that many calls talk with."""

    def setUp(self) -> None:
        self.ear = Ear()
        reactor: Any = MemoryReactorClock()
        played = DOUBLES["openai"](reactor)
        accounts = played.accounts(8900)
        self.line = AutobahnLine(played.factory.service)
        self.line.reactor, self.line.factory = reactor, played.factory
        key = {"authorization": f"Bearer {accounts['openai.api_key']}"}
        url = f"{accounts['openai.url']}?model=m"
        opening = self.line.dial(SocketRequest(url=url, headers=key), self.ear)
        self.line.advance()
        self.socket = self.successResultOf(opening)

    def tell(self, kind: str, **fields: object) -> None:
        """Send an event, as the agent writes them."""
        text = json.dumps({"type": kind, **fields}, separators=(",", ":"))
        self.socket.send(Message(text.encode(), False))

    def said(self) -> list[str]:
        """:returns: the kinds of all that it said."""
        return [json.loads(message.data)["type"] for message in self.ear.messages]

    def test_talks(self) -> None:
        """It greets, speaks without end once it is asked, and does not listen."""
        self.assertEqual(self.said(), ["session.created"])
        loud = base64.b64encode(b"\x00" * 800).decode()
        self.tell("response.create")
        for _ in range(20):
            self.tell("input_audio_buffer.append", audio=loud)
            self.line.advance(0.1)
        kinds = self.said()
        self.assertGreater(kinds.count("response.output_audio.delta"), 15)
        self.assertNotIn("response.done", kinds)
        self.assertNotIn("input_audio_buffer.speech_started", kinds)
        self.assertNotIn("error", kinds)
        self.socket.close()
        self.line.advance(5)
