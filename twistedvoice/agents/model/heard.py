# -*- test-case-name: tests.agents.model.test_heard -*-
"""What the caller says, until it is known as text.

Words come in pieces, later than the sound, and some never come. A line begins when the
caller did.
"""

from __future__ import annotations

from attrs import define, field

from .memory import Line

__all__ = ["Heard"]


@define
class _Item:
    at_ms: int
    text: str = field(default="", repr=False)

    def line(self) -> Line:
        return Line(who="caller", text=self.text.strip(), at_ms=self.at_ms)


class Heard:
    """What one caller has begun to say, by item."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}

    def began(self, item_id: str, at_ms: int) -> None:
        """The caller speaks."""
        item = self._items.setdefault(item_id, _Item(at_ms))
        if not item.text:
            item.at_ms = at_ms

    def came(self, item_id: str, text: str, at_ms: int) -> None:
        """Some words of an item are known; ``at_ms`` is now."""
        self._items.setdefault(item_id, _Item(at_ms)).text += text

    def ended(self, item_id: str) -> Line | None:
        """:returns: all of an item; None when there are no words in it."""
        item = self._items.pop(item_id, None)
        return item.line() if item is not None and item.text.strip() else None

    def rest(self) -> list[Line]:
        """:returns: what has words so far; no more comes of any."""
        lines = (self.ended(item_id) for item_id in list(self._items))
        return [line for line in lines if line is not None]
