# -*- test-case-name: tests.carriers.test_contract -*-
"""What a carrier tells us and what we tell it, the same for every carrier.

A :class:`~twistedvoice.interfaces.Dialect` turns each message of its carrier into
these values; nothing further in ever sees a carrier's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attrs import field, frozen

from .formats import AudioFormat

__all__ = [
    "AudioReceived",
    "CarrierEvent",
    "DigitReceived",
    "Ignored",
    "MarkEchoed",
    "Message",
    "StreamStarted",
    "StreamStopped",
]


class Message(NamedTuple):
    """One whole message on the wire, before the transport frames it."""

    data: bytes
    binary: bool


@frozen(kw_only=True)
class StreamStarted:
    """The carrier opened the stream of one call."""

    stream_id: str
    call_id: str
    account_id: str
    format: AudioFormat
    #: What our markup asked the carrier to hand back, the token among it.
    params: Mapping[str, str] = field(repr=False)


class AudioReceived(NamedTuple):
    """The caller's sound. A tuple, since fifty of these arrive a second a call."""

    payload: bytes
    #: Milliseconds on the carrier's own clock since the stream started.
    timestamp_ms: int


@frozen
class DigitReceived:
    """The caller pressed a key: one of ``0123456789*#ABCD``."""

    digit: str = field(repr=False)


@frozen
class MarkEchoed:
    """The carrier says that it reached a mark, or dropped it on a clear."""

    name: str


@frozen
class StreamStopped:
    """The carrier ended the stream."""


@frozen
class Ignored:
    """A message that is right but says nothing to us, or of a kind not known yet."""

    kind: str


CarrierEvent = (
    StreamStarted | AudioReceived | DigitReceived | MarkEchoed | StreamStopped | Ignored
)
