"""What a client may send, by the examples of the documentation."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.doubles.openai.shapes import problem_with

__all__ = ["ShapesTests"]

SESSION: dict[str, Any] = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "instructions": "Be brief.",
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "noise_reduction": {"type": "near_field"},
            "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "create_response": True,
                "interrupt_response": True,
                "idle_timeout_ms": None,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
    },
    "tools": [
        {
            "type": "function",
            "name": "f",
            "description": "Does it.",
            "parameters": {"type": "object", "properties": {}},
        }
    ],
    "tool_choice": {"type": "function", "name": "f"},
    "max_output_tokens": "inf",
    "truncation": "auto",
}


def item(**fields: object) -> dict[str, object]:
    """:returns: a message that creates an item."""
    return {"type": "conversation.item.create", "item": fields}


RIGHT: list[dict[str, object]] = [
    {"type": "session.update", "event_id": "mine", "session": SESSION},
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "audio": {
                "input": {"turn_detection": {"type": "semantic_vad"}},
                "output": {"speed": 1.5},
            },
            "tool_choice": "none",
        },
    },
    {"type": "input_audio_buffer.append", "audio": "//8="},
    {"type": "response.create"},
    {"type": "response.create", "response": {"instructions": "Say hello."}},
    {"type": "response.cancel"},
    item(type="message", role="user", content=[{"type": "input_text", "text": "Hi"}]),
    item(type="function_call_output", call_id="c", output="{}"),
    {
        "type": "conversation.item.truncate",
        "item_id": "item_1",
        "content_index": 0,
        "audio_end_ms": 20,
    },
]

#: What is wrong, its code, and where.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "missing_required_parameter", "type"),
    ({"type": "response.begin"}, "invalid_value", "type"),
    ({"type": ["response.create"]}, "invalid_value", "type"),
    ({"type": "response.create", "when": 1}, "unknown_parameter", "when"),
    ({"type": "response.create", "response": 1}, "invalid_type", "response"),
    ({"type": "session.update"}, "missing_required_parameter", "session"),
    (
        {"type": "session.update", "session": {"instructions": ""}},
        "missing_required_parameter",
        "session.type",
    ),
    # the shape of the beta
    (
        {
            "type": "session.update",
            "session": {"type": "realtime", "input_audio_format": "g711_ulaw"},
        },
        "unknown_parameter",
        "session.input_audio_format",
    ),
    ({"type": "input_audio_buffer.append", "audio": "!"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": 1}, "invalid_type", "audio"),
    (item(type="song"), "invalid_value", "item.type"),
    (item(type="message", role="user"), "missing_required_parameter", "item.content"),
    (
        item(type="message", role="user", content=[{"type": "text", "text": ""}]),
        "invalid_value",
        "item.content[0].type",
    ),
    (
        {
            "type": "conversation.item.truncate",
            "item_id": "item_1",
            "content_index": 0,
            "audio_end_ms": 20.5,
        },
        "invalid_type",
        "audio_end_ms",
    ),
]


def session_with(path: str, value: object) -> dict[str, object]:
    """:returns: an update in which one field is another."""
    *way, last = path.split(".")
    session: dict[str, Any] = {"type": "realtime"}
    at = session
    for name in way:
        at = at.setdefault(name, {})
    at[last] = value
    return {"type": "session.update", "session": session}


class ShapesTests(SynchronousTestCase):
    """Right messages pass; each wrong one is told apart."""

    def test_right(self) -> None:
        """The examples of the documentation are right."""
        for message in RIGHT:
            self.assertIsNone(problem_with(message), message)

    def test_wrong(self) -> None:
        """What is wrong has its code, and the path of the field."""
        for message, code, param in WRONG:
            problem = problem_with(message)
            assert problem is not None, message
            self.assertEqual((problem.code, problem.param), (code, param))

    def test_session(self) -> None:
        """Every field of a session has its range."""
        turns = "audio.input.turn_detection"
        for path, value in (
            ("audio.input.format", {"type": "audio/pcm", "rate": 16000}),
            ("audio.input.format", {"type": "audio/pcm"}),
            ("audio.input.format", "audio/pcmu"),
            ("audio.input.noise_reduction", {"type": "far"}),
            (turns, {"type": "server_vad", "threshold": 2}),
            (turns, {"type": "server_vad", "eagerness": "low"}),
            (turns, {"type": "semantic_vad", "eagerness": "soon"}),
            (turns, {"type": "server_vad", "create_response": 1}),
            ("audio.output.speed", 2),
            ("audio.output.speed", "fast"),
            ("output_modalities", ["audio", "text"]),
            ("output_modalities", "audio"),
            ("tool_choice", "perhaps"),
            ("max_output_tokens", "many"),
            ("max_output_tokens", 5000),
            ("tools", [{"type": "function"}]),
        ):
            problem = problem_with(session_with(path, value))
            assert problem is not None, (path, value)
            self.assertIn(f"session.{path}", problem.param)
