"""A second carrier, for tests only: all that Twilio's language is not.

Sound is binary, L16 at 16 kHz, and carries no time; nothing can be cleared and there
are no marks. It is close to what Vonage speaks. Whatever takes frame sizes, lead or
capabilities from Twilio instead of from the dialect fails with this one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twistedvoice.carriers.fields import identifier, json_object, label, text, texts
from twistedvoice.errors import CallStateError, DialectError
from twistedvoice.events import (
    AudioReceived,
    CarrierEvent,
    DigitReceived,
    Ignored,
    Message,
    StreamStarted,
    StreamStopped,
)
from twistedvoice.formats import AudioFormat
from twistedvoice.interfaces import Capabilities

__all__ = ["L16_16K", "BinaryCarrier", "BinaryDialect"]

L16_16K = AudioFormat("l16", 16000)


class BinaryDialect:
    """Binary sound, JSON for the rest; the dialect itself keeps the caller's time."""

    capabilities = Capabilities(clear=False, marks=False, lead_ms=40)
    format = L16_16K

    def __init__(self) -> None:
        self._started = False
        self._heard_bytes = 0

    def receive(self, message: Message) -> list[CarrierEvent]:
        """Read one message."""
        return [self._sound(message.data) if message.binary else self._said(message)]

    def media(self, payload: bytes) -> Message:
        """:raises CallStateError: before the stream has started."""
        if not self._started:
            raise CallStateError("nothing can be sent before the stream has started")
        return Message(payload, True)

    def mark(self, name: str) -> Message:
        """:raises CallStateError: always."""
        raise CallStateError("this carrier has no marks")

    def clear(self) -> Message:
        """:raises CallStateError: always."""
        raise CallStateError("this carrier cannot clear")

    def _sound(self, payload: bytes) -> AudioReceived:
        if not self._started:
            raise DialectError("sound came before the stream has started")
        if len(payload) % self.format.sample_bytes:
            raise DialectError("half a sample")
        timestamp_ms = self.format.duration_us(self._heard_bytes) // 1000
        self._heard_bytes += len(payload)
        return AudioReceived(payload, timestamp_ms)

    def _said(self, message: Message) -> CarrierEvent:
        said = json_object(message)
        kind = text(said, "event")
        if kind == "connected":
            return self._connected(said)
        if kind == "dtmf":
            return _digit(said)
        return StreamStopped() if kind == "hangup" else Ignored(label(kind))

    def _connected(self, said: Mapping[str, Any]) -> StreamStarted:
        if self._started:
            raise DialectError("a second start on the same stream")
        if text(said, "content-type") != "audio/l16;rate=16000":
            raise DialectError('"content-type" is not audio/l16;rate=16000')
        started = StreamStarted(
            stream_id=identifier(said, "stream"),
            call_id=identifier(said, "call"),
            account_id=identifier(said, "account"),
            format=L16_16K,
            params=texts(said, "headers"),
        )
        self._started = True
        return started


def _digit(said: Mapping[str, Any]) -> DigitReceived:
    digit = text(said, "digit")
    if len(digit) != 1 or digit not in "0123456789*#ABCD":
        raise DialectError('"digit" is not one key of a telephone')
    return DigitReceived(digit)


class BinaryCarrier:
    """The carrier's end of the stream."""

    def start(self, **params: str) -> list[Message]:
        """:returns: what opens a stream; ``params`` come from our markup."""
        return [
            _text(
                {
                    "event": "connected",
                    "content-type": "audio/l16;rate=16000",
                    "stream": "stream-3",
                    "call": "call-2",
                    "account": "account-1",
                    "headers": params,
                }
            )
        ]

    def sound(self, payload: bytes, timestamp_ms: int) -> Message:
        """:returns: the caller's sound; its time is not said."""
        return Message(payload, True)

    def digit(self, digit: str) -> Message:
        """:returns: the caller pressed a key."""
        return _text({"event": "dtmf", "digit": digit, "duration": 260})

    def mark(self, name: str) -> Message:
        """:raises AssertionError: always; nobody can have asked for one."""
        raise AssertionError("this carrier has no marks")

    def stop(self) -> Message:
        """:returns: the end of the stream."""
        return _text({"event": "hangup"})

    def understand(self, message: Message) -> tuple[str, bytes | str]:
        """:returns: what we asked for, which can only be sound."""
        assert message.binary
        return "media", message.data


def _text(value: Mapping[str, object]) -> Message:
    return Message(json.dumps(value).encode(), False)
