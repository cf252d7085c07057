# -*- test-case-name: tests.agents.openai.test_messages -*-
"""What we tell the Realtime API, by its names of 2026 (GA). No I/O, no state."""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any

from ...events import Message

__all__ = [
    "append_audio",
    "cancel_response",
    "create_response",
    "give_result",
    "remember",
    "truncate",
    "update_session",
]

_APPEND = b'{"type":"input_audio_buffer.append","audio":"'


def append_audio(payload: bytes) -> Message:
    """:returns: the caller's sound, as it is; made 25 times a second a call."""
    encoded = b2a_base64(payload, newline=False)
    return Message(b"".join((_APPEND, encoded, b'"}')), binary=False)


def update_session(session: Mapping[str, Any]) -> Message:
    """:returns: the settings of the session; only given fields change."""
    return _event("session.update", session={"type": "realtime", **session})


def create_response(instructions: str = "") -> Message:
    """:param instructions: for this response alone, in place of the session's."""
    if not instructions:
        return _event("response.create")
    return _event("response.create", response={"instructions": instructions})


def cancel_response() -> Message:
    """:returns: the message that stops what is being made."""
    return _event("response.cancel")


def truncate(item_id: str, content_index: int, heard_ms: int) -> Message:
    """:returns: the message that says how much of an item the caller heard."""
    return _event(
        "conversation.item.truncate",
        item_id=item_id,
        content_index=content_index,
        audio_end_ms=heard_ms,
    )


def remember(*, caller: bool, text: str) -> Message:
    """:returns: the message that tells a new session what was said before."""
    role, kind = ("user", "input_text") if caller else ("assistant", "output_text")
    content = [{"type": kind, "text": text}]
    item = {"type": "message", "role": role, "content": content}
    return _event("conversation.item.create", item=item)


def give_result(call_id: str, output: str) -> Message:
    """:returns: the message with what a function came to."""
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return _event("conversation.item.create", item=item)


def _event(kind: str, **fields: object) -> Message:
    return Message(json.dumps({"type": kind, **fields}).encode(), binary=False)
