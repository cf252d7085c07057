# -*- test-case-name: tests.outbox.test_export -*-
"""Performs ``export``: has a recording converted by a process of its own.

Converting computes for minutes, which no thread of a process with calls may do. What
the process does is :mod:`twistedvoice.recording.convert`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from ..interfaces import Errand
from ..recording.source import source_of
from .child import run_module

__all__ = ["Export"]

#: Four hours of Opus take five minutes of a core, and calls may leave little of it.
_MOST_SECONDS = 1800.0


class Export:
    """
    Exports recordings beside themselves, under their own name and another ending.

    :param reactor: starts the process, and times it.
    :param format: what to export to; also the ending.
    :param environ: the environment of the process.
    :param defer_to_thread: looks at files.
    """

    def __init__(
        self,
        reactor: Any,
        format: str,  # noqa: A002
        environ: Mapping[str, str],
        defer_to_thread: Callable[..., Deferred[Any]],
    ) -> None:
        self._reactor = reactor
        self._format = format
        self._environ = environ
        self._defer_to_thread = defer_to_thread

    def perform(self, errand: Errand) -> Deferred[Mapping[str, object]]:
        """
        Implement :data:`~twistedvoice.interfaces.Performer`.

        :returns: fires with ``path``, ``format`` and ``bytes`` of the new file.
        """
        return Deferred.fromCoroutine(self._perform(errand))

    async def _perform(self, errand: Errand) -> Mapping[str, object]:
        source = await self._defer_to_thread(source_of, errand)
        target = source.with_suffix(f".{self._format}")
        await run_module(
            self._reactor,
            "twistedvoice.recording.convert",
            str(source),
            str(target),
            environ=self._environ,
            seconds=_MOST_SECONDS,
            called="the export",
        )
        size = await self._defer_to_thread(os.path.getsize, target)
        return {"path": str(target), "format": self._format, "bytes": size}
