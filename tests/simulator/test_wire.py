"""The carrier's messages, against its documentation."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.wire import Clear, Mark, Media, Problem, StreamWriter, read

SID = "MZ1"


def message(**content: Any) -> bytes:
    """:returns: a message of the service on the right stream."""
    return json.dumps({"streamSid": SID, **content}).encode()


class WriterTests(SynchronousTestCase):
    """What the carrier sends."""

    def setUp(self) -> None:
        """One stream."""
        self.writer = StreamWriter(stream_id=SID, call_id="CA1", account_id="AC1")

    def test_connected(self) -> None:
        """The first message names the protocol, and no stream."""
        self.assertEqual(
            json.loads(self.writer.connected()),
            {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        )

    def test_start(self) -> None:
        """The second message has the ids, the format and the parameters."""
        self.assertEqual(
            json.loads(self.writer.start({"token": "t"})),
            {
                "event": "start",
                "sequenceNumber": "1",
                "streamSid": SID,
                "start": {
                    "accountSid": "AC1",
                    "streamSid": SID,
                    "callSid": "CA1",
                    "tracks": ["inbound"],
                    "mediaFormat": {
                        "encoding": "audio/x-mulaw",
                        "sampleRate": 8000,
                        "channels": 1,
                    },
                    "customParameters": {"token": "t"},
                },
            },
        )

    def test_media(self) -> None:
        """Numbers of media messages are strings; the payload is base64."""
        self.writer.start({})
        self.writer.media(b"\xff", 0)
        self.assertEqual(
            json.loads(self.writer.media(b"\xff\xfe\xfd", 20)),
            {
                "event": "media",
                "sequenceNumber": "3",
                "streamSid": SID,
                "media": {
                    "track": "inbound",
                    "chunk": "2",
                    "timestamp": "20",
                    "payload": "//79",
                },
            },
        )

    def test_digit_mark_and_stop(self) -> None:
        """All later messages count on, whatever their kind."""
        messages = [
            self.writer.digit("#"),
            self.writer.mark("m"),
            self.writer.stop(),
        ]
        self.assertEqual(
            [json.loads(m) for m in messages],
            [
                {
                    "event": "dtmf",
                    "sequenceNumber": "1",
                    "streamSid": SID,
                    "dtmf": {"track": "inbound_track", "digit": "#"},
                },
                {
                    "event": "mark",
                    "sequenceNumber": "2",
                    "streamSid": SID,
                    "mark": {"name": "m"},
                },
                {
                    "event": "stop",
                    "sequenceNumber": "3",
                    "streamSid": SID,
                    "stop": {"accountSid": "AC1", "callSid": "CA1"},
                },
            ],
        )


class ReadTests(SynchronousTestCase):
    """What the carrier takes, and what it does not."""

    def test_what_the_carrier_takes(self) -> None:
        """There are three messages; unknown keys do not matter."""
        for data, meaning in [
            (message(event="media", media={"payload": "//79"}), Media(b"\xff\xfe\xfd")),
            (message(event="mark", mark={"name": "m"}), Mark("m")),
            (message(event="clear", more=1), Clear()),
        ]:
            self.assertEqual(read(data, SID), meaning)

    def test_what_ends_a_real_stream(self) -> None:
        """Everything else is a problem that says what is wrong."""
        for data, what in [
            (b"{", "not JSON"),
            (b"\xff", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            (b"[]", "not a JSON object"),
            (b'{"event":"clear"}', "streamSid missing or of another stream"),
            (
                b'{"event":"clear","streamSid":"MZ2"}',
                "streamSid missing or of another stream",
            ),
            (message(event="dtmf"), "unknown event"),
            (message(event=["media"]), "unknown event"),
            (message(event="media"), "media: no payload"),
            (message(event="media", media={"payload": ""}), "media: no payload"),
            (
                message(event="media", media={"payload": "//7"}),
                "media: payload is not base64",
            ),
            (
                message(event="media", media={"payload": "/ /79"}),
                "media: payload is not base64",
            ),
            (
                message(event="media", media={"payload": "UklGRgAA"}),
                "media: payload begins with a file header",
            ),
            (message(event="mark", mark={"name": 1}), "mark: no name"),
            (message(event="mark", mark="m"), "mark: no name"),
        ]:
            self.assertEqual(read(data, SID), Problem(what), data[:40])
