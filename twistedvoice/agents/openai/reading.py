# -*- test-case-name: tests.agents.openai.test_reading -*-
"""What the Realtime API tells us, read into the events of every model. No state.

Names are those of 2026 (GA); the names of the beta are read too, since compatible
servers of others still use them. Kinds that are not known are none of our business.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import DialectError
from ...events import Message
from ..foreign import UNREADABLE, code_of, text_of
from ..model.events import (
    AskedTooEarly,
    Event,
    Expired,
    FunctionCalled,
    LimitsTold,
    Refused,
    ResponseBegan,
    ResponseEnded,
    SessionSet,
    SoundCame,
    SoundEnded,
    SpeechStarted,
    SpeechStopped,
    WordsCame,
    WordsEnded,
    WordsHeard,
)

__all__ = ["read"]

#: Errors of answers that stay as they are, however often one tries.
_HOPELESS = frozenset({"insufficient_quota", "invalid_api_key"})
#: Errors that mean something else than that a message was wrong.
_MEANINGS: Mapping[str, Sequence[Event]] = {
    "conversation_already_has_active_response": [AskedTooEarly()],
    "session_expired": [Expired()],
    "response_cancel_not_active": [],
}


def read(message: Message) -> Sequence[Event]:
    """
    Read one message of the API.

    :raises DialectError: when it is none.
    """
    try:
        event = json.loads(message.data)
        reader = _READERS.get(event["type"])
        return () if reader is None else reader(event)
    except UNREADABLE as error:
        # Its words may be the caller's.
        raise DialectError(f"a message of the API: {type(error).__name__}") from None


def _sound_came(event: Mapping[str, Any]) -> Sequence[Event]:
    came = SoundCame(
        text_of(event["response_id"]),
        text_of(event["item_id"]),
        int(event.get("content_index", 0)),
        a2b_base64(event["delta"], strict_mode=True),
    )
    return (came,)


def _response_ended(event: Mapping[str, Any]) -> Sequence[Event]:
    response = event["response"]
    error = (response.get("status_details") or {}).get("error") or {}
    code = code_of(error.get("code") or error.get("type"))
    ended = ResponseEnded(
        response_id=text_of(response["id"]),
        status=text_of(response["status"]),
        code=code,
        hopeless=code in _HOPELESS,
    )
    return (ended,)


def _limits_told(event: Mapping[str, Any]) -> Sequence[Event]:
    waits = [
        float(limit.get("reset_seconds", 0))
        for limit in event["rate_limits"]
        if limit.get("remaining") == 0
    ]
    return (LimitsTold(wait_seconds=max(waits, default=0.0)),)


def _refused(event: Mapping[str, Any]) -> Sequence[Event]:
    error = event["error"]
    kind, code = code_of(error.get("type")), code_of(error.get("code"))
    refused = Refused(
        kind=kind,
        code=code,
        param=code_of(error.get("param")),
        hopeless=kind == "invalid_request_error",
    )
    return _MEANINGS.get(code, (refused,))


def _function_called(event: Mapping[str, Any]) -> Sequence[Event]:
    names = ("response_id", "call_id", "name", "arguments")
    return (FunctionCalled(*[text_of(event[name]) for name in names]),)


def _words_heard(event: Mapping[str, Any]) -> Sequence[Event]:
    item_id = text_of(event["item_id"])
    return WordsHeard(item_id, text_of(event["transcript"])), WordsEnded(item_id)


def _words_came(event: Mapping[str, Any]) -> Sequence[Event]:
    return (WordsCame(text_of(event["item_id"]), text_of(event["delta"])),)


_HEARD = "conversation.item.input_audio_transcription.completed"
_READERS: dict[str, Callable[[Mapping[str, Any]], Sequence[Event]]] = {
    "session.updated": lambda event: (SessionSet(),),
    "input_audio_buffer.speech_started": lambda event: (
        SpeechStarted(text_of(event["item_id"])),
    ),
    "input_audio_buffer.speech_stopped": lambda event: (SpeechStopped(),),
    _HEARD: _words_heard,
    "response.created": lambda event: (
        ResponseBegan(text_of(event["response"]["id"])),
    ),
    "response.output_audio.delta": _sound_came,
    "response.output_audio.done": lambda event: (
        SoundEnded(text_of(event["item_id"])),
    ),
    "response.output_audio_transcript.delta": _words_came,
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
