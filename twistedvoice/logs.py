# -*- test-case-name: tests.test_logs -*-
"""Where log events go: lines of text or of JSON, and from which level on.

``tap`` makes the one :class:`LogOutput` of a process. :func:`masked` is for the places
where a phone number must appear: everything that logs one, logs it through that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    jsonFileLogObserver,
    textFileLogObserver,
)
from zope.interface import implementer, provider

__all__ = ["LogOutput", "masked"]


@implementer(ILogObserver)
class LogOutput:
    """Writes every event from a level on, as one line."""

    def __init__(self, out: TextIO, *, format: Literal["text", "json"]) -> None:  # noqa: A002
        """
        :param format: ``text`` for people; ``json`` for one object a line.
        """
        lines = (
            _with_message(jsonFileLogObserver(out, recordSeparator=""))
            if format == "json"
            else textFileLogObserver(out)
        )
        self._levels = LogLevelFilterPredicate()
        self._observer = FilteringLogObserver(lines, [self._levels])

    def set_level(self, name: str) -> None:
        """
        Drop what is below this level from now on.

        :param name: debug, info, warn, error or critical.
        """
        level = LogLevel.levelWithName(name)
        self._levels.setLogLevelForNamespace("", level)
        # Each connection of Twisted's HTTP client is news to it.
        quiet = max(level, LogLevel.warn)
        self._levels.setLogLevelForNamespace("twisted.web.client", quiet)
        # It warns of each bad handshake, with whatever a stranger wrote in it.
        strict = max(level, LogLevel.error)
        self._levels.setLogLevelForNamespace("autobahn", strict)

    def __call__(self, event: LogEvent) -> None:
        """Write ``event``, or drop it."""
        self._observer(event)


def _with_message(observer: Callable[[LogEvent], object]) -> Any:
    """:returns: ``observer``, which also gets the text that a person would read."""

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        observer({**event, "message": formatEvent(event)})

    return observe


def masked(number: str) -> str:
    """
    Hide enough of a phone number to tell no one whom to call.

    :returns: ``+1555***1234`` for a whole number, ``***34`` for a shorter one.
    """
    if len(number) < 12:
        return "***" + number[-2:] if len(number) > 4 else "***"
    return f"{number[:5]}***{number[-4:]}"
