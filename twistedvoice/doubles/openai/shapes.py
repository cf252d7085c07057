# -*- test-case-name: tests.doubles.openai.test_shapes -*-
"""What a client may send, field by field, from OpenAI's documentation of 2026.

As strict as the API: an unknown field, a wrong type, a missing field and a value out of
range are each a problem with a code and the path of the field. Knows no conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import shapes
from ..shapes import Problem, Shape

__all__ = ["problem_with"]


def problem_with(message: Mapping[str, object]) -> Problem | None:
    """:returns: the first thing that is wrong with a client's message, if any."""
    kind = message.get("type")
    if kind is None:
        return Problem("missing_required_parameter", "type", "Missing 'type'.")
    shape = _EVENTS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return Problem("invalid_value", "type", f"Invalid value: {kind!r}.")
    return next(shape(message, ""), None)


_FORMAT = shapes.by_type(
    audio_pcm=shapes.object_of(
        ("type", "rate"), type=shapes.text, rate=shapes.whole(24000, 24000)
    ),
    audio_pcmu=shapes.object_of(type=shapes.text),
    audio_pcma=shapes.object_of(type=shapes.text),
)
_BOTH = {
    "type": shapes.text,
    "create_response": shapes.flag,
    "interrupt_response": shapes.flag,
}
_TURN_DETECTION = shapes.by_type(
    server_vad=shapes.object_of(
        threshold=shapes.number(0, 1),
        prefix_padding_ms=shapes.whole(0, 10_000),
        silence_duration_ms=shapes.whole(0, 10_000),
        idle_timeout_ms=shapes.or_null(shapes.whole(5000, 30_000)),
        **_BOTH,
    ),
    semantic_vad=shapes.object_of(
        eagerness=shapes.one_of("low", "medium", "high", "auto"), **_BOTH
    ),
)
_INPUT = shapes.object_of(
    format=_FORMAT,
    noise_reduction=shapes.or_null(
        shapes.object_of(type=shapes.one_of("near_field", "far_field"))
    ),
    transcription=shapes.or_null(
        shapes.object_of(model=shapes.text, language=shapes.text, prompt=shapes.text)
    ),
    turn_detection=shapes.or_null(_TURN_DETECTION),
)
_OUTPUT = shapes.object_of(
    format=_FORMAT, voice=shapes.text, speed=shapes.number(0.25, 1.5)
)
_TOOL = shapes.object_of(
    ("type", "name"),
    type=shapes.one_of("function"),
    name=shapes.text,
    description=shapes.text,
    parameters=shapes.any_object,
)
_ASKED = {
    "output_modalities": shapes.list_of(shapes.one_of("audio", "text"), 1, 1),
    "instructions": shapes.text,
    "tools": shapes.list_of(_TOOL),
    "tool_choice": shapes.or_word(
        ("auto", "none", "required"),
        shapes.object_of(
            ("type", "name"), type=shapes.one_of("function"), name=shapes.text
        ),
    ),
}
_SESSION = shapes.object_of(
    ("type",),
    type=shapes.one_of("realtime"),
    model=shapes.text,
    audio=shapes.object_of(input=_INPUT, output=_OUTPUT),
    max_output_tokens=shapes.or_word(("inf",), shapes.whole(1, 4096)),
    truncation=shapes.or_word(("auto", "disabled"), shapes.any_object),
    **_ASKED,
)
_CONTENT = shapes.by_type(
    input_text=shapes.object_of(("type", "text"), type=shapes.text, text=shapes.text),
    input_audio=shapes.object_of(
        ("type", "audio"), type=shapes.text, audio=shapes.encoded
    ),
    output_text=shapes.object_of(("type", "text"), type=shapes.text, text=shapes.text),
)
_OUTPUT_CALL = {
    "type": shapes.text,
    "id": shapes.text,
    "call_id": shapes.text,
    "output": shapes.text,
}
_CALL = {
    "type": shapes.text,
    "id": shapes.text,
    "call_id": shapes.text,
    "arguments": shapes.text,
}
_MESSAGE = shapes.object_of(
    ("type", "role", "content"),
    type=shapes.text,
    id=shapes.text,
    role=shapes.one_of("system", "user", "assistant"),
    content=shapes.list_of(_CONTENT, 1),
)
_ITEM = shapes.by_type(
    message=_MESSAGE,
    function_call=shapes.object_of(
        ("call_id", "name", "arguments"), name=shapes.text, **_CALL
    ),
    function_call_output=shapes.object_of(("call_id", "output"), **_OUTPUT_CALL),
)
_RESPONSE = shapes.object_of(
    conversation=shapes.one_of("auto", "none"),
    input=shapes.list_of(_ITEM),
    metadata=shapes.any_object,
    audio=shapes.object_of(output=_OUTPUT),
    **_ASKED,
)


def _event(*needed: str, **fields: Shape) -> Shape:
    return shapes.object_of(needed, type=shapes.text, event_id=shapes.text, **fields)


_EVENTS: Mapping[str, Any] = {
    "session.update": _event("session", session=_SESSION),
    "input_audio_buffer.append": _event("audio", audio=shapes.encoded),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event(
        "item", item=_ITEM, previous_item_id=shapes.text
    ),
    "conversation.item.retrieve": _event("item_id", item_id=shapes.text),
    "conversation.item.delete": _event("item_id", item_id=shapes.text),
    "conversation.item.truncate": _event(
        *("item_id", "content_index", "audio_end_ms"),
        item_id=shapes.text,
        content_index=shapes.whole(0, 100),
        audio_end_ms=shapes.whole(0, 10_000_000),
    ),
    "response.create": _event(response=_RESPONSE),
    "response.cancel": _event(response_id=shapes.text),
}
