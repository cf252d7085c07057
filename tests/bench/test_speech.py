"""Tests for :mod:`twistedvoice.bench.speech`."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.frames import CLOSE, TEXT
from twistedvoice.bench.speech import NUMBER_CHARS, Speech, Voice
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.events import AudioReceived, Message, StreamStarted

from .net import unmasked


def said(frame: bytes) -> Any:
    """:returns: what one whole frame says."""
    ((opcode, text),), rest = unmasked(frame)
    assert (opcode, rest) == (TEXT, b"")
    return json.loads(text)


class SpeechTests(SynchronousTestCase):
    """Frames in two pieces."""

    def setUp(self) -> None:
        self.speech = Speech()

    def test_frame(self) -> None:
        """A beginning and an ending are one message of the carrier: 20 ms of sound."""
        voice = Voice(3)
        for number in (0, 9, 10, 1234):
            message = said(self.speech.beginning(number) + voice.ending)
            self.assertEqual(message["streamSid"], voice.stream_id)
            media = message["media"]
            self.assertEqual(media["timestamp"], str(20 * number))
            self.assertEqual(len(b64decode(media["payload"], validate=True)), 160)

    def test_known_again(self) -> None:
        """The sound tells its number and its owner."""
        voice = Voice(77)
        frame = self.speech.beginning(300) + voice.ending
        payload = said(frame)["media"]["payload"].encode()
        self.assertEqual(self.speech.numbers[payload[:NUMBER_CHARS]], 300)
        self.assertTrue(payload.endswith(voice.owner + b"=="))
        self.assertNotEqual(voice.owner, Voice(78).owner)

    def test_same_each_time(self) -> None:
        """Two runs say the same."""
        self.assertEqual(self.speech.beginning(5), Speech().beginning(5))

    def test_service_understands(self) -> None:
        """The service's own dialect reads all of it, the sound on its short way."""
        voice, dialect = Voice(1), TwilioDialect()
        frames, _ = unmasked(voice.hello() + self.speech.beginning(2) + voice.ending)
        events = [dialect.receive(Message(text, False))[0] for _, text in frames]
        self.assertIsInstance(events[1], StreamStarted)
        assert isinstance(events[2], AudioReceived)
        self.assertEqual((len(events[2].payload), events[2].timestamp_ms), (160, 40))

    def test_other_frames(self) -> None:
        """Marks come back by their name; the farewell is a stop and a close."""
        voice = Voice(1)
        self.assertEqual(said(voice.mark("m"))["mark"], {"name": "m"})
        (stop, close), rest = unmasked(voice.farewell())
        self.assertEqual(json.loads(stop[1])["event"], "stop")
        self.assertEqual((close, rest), ((CLOSE, b"\x03\xe8"), b""))
