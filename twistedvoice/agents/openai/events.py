# -*- test-case-name: tests.agents.openai.test_events -*-
"""What the Realtime API tells us, as values. No I/O, no state.

Names are those of 2026 (GA); the names of the beta are read too, since compatible
servers of others still use them. Kinds that are not known are none of our business.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from attrs import field, frozen

from ...errors import DialectError
from ...events import Message

__all__ = [
    "Event",
    "FunctionCalled",
    "LimitsTold",
    "Refused",
    "ResponseBegan",
    "ResponseEnded",
    "SessionSet",
    "SoundCame",
    "SoundEnded",
    "SpeechStarted",
    "SpeechStopped",
    "Unimportant",
    "WordsCame",
    "WordsHeard",
    "read",
]


@frozen
class SessionSet:
    """The session is as we asked."""


@frozen
class SpeechStarted:
    """The caller began to speak."""

    item_id: str


@frozen
class SpeechStopped:
    """The caller has spoken; an answer follows."""


@frozen
class WordsHeard:
    """What the caller said, in an item, as text."""

    item_id: str
    text: str = field(repr=False)


@frozen
class ResponseBegan:
    """The model makes an answer."""

    response_id: str


class SoundCame(NamedTuple):
    """A piece of what the model says."""

    response_id: str
    item_id: str
    content_index: int
    audio: bytes


@frozen
class SoundEnded:
    """An item has all its sound."""

    item_id: str


@frozen
class WordsCame:
    """A piece of what the model says, as text."""

    item_id: str
    text: str = field(repr=False)


@frozen
class FunctionCalled:
    """The model calls a function."""

    response_id: str
    call_id: str
    name: str
    #: JSON, as the model wrote it.
    arguments: str = field(repr=False)


@frozen(kw_only=True)
class ResponseEnded:
    """An answer is whole, or will never be."""

    response_id: str
    #: ``completed``, ``cancelled``, ``failed`` or ``incomplete``.
    status: str
    #: Of the error, where it failed.
    code: str


@frozen(kw_only=True)
class LimitsTold:
    """How long to wait for the tightest limit that is used up; 0 when none is."""

    wait_seconds: float


@frozen(kw_only=True)
class Refused:
    """An error; mostly the session goes on. Its message is not kept: it may quote."""

    kind: str
    code: str
    param: str


@frozen
class Unimportant:
    """Anything else."""

    kind: str


Event = (
    SessionSet
    | SpeechStarted
    | SpeechStopped
    | WordsHeard
    | ResponseBegan
    | SoundCame
    | SoundEnded
    | WordsCame
    | FunctionCalled
    | ResponseEnded
    | LimitsTold
    | Refused
    | Unimportant
)


def read(message: Message) -> Event:
    """
    Read one message of the API.

    :raises DialectError: when it is none.
    """
    try:
        event = json.loads(message.data)
        kind = event["type"]
        reader = _READERS.get(kind)
        return Unimportant(str(kind)) if reader is None else reader(event)
    except (ValueError, TypeError, KeyError, Base64Error, RecursionError) as error:
        # Its words may be the caller's.
        raise DialectError(f"a message of the API: {type(error).__name__}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _sound_came(event: Mapping[str, Any]) -> Event:
    return SoundCame(
        _text(event["response_id"]),
        _text(event["item_id"]),
        int(event.get("content_index", 0)),
        a2b_base64(event["delta"], strict_mode=True),
    )


def _response_ended(event: Mapping[str, Any]) -> Event:
    response = event["response"]
    error = (response.get("status_details") or {}).get("error") or {}
    return ResponseEnded(
        response_id=_text(response["id"]),
        status=_text(response["status"]),
        code=str(error.get("code") or error.get("type") or ""),
    )


def _limits_told(event: Mapping[str, Any]) -> Event:
    waits = [
        float(limit.get("reset_seconds", 0))
        for limit in event["rate_limits"]
        if limit.get("remaining") == 0
    ]
    return LimitsTold(wait_seconds=max(waits, default=0.0))


def _refused(event: Mapping[str, Any]) -> Event:
    error = event["error"]
    return Refused(
        kind=str(error.get("type") or ""),
        code=str(error.get("code") or ""),
        param=str(error.get("param") or ""),
    )


def _function_called(event: Mapping[str, Any]) -> Event:
    return FunctionCalled(
        _text(event["response_id"]),
        _text(event["call_id"]),
        _text(event["name"]),
        _text(event["arguments"]),
    )


_HEARD = "conversation.item.input_audio_transcription.completed"
_READERS: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "session.updated": lambda event: SessionSet(),
    "input_audio_buffer.speech_started": lambda event: SpeechStarted(
        _text(event["item_id"])
    ),
    "input_audio_buffer.speech_stopped": lambda event: SpeechStopped(),
    _HEARD: lambda event: WordsHeard(
        _text(event["item_id"]), _text(event["transcript"])
    ),
    "response.created": lambda event: ResponseBegan(_text(event["response"]["id"])),
    "response.output_audio.delta": _sound_came,
    "response.output_audio.done": lambda event: SoundEnded(_text(event["item_id"])),
    "response.output_audio_transcript.delta": lambda event: WordsCame(
        _text(event["item_id"]), _text(event["delta"])
    ),
    "response.function_call_arguments.done": _function_called,
    "response.done": _response_ended,
    "rate_limits.updated": _limits_told,
    "error": _refused,
}
for _ga, _beta in (
    ("response.output_audio.delta", "response.audio.delta"),
    ("response.output_audio.done", "response.audio.done"),
    (
        "response.output_audio_transcript.delta",
        "response.audio_transcript.delta",
    ),
):
    _READERS[_beta] = _READERS[_ga]
