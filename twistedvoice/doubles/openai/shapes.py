# -*- test-case-name: tests.doubles.openai.test_shapes -*-
"""What a client may send, field by field, from OpenAI's documentation of 2026.

As strict as the API: an unknown field, a wrong type, a missing field and a value out of
range are each a problem with a code and the path of the field. Knows no conversation.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

__all__ = ["Problem", "problem_with"]


@frozen
class Problem:
    """Why a message is refused: what the API says in its ``error`` event."""

    code: str
    param: str
    message: str


#: Yields what is wrong with a value that stands at a path.
Shape = Callable[[object, str], Iterator[Problem]]


def problem_with(message: Mapping[str, object]) -> Problem | None:
    """:returns: the first thing that is wrong with a client's message, if any."""
    kind = message.get("type")
    if kind is None:
        return Problem("missing_required_parameter", "type", "Missing 'type'.")
    shape = _EVENTS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return Problem("invalid_value", "type", f"Invalid value: {kind!r}.")
    return next(shape(message, ""), None)


def _wrong(path: str, wanted: str) -> Problem:
    return Problem("invalid_type", path, f"Invalid type for {path!r}: give {wanted}.")


def _bad(path: str, allowed: str) -> Problem:
    return Problem(
        "invalid_value", path, f"Invalid value for {path!r}: give {allowed}."
    )


def _text(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(path, "a string")


def _flag(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield _wrong(path, "a boolean")


def _any_object(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _wrong(path, "an object")


def _base64(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(path, "a string")
        return
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        yield _bad(path, "base64")


def _number(least: float, most: float) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong(path, "a number")
        elif not least <= value <= most:
            yield _bad(path, f"{least} to {most}")

    return shape


def _whole(least: int, most: int) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield _wrong(path, "an integer")
        elif not least <= value <= most:
            yield _bad(path, f"{least} to {most}")

    return shape


def _one_of(*words: str) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if value not in words:
            yield _bad(path, ", ".join(words))

    return shape


def _or_null(inner: Shape) -> Shape:
    return lambda value, path: iter(()) if value is None else inner(value, path)


def _or_word(words: tuple[str, ...], inner: Shape) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        yield from (_one_of(*words) if isinstance(value, str) else inner)(value, path)

    return shape


def _list(inner: Shape, least: int = 0, most: int = 1000) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield _wrong(path, "an array")
            return
        if not least <= len(value) <= most:
            yield _bad(path, f"{least} to {most} of them")
        for n, each in enumerate(value):
            yield from inner(each, f"{path}[{n}]")

    return shape


def _object(needed: tuple[str, ...] = (), /, **fields: Shape) -> Shape:
    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _wrong(path, "an object")
            return
        before = f"{path}." if path else ""
        for name in needed:
            if name not in value:
                at = before + name
                yield Problem("missing_required_parameter", at, f"Missing {at!r}.")
        for name, each in value.items():
            at = before + name
            if name not in fields:
                yield Problem("unknown_parameter", at, f"Unknown parameter: {at!r}.")
            else:
                yield from fields[name](each, at)

    return shape


def _by_type(**kinds: Shape) -> Shape:
    """:returns: the shape of an object whose ``type`` says what else it has."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _wrong(path, "an object")
            return
        kind = str(value.get("type", "")).replace("/", "_")
        if kind in kinds:
            yield from kinds[kind](value, path)
        else:
            yield _bad(f"{path}.type", ", ".join(kinds))

    return shape


_FORMAT = _by_type(
    audio_pcm=_object(("type", "rate"), type=_text, rate=_whole(24000, 24000)),
    audio_pcmu=_object(type=_text),
    audio_pcma=_object(type=_text),
)
_BOTH = {"type": _text, "create_response": _flag, "interrupt_response": _flag}
_TURN_DETECTION = _by_type(
    server_vad=_object(
        threshold=_number(0, 1),
        prefix_padding_ms=_whole(0, 10_000),
        silence_duration_ms=_whole(0, 10_000),
        idle_timeout_ms=_or_null(_whole(5000, 30_000)),
        **_BOTH,
    ),
    semantic_vad=_object(eagerness=_one_of("low", "medium", "high", "auto"), **_BOTH),
)
_INPUT = _object(
    format=_FORMAT,
    noise_reduction=_or_null(_object(type=_one_of("near_field", "far_field"))),
    transcription=_or_null(_object(model=_text, language=_text, prompt=_text)),
    turn_detection=_or_null(_TURN_DETECTION),
)
_OUTPUT = _object(format=_FORMAT, voice=_text, speed=_number(0.25, 1.5))
_TOOL = _object(
    ("type", "name"),
    type=_one_of("function"),
    name=_text,
    description=_text,
    parameters=_any_object,
)
_ASKED = {
    "output_modalities": _list(_one_of("audio", "text"), 1, 1),
    "instructions": _text,
    "tools": _list(_TOOL),
    "tool_choice": _or_word(
        ("auto", "none", "required"),
        _object(("type", "name"), type=_one_of("function"), name=_text),
    ),
}
_SESSION = _object(
    ("type",),
    type=_one_of("realtime"),
    model=_text,
    audio=_object(input=_INPUT, output=_OUTPUT),
    max_output_tokens=_or_word(("inf",), _whole(1, 4096)),
    truncation=_or_word(("auto", "disabled"), _any_object),
    **_ASKED,
)
_CONTENT = _by_type(
    input_text=_object(("type", "text"), type=_text, text=_text),
    input_audio=_object(("type", "audio"), type=_text, audio=_base64),
    output_text=_object(("type", "text"), type=_text, text=_text),
)
_OUTPUT_CALL = {"type": _text, "id": _text, "call_id": _text, "output": _text}
_CALL = {"type": _text, "id": _text, "call_id": _text, "arguments": _text}
_MESSAGE = _object(
    ("type", "role", "content"),
    type=_text,
    id=_text,
    role=_one_of("system", "user", "assistant"),
    content=_list(_CONTENT, 1),
)
_ITEM = _by_type(
    message=_MESSAGE,
    function_call=_object(("call_id", "name", "arguments"), name=_text, **_CALL),
    function_call_output=_object(("call_id", "output"), **_OUTPUT_CALL),
)
_RESPONSE = _object(
    conversation=_one_of("auto", "none"),
    input=_list(_ITEM),
    metadata=_any_object,
    audio=_object(output=_OUTPUT),
    **_ASKED,
)


def _event(*needed: str, **fields: Shape) -> Shape:
    return _object(needed, type=_text, event_id=_text, **fields)


_EVENTS: Mapping[str, Any] = {
    "session.update": _event("session", session=_SESSION),
    "input_audio_buffer.append": _event("audio", audio=_base64),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event("item", item=_ITEM, previous_item_id=_text),
    "conversation.item.retrieve": _event("item_id", item_id=_text),
    "conversation.item.delete": _event("item_id", item_id=_text),
    "conversation.item.truncate": _event(
        *("item_id", "content_index", "audio_end_ms"),
        item_id=_text,
        content_index=_whole(0, 100),
        audio_end_ms=_whole(0, 10_000_000),
    ),
    "response.create": _event(response=_RESPONSE),
    "response.cancel": _event(response_id=_text),
}
