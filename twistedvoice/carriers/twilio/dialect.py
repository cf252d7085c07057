# -*- test-case-name: tests.carriers.test_twilio_dialect -*-
"""The language of Twilio Media Streams, on one bidirectional stream.

JSON texts in both directions, sound as base64 of mu-law 8 kHz. It reads liberally
what Twilio may add to one day, and strictly what we act on. What a webhook says and
answers is in :mod:`.markup`; whether a stream may be opened is decided elsewhere.

Written after https://www.twilio.com/docs/voice/media-streams/websocket-messages
(2026-08).
"""

from __future__ import annotations

import json
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import CallStateError, DialectError
from ...events import (
    AudioReceived,
    CarrierEvent,
    DigitReceived,
    Ignored,
    MarkEchoed,
    Message,
    StreamStarted,
    StreamStopped,
)
from ...formats import MULAW_8K
from ...interfaces import Capabilities
from ...scanning import fastest
from ..fields import (
    base64_bytes,
    base64_of,
    identifier,
    json_object,
    label,
    mapping,
    number,
    text,
    texts,
)

__all__ = ["TwilioDialect", "pure_usual_media"]

_DIGITS = frozenset("0123456789*#ABCD")
_MEDIA_TAIL = b'"}}'
#: A second; a message holds 20 ms, and a peer that sends more wants our memory.
_MOST_SOUND = MULAW_8K.bytes_in(1_000_000)
#: A media message up to its sound; the numbers are short enough to be true.
_USUAL_HEAD = re.compile(
    rb'\{"event":"media","sequenceNumber":"[0-9]{1,12}","media":\{"track":"inbound",'
    rb'"chunk":"[0-9]{1,12}","timestamp":"([0-9]{1,12})","payload":"'
)


def pure_usual_media(data: bytes, end: bytes, most: int) -> tuple[bytes, int] | None:
    """
    Read a media message that looks as Twilio always writes it, without JSON.

    :param end: what stands behind the sound.
    :param most: the longest sound to read, in bytes.
    :returns: the sound and its timestamp in milliseconds; None when the message looks
        in any way different.
    """
    if not data.endswith(end):
        return None
    stop = len(data) - len(end)
    head = _USUAL_HEAD.match(data, 0, stop)
    if head is None:
        return None
    try:
        sound = base64_of(data[head.end() : stop])
    except ValueError:
        return None
    return (sound, int(head[1])) if len(sound) <= most else None


_read_usual_media = fastest("usual_media", pure_usual_media)


class TwilioDialect:
    """One stream's :class:`~twistedvoice.interfaces.Dialect`."""

    capabilities = Capabilities(clear=True, marks=True, lead_ms=100)
    format = MULAW_8K

    def __init__(self) -> None:
        #: Empty until ``start``.
        self._stream_id = ""
        self._media_head = b""
        #: How media messages of this stream end.
        self._usual_end = b""

    def receive(self, message: Message) -> tuple[CarrierEvent]:
        """Read one message; every message of Twilio is one event."""
        if self._usual_end and not message.binary:
            media = _read_usual_media(message.data, self._usual_end, _MOST_SOUND)
            if media is not None:
                return (AudioReceived(*media),)
        said = json_object(message)
        kind = text(said, "event")
        read = _READERS.get(kind)
        return (read(self, said) if read else Ignored(label(kind)),)

    def media(self, payload: bytes) -> Message:
        """
        Wrap one frame. Done fifty times a second a call, so all but the sound is
        ready-made.

        :raises CallStateError: before the carrier's ``start``.
        """
        if not self._stream_id:
            raise CallStateError(_TOO_EARLY)
        sound = b2a_base64(payload, newline=False)
        return Message(self._media_head + sound + _MEDIA_TAIL, False)

    def mark(self, name: str) -> Message:
        """:raises CallStateError: before the carrier's ``start``."""
        return Message(self._request("mark", mark={"name": name}), False)

    def clear(self) -> Message:
        """:raises CallStateError: before the carrier's ``start``."""
        return Message(self._request("clear"), False)

    # -- one function for each kind of message ----------------------------------------

    def _start(self, said: Mapping[str, Any]) -> StreamStarted:
        if self._stream_id:
            raise DialectError("a second start on the same stream")
        started = _stream_started(said)
        self._stream_id = started.stream_id
        empty = self._request("media", media={"payload": ""})
        self._media_head = empty.removesuffix(_MEDIA_TAIL)
        self._usual_end = b'"},"streamSid":"%b"}' % started.stream_id.encode("ascii")
        return started

    def _media(self, said: Mapping[str, Any]) -> AudioReceived | Ignored:
        media = self._body(said, "media")
        if text(media, "track") != "inbound":
            return Ignored("media")
        sound = base64_bytes(media, "payload")
        if len(sound) > _MOST_SOUND:
            raise DialectError('"payload" is longer than a second')
        return AudioReceived(sound, number(media, "timestamp"))

    def _dtmf(self, said: Mapping[str, Any]) -> DigitReceived:
        digit = text(self._body(said, "dtmf"), "digit")
        if digit not in _DIGITS:
            raise DialectError('"digit" is not one key of a telephone')
        return DigitReceived(digit)

    def _mark(self, said: Mapping[str, Any]) -> MarkEchoed:
        return MarkEchoed(text(self._body(said, "mark"), "name"))

    def _stop(self, said: Mapping[str, Any]) -> StreamStopped:
        self._check_stream(said, "stop")
        return StreamStopped()

    # -- what they share --------------------------------------------------------------

    def _body(self, said: Mapping[str, Any], kind: str) -> dict[str, Any]:
        """:returns: the object named after the event."""
        self._check_stream(said, kind)
        return mapping(said, kind)

    def _check_stream(self, said: Mapping[str, Any], kind: str) -> None:
        if not self._stream_id:
            raise DialectError(f"{kind} came before start")
        if said.get("streamSid") != self._stream_id:
            raise DialectError(f'"streamSid" of {kind} is not that of start')

    def _request(self, kind: str, **body: Mapping[str, str]) -> bytes:
        if not self._stream_id:
            raise CallStateError(_TOO_EARLY)
        said = {"event": kind, "streamSid": self._stream_id, **body}
        return json.dumps(said, separators=(",", ":")).encode("ascii")


_TOO_EARLY = "nothing can be sent before the stream has started"


def _stream_started(said: Mapping[str, Any]) -> StreamStarted:
    start = mapping(said, "start")
    stream_id = identifier(said, "streamSid")
    if start.get("streamSid", stream_id) != stream_id:
        raise DialectError('start names two different "streamSid"')
    _check_format(mapping(start, "mediaFormat"))
    return StreamStarted(
        stream_id=stream_id,
        call_id=identifier(start, "callSid"),
        account_id=identifier(start, "accountSid"),
        format=MULAW_8K,
        params=texts(start, "customParameters") if "customParameters" in start else {},
    )


def _check_format(said: Mapping[str, Any]) -> None:
    if text(said, "encoding") != "audio/x-mulaw":
        raise DialectError('"encoding" is not audio/x-mulaw')
    if number(said, "sampleRate") != MULAW_8K.rate:
        raise DialectError('"sampleRate" is not 8000')
    if number(said, "channels") != 1:
        raise DialectError('"channels" is not 1')


_Reader = Callable[[TwilioDialect, Mapping[str, Any]], CarrierEvent]

#: ``connected`` is not here: like any kind not known yet, it says nothing to us.
_READERS: dict[str, _Reader] = {
    "start": TwilioDialect._start,
    "media": TwilioDialect._media,
    "dtmf": TwilioDialect._dtmf,
    "mark": TwilioDialect._mark,
    "stop": TwilioDialect._stop,
}
