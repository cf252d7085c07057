# -*- test-case-name: tests.agents.model.test_memory -*-
"""What was said in a call, as text, as far as it was heard.

It is kept for as long as the call lasts: a new session is told of it. It goes into no
log, no record and no file; an agent's author may listen
(:meth:`~.remote.RemoteAgent.transcribed`).
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

__all__ = ["Line", "Memory"]

_MOST_LINES = 200
_MOST_CHARACTERS = 20_000


@frozen(kw_only=True)
class Line:
    """Something that one side said."""

    who: Literal["caller", "agent"]
    #: Of the agent's, what the caller heard of it.
    text: str = field(repr=False)
    #: When it began, in milliseconds since the call did.
    at_ms: int


class Memory:
    """The newest lines of one call."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def add(self, line: Line) -> None:
        """Remember a line; they need not come in order."""
        self._lines.append(line)
        self._lines.sort(key=lambda each: each.at_ms)
        size = sum(len(each.text) for each in self._lines)
        while len(self._lines) > _MOST_LINES or size > _MOST_CHARACTERS:
            size -= len(self._lines.pop(0).text)

    def lines(self) -> list[Line]:
        """:returns: what is remembered, in the order in which it was said."""
        return list(self._lines)
