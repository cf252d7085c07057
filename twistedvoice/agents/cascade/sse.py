# -*- test-case-name: tests.agents.cascade.test_sse -*-
"""Server-sent events out of a stream of bytes, cut anywhere.

Only what a chat needs: the data of each event. Names, ids and comments are dropped. No
I/O, and nothing is known of what the data mean.
"""

from __future__ import annotations

import codecs

__all__ = ["EventStream"]


class EventStream:
    """One stream; an event counts once the empty line after it has come."""

    def __init__(self) -> None:
        # What is no UTF-8 becomes a mark, as browsers have it.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line = ""
        self._data: list[str] = []
        #: The last piece ended in CR: a LF that follows belongs to it.
        self._after_cr = False

    def feed(self, piece: bytes) -> list[str]:
        """:returns: the data of each event that ``piece`` completes."""
        text = self._decoder.decode(piece)
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        events = []
        for line in lines:
            whole, self._line = self._line + line, ""
            event = self._take(whole)
            if event is not None:
                events.append(event)
        self._line += rest
        return events

    def _take(self, line: str) -> str | None:
        """:returns: the data of the event that an empty line ends, if it has any."""
        if line:
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            return None
        data, self._data = self._data, []
        return "\n".join(data) if data else None
