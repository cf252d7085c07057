# -*- test-case-name: tests.simulator.test_wire -*-
"""The carrier's messages on a media stream, from its own documentation.

Writes what the carrier sends and reads what it takes. It shares nothing with the
service's dialect, so that the two cannot share a mistake. No socket, no clock.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from ..formats import MULAW_8K

__all__ = [
    "Clear",
    "Mark",
    "Media",
    "Problem",
    "ServiceMessage",
    "StreamWriter",
    "read",
]


@frozen
class Media:
    """Sound to play."""

    payload: bytes = field(repr=False)


@frozen
class Mark:
    """A mark to send back when it is reached."""

    name: str


@frozen
class Clear:
    """Drop what waits."""


@frozen
class Problem:
    """A message that ends the stream with error 31924 on a real carrier."""

    what: str


ServiceMessage = Media | Mark | Clear | Problem


class StreamWriter:
    """Writes the messages of one stream; numbers them as the carrier does."""

    def __init__(self, *, stream_id: str, call_id: str, account_id: str) -> None:
        self.stream_id = stream_id
        self._ids = {"accountSid": account_id, "callSid": call_id}
        self._sequence = 0
        self._chunk = 0

    def connected(self) -> str:
        """The first message."""
        return json.dumps(
            {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        )

    def start(self, params: Mapping[str, str]) -> str:
        """The second message; ``params`` come from the markup."""
        form = {
            "encoding": "audio/x-mulaw",
            "sampleRate": MULAW_8K.rate,
            "channels": 1,
        }
        return self._numbered(
            "start",
            {
                **self._ids,
                "streamSid": self.stream_id,
                "tracks": ["inbound"],
                "mediaFormat": form,
                "customParameters": dict(params),
            },
        )

    def media(self, payload: bytes, timestamp_ms: int) -> str:
        """The caller's sound; it began ``timestamp_ms`` after the stream did."""
        self._chunk += 1
        return self._numbered(
            "media",
            {
                "track": "inbound",
                "chunk": str(self._chunk),
                "timestamp": str(timestamp_ms),
                "payload": base64.b64encode(payload).decode("ascii"),
            },
        )

    def digit(self, digit: str) -> str:
        """The caller pressed a key."""
        return self._numbered("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        """A mark was reached, or dropped."""
        return self._numbered("mark", {"name": name})

    def stop(self) -> str:
        """The last message."""
        return self._numbered("stop", dict(self._ids))

    def _numbered(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        return json.dumps(
            {
                "event": event,
                "sequenceNumber": str(self._sequence),
                "streamSid": self.stream_id,
                event: body,
            }
        )


def read(data: bytes, stream_id: str) -> ServiceMessage:
    """
    Read a text message of the service as strictly as the carrier does.

    :param stream_id: of the stream that it came on.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return Problem("not JSON")
    if not isinstance(message, dict):
        return Problem("not a JSON object")
    if message.get("streamSid") != stream_id:
        return Problem("streamSid missing or of another stream")
    event = message.get("event")
    reader = _READERS.get(event) if isinstance(event, str) else None
    return Problem("unknown event") if reader is None else reader(message)


def _read_media(message: Mapping[str, Any]) -> Media | Problem:
    text = _text_in(message, "media", "payload")
    try:
        payload = base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return Problem("media: payload is not base64")
    if not payload:
        return Problem("media: no payload")
    if payload.startswith((b"RIFF", b".snd")):
        return Problem("media: payload begins with a file header")
    return Media(payload)


def _read_mark(message: Mapping[str, Any]) -> Mark | Problem:
    name = _text_in(message, "mark", "name")
    return Mark(name) if name else Problem("mark: no name")


def _read_clear(message: Mapping[str, Any]) -> Clear:
    return Clear()


def _text_in(message: Mapping[str, Any], part: str, key: str) -> str | None:
    body = message.get(part)
    value = body.get(key) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


_READERS: dict[str, Callable[[Mapping[str, Any]], ServiceMessage]] = {
    "media": _read_media,
    "mark": _read_mark,
    "clear": _read_clear,
}
