# -*- test-case-name: tests.agents.cascade.test_history -*-
"""The conversation as the chat model is told of it, as far as it was heard.

What the agent says stands here from the moment that it is to be said, since the model
may be asked again before it was heard; it is cut when the caller cuts it off. It lasts
as long as the call, and goes into no log, no record and no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

__all__ = ["Exchange", "FunctionCall", "History", "Saying"]

_MOST_ENTRIES = 200
_MOST_CHARACTERS = 40_000
#: What stands in the place of a result that is not there yet.
_RUNNING = '{"state": "still running"}'


@frozen(kw_only=True)
class FunctionCall:
    """A function that the model calls."""

    id: str
    name: str
    #: JSON, as the model wrote it.
    arguments: str = field(repr=False)


@define(eq=False)
class Saying:
    """Something that one side says; ``text`` is cut to what was heard."""

    role: str
    text: str = field(repr=False)

    def __len__(self) -> int:
        return len(self.text)

    def messages(self) -> list[dict[str, Any]]:
        """:returns: it, as the API has it; nothing when nothing was heard."""
        return [{"role": self.role, "content": self.text}] if self.text else []


@define(eq=False)
class Exchange:
    """Functions that the model called in one go, and what came of each."""

    calls: Sequence[FunctionCall]
    results: dict[str, str] = field(factory=dict, repr=False)

    def __len__(self) -> int:
        sizes = (len(call.arguments) for call in self.calls)
        return sum(sizes) + sum(map(len, self.results.values()))

    def messages(self) -> list[dict[str, Any]]:
        """:returns: the calls and each result: the API wants all or none."""
        made = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in self.calls
        ]
        told = [
            {
                "role": "tool",
                "tool_call_id": call.id,
                "content": self.results.get(call.id, _RUNNING),
            }
            for call in self.calls
        ]
        return [{"role": "assistant", "content": None, "tool_calls": made}, *told]


class History:
    """The newest entries of one call."""

    def __init__(self) -> None:
        self._entries: list[Saying | Exchange] = []

    def add(self, role: str, text: str) -> Saying:
        """:returns: the new entry; ``role`` is ``user`` or ``assistant``."""
        saying = Saying(role, text)
        self._add(saying)
        return saying

    def call(self, calls: Sequence[FunctionCall]) -> Exchange:
        """:returns: the new entry, for the results to come."""
        exchange = Exchange(calls)
        self._add(exchange)
        return exchange

    def messages(self) -> list[dict[str, Any]]:
        """:returns: all of it, what one side said in a row as one message."""
        merged: list[dict[str, Any]] = []
        for entry in self._entries:
            for message in entry.messages():
                if not (merged and _joined(merged[-1], message)):
                    merged.append(message)
        return merged

    def _add(self, entry: Saying | Exchange) -> None:
        self._entries.append(entry)
        size = sum(map(len, self._entries))
        while len(self._entries) > _MOST_ENTRIES or size > _MOST_CHARACTERS:
            size -= len(self._entries.pop(0))


def _joined(last: dict[str, Any], message: Mapping[str, Any]) -> bool:
    """:returns: whether a message is of the same side as the last, and now in it."""
    if (
        last["role"] != message["role"]
        or "tool_calls" in last
        or last["role"] == "tool"
    ):
        return False
    if "tool_calls" in message:
        last["tool_calls"] = message["tool_calls"]
    else:
        last["content"] += " " + message["content"]
    return True
