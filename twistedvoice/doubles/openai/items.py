# -*- test-case-name: tests.doubles.openai.test_session -*-
"""The conversation of a session: its items, in order, and what may be done to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from ..shapes import Problem

__all__ = ["Conversation", "Item"]


@define(kw_only=True)
class Item:
    """Something said or done; ``body`` is as the API shows it."""

    id: str
    body: dict[str, Any] = field(repr=False)
    #: The sound of it that the client got, in milliseconds.
    sent_ms: int = 0
    #: Where the client said that its user stopped listening.
    truncated_ms: int | None = None

    @property
    def kind(self) -> str:
        """``message``, ``function_call`` or ``function_call_output``."""
        return str(self.body["type"])

    @property
    def text(self) -> str:
        """What is said in it, as far as the model knows."""
        parts = self.body.get("content", ())
        said = (part.get("text") or part.get("transcript") or "" for part in parts)
        return " ".join(filter(None, said))

    def shown(self) -> dict[str, Any]:
        """:returns: the item for an event."""
        return {"id": self.id, "object": "realtime.item", **self.body}


class Conversation:
    """All items of a session."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: object) -> Item | None:
        """:returns: the item of that name, if there is one."""
        return next((item for item in self.items if item.id == item_id), None)

    def last_id(self) -> str | None:
        """:returns: what the next item follows."""
        return self.items[-1].id if self.items else None

    def refusal(self, body: Mapping[str, Any]) -> Problem | None:
        """:returns: why the client may not add this item, if it may not."""
        kind, call_id = body["type"], body.get("call_id")
        if kind == "function_call_output":
            calls = {i.body["call_id"] for i in self.items if i.kind == "function_call"}
            if call_id not in calls:
                text = f"Tool call ID '{call_id}' not found in conversation."
                return Problem("invalid_tool_call_id", "item.call_id", text)
        allowed = {"assistant": {"output_text"}, "system": {"input_text"}}
        parts = allowed.get(body.get("role", ""), {"input_text", "input_audio"})
        for n, part in enumerate(body.get("content", ())):
            if part["type"] not in parts:
                path = f"item.content[{n}].type"
                return Problem("invalid_value", path, f"Invalid value: {path!r}.")
        return None

    def truncate(self, message: Mapping[str, Any]) -> Problem | None:
        """Forget what nobody heard; the words with it. :returns: why not, if not."""
        item, end_ms = self.find(message["item_id"]), message["audio_end_ms"]
        if item is None:
            return Problem("item_not_found", "item_id", "There is no such item.")
        if item.body.get("role") != "assistant" or message["content_index"] != 0:
            text = "Only model output audio messages can be truncated."
            return Problem("invalid_value", "item_id", text)
        if end_ms > item.sent_ms:
            text = (
                f"Audio content of {item.sent_ms}ms is already shorter than {end_ms}ms"
            )
            return Problem("invalid_value", "audio_end_ms", text)
        item.truncated_ms = end_ms
        for part in item.body["content"]:
            part.pop("transcript", None)
        return None
