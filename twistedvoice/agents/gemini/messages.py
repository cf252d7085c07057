# -*- test-case-name: tests.agents.gemini.test_messages -*-
"""What we tell the Gemini Live API. No I/O, no state."""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any

from ...events import Message

__all__ = ["append_audio", "begin", "give_result", "speak_up"]

_APPEND = b'{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"'


def append_audio(sound: bytes) -> Message:
    """:returns: the caller's sound; made fifty times a second a call."""
    encoded = b2a_base64(sound, newline=False)
    return Message(b"".join((_APPEND, encoded, b'"}}}')), binary=False)


def begin(setup: Mapping[str, Any]) -> Message:
    """:returns: what comes first, and once."""
    return _message(setup=setup)


def speak_up(text: str) -> Message:
    """:param text: why, in words that the model reads as the user's."""
    return _message(realtimeInput={"text": text})


def give_result(call_id: str, name: str, result: str) -> Message:
    """:param result: what a function came to: an object of JSON, or any text."""
    try:
        response = json.loads(result)
        json.dumps(response, allow_nan=False)  # an API takes nothing else for JSON
    except (ValueError, RecursionError):
        response = None
    if not isinstance(response, dict):
        response = {"output": result}
    told = {"id": call_id, "name": name, "response": response}
    return _message(toolResponse={"functionResponses": [told]})


def _message(**body: object) -> Message:
    return Message(json.dumps(body).encode(), binary=False)
