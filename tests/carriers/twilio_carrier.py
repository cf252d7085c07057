"""Twilio's end of a stream, for tests: of its published messages, not of our code."""

from __future__ import annotations

import base64
import json
from typing import Any

from twistedvoice.events import Message

from ..fixtures.twilio import load

__all__ = ["TwilioCarrier"]


class TwilioCarrier:
    """Says what Twilio would say, and understands what Twilio would understand."""

    def start(self, **params: str) -> list[Message]:
        """:returns: what opens a stream; ``params`` come from our markup."""
        start = load("start")
        start["start"]["customParameters"] = params
        return [_text(load("connected")), _text(start)]

    def sound(self, payload: bytes, timestamp_ms: int) -> Message:
        """:returns: the caller's sound."""
        media = load("media")
        media["media"]["payload"] = base64.b64encode(payload).decode("ascii")
        media["media"]["timestamp"] = str(timestamp_ms)
        return _text(media)

    def digit(self, digit: str) -> Message:
        """:returns: the caller pressed a key."""
        dtmf = load("dtmf")
        dtmf["dtmf"]["digit"] = digit
        return _text(dtmf)

    def mark(self, name: str) -> Message:
        """:returns: the echo of a mark."""
        mark = load("mark")
        mark["mark"]["name"] = name
        return _text(mark)

    def stop(self) -> Message:
        """:returns: the end of the stream."""
        return _text(load("stop"))

    def understand(self, message: Message) -> tuple[str, bytes | str]:
        """:returns: what we asked for: media, mark or clear, and what with it."""
        assert not message.binary
        said = json.loads(message.data)
        assert said["streamSid"] == load("start")["streamSid"]
        if said["event"] == "media":
            return "media", base64.b64decode(said["media"]["payload"], validate=True)
        if said["event"] == "mark":
            return "mark", str(said["mark"]["name"])
        assert said["event"] == "clear"
        return "clear", ""


def _text(value: Any) -> Message:
    return Message(json.dumps(value).encode(), False)
