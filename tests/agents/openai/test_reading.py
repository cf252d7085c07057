"""What the API says, by the examples of its documentation."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.model import events
from twistedvoice.agents.model.events import Event
from twistedvoice.agents.openai.reading import read
from twistedvoice.errors import DialectError
from twistedvoice.events import Message

__all__ = ["ReadingTests"]


def all_said(kind: str, **fields: Any) -> list[Event]:
    """:returns: how an event of the API is read."""
    event = {"event_id": "event_1", "type": kind, **fields}
    return list(read(Message(json.dumps(event).encode(), binary=False)))


def said(kind: str, **fields: Any) -> Event:
    """:returns: how an event is read that tells one thing."""
    [event] = all_said(kind, **fields)
    return event


class ReadingTests(SynchronousTestCase):
    """Each event becomes a value."""

    def test_sound(self) -> None:
        """A delta is its bytes; GA and beta call it differently."""
        fields = {
            "response_id": "resp_1",
            "item_id": "item_1",
            "output_index": 0,
            "content_index": 2,
            "delta": "AQID",
        }
        for kind in ("response.output_audio.delta", "response.audio.delta"):
            self.assertEqual(
                said(kind, **fields),
                events.SoundCame("resp_1", "item_1", 2, b"\1\2\3"),
            )

    def test_response(self) -> None:
        """A response has a status; a failed one says why."""
        response: dict[str, Any] = {"id": "resp_1", "status": "completed"}
        for details, code in (
            (None, ""),
            ({"type": "cancelled", "reason": "turn_detected"}, ""),
            ({"type": "failed", "error": {"code": "rate_limit"}}, "rate_limit"),
            (
                {"type": "failed", "error": {"code": "insufficient_quota"}},
                "insufficient_quota",
            ),
            ({"type": "failed", "error": {"type": "server_error"}}, "server_error"),
        ):
            response["status_details"] = details
            ended = said("response.done", response=response)
            assert isinstance(ended, events.ResponseEnded)
            self.assertEqual((ended.response_id, ended.code), ("resp_1", code))
            self.assertEqual(ended.hopeless, code == "insufficient_quota")

    def test_limits(self) -> None:
        """Only what is used up makes one wait, the longest time."""
        limits = [
            {"name": "requests", "limit": 9, "remaining": 0, "reset_seconds": 2.5},
            {"name": "tokens", "limit": 9, "remaining": 0, "reset_seconds": 4},
            {"name": "other", "limit": 9, "remaining": 1, "reset_seconds": 90},
        ]
        for count, seconds in ((0, 0.0), (1, 2.5), (3, 4.0)):
            told = said("rate_limits.updated", rate_limits=limits[:count])
            self.assertEqual(told, events.LimitsTold(wait_seconds=seconds))

    def test_error(self) -> None:
        """An error is its kind, code and field; its message is not kept."""
        error = {
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": "Invalid value: 'what the caller said'",
            "param": None,
        }
        refused = said("error", error=error)
        self.assertNotIn("caller", repr(refused))
        self.assertEqual(
            refused,
            events.Refused(
                kind="invalid_request_error",
                code="invalid_value",
                param="",
                hopeless=True,
            ),
        )

    def test_private(self) -> None:
        """What people say is not shown."""
        heard = "conversation.item.input_audio_transcription.completed"
        called = "response.function_call_arguments.done"
        call = {"response_id": "r", "call_id": "c", "name": "f", "arguments": "secret"}
        for event in (
            *all_said(heard, item_id="i", content_index=0, transcript="secret"),
            said("response.output_audio_transcript.delta", item_id="i", delta="secret"),
            said(called, **call),
        ):
            self.assertNotIn("secret", repr(event))

    def test_meanings(self) -> None:
        """Some errors say something else than that a message was wrong."""
        for code, meaning in (
            ("conversation_already_has_active_response", [events.AskedTooEarly()]),
            ("session_expired", [events.Expired()]),
            ("response_cancel_not_active", []),
        ):
            self.assertEqual(all_said("error", error={"code": code}), meaning)

    def test_unknown(self) -> None:
        """What is new is none of our business."""
        self.assertEqual(all_said("response.sung", song=1), [])

    def test_broken(self) -> None:
        """What is no event is told as that, without its words."""
        delta = {"type": "response.output_audio.delta", "delta": "secret!"}
        for data in (
            b"",
            b"\xff",
            b"[" * 100_000,
            b"[]",
            b"3",
            b"{}",
            b'{"type": ["secret"]}',
            b'{"type": "response.created", "response": "secret"}',
            b'{"type": "response.created", "response": {"id": 3}}',
            b'{"type": "response.done", "response": null}',
            b'{"type": "error", "error": null}',
            b'{"type": "rate_limits.updated", "rate_limits": [null]}',
            b'{"type": "rate_limits.updated", "rate_limits": [{"remaining": 0,'
            b' "reset_seconds": 1' + b"0" * 400 + b"}]}",
            b'{"type": "response.output_audio.delta", "response_id": "r",'
            b' "item_id": "i", "content_index": 1e999, "delta": ""}',
            b'{"type": "rate_limits.updated", "rate_limits": [{"remaining": 0,'
            b' "reset_seconds": "secret"}]}',
            json.dumps({**delta, "response_id": "r", "item_id": "i"}).encode(),
        ):
            error = self.assertRaises(DialectError, read, Message(data, binary=False))
            self.assertNotIn("secret", str(error))
