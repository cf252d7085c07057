# -*- test-case-name: tests.recording.test_todo -*-
"""The mark on a finished recording for which nothing was posted yet.

Beside ``<name>.wav`` or ``.vault`` lies ``<name>.todo``, with the first and the last
line of the sidecar. It is there before the recording has its name, whoever finishes it,
and goes when what is to be done is in the store. So no recording is forgotten, wherever
a process dies. Everything here blocks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .sidecar import Line, read_lines, write_lines
from .vault import SOUND_SUFFIXES

__all__ = ["MARK_SUFFIX", "Finished", "left", "mark", "read", "tick_off"]

#: What the name of a mark ends with.
MARK_SUFFIX = ".todo"
#: The lines that it has, first and last.
_KINDS = frozenset({"recording", "end"})


class Finished(NamedTuple):
    """A finished recording, as its mark tells of it."""

    path: Path
    session_id: str
    call_id: str
    #: Seconds since the epoch, None when a crash took that.
    started_at: float | None
    #: When the recording was finished.
    finished_at: float
    duration_ms: float
    degraded: bool


def mark(final: Path, told: Iterable[Line], *, sync: bool) -> None:
    """
    Mark the recording that will be at ``final``.

    :param told: the lines of its sidecar.
    :raises OSError: when the disk says no.
    """
    lines = [line for line in told if line["kind"] in _KINDS]
    write_lines(_mark_of(final), lines, sync=sync)


def left(folder: Path) -> list[Path]:
    """:returns: the finished recordings in ``folder`` that are marked."""
    marks = [
        Path(parent, name)
        # Much faster than a glob, where there are many.
        for parent, _, names in os.walk(folder)
        for name in names
        # What is no text was named by nobody of ours, and would not fit a store.
        if name.endswith(MARK_SUFFIX) and name.isprintable()
    ]
    finals = [
        mark.with_suffix(suffix) for mark in sorted(marks) for suffix in SOUND_SUFFIXES
    ]
    # One without a recording waits for its recovery.
    return [final for final in finals if final.exists()]


def read(final: Path) -> Finished | None:
    """
    Read the mark on a recording.

    :returns: None when there is none: somebody else ticked it off.
    :raises OSError: when it cannot be read.
    """
    lines = read_lines(_mark_of(final))
    try:
        finished_at = _mark_of(final).stat().st_mtime
    except FileNotFoundError:
        return None
    head: dict[str, Any] = _line("recording", lines)
    end = _line("end", lines)
    return Finished(
        path=final,
        session_id=_text(head.get("session_id")) or final.stem,
        call_id=_text(head.get("call_id")),
        started_at=_time(head.get("started_at")),
        finished_at=finished_at,
        duration_ms=_time(end.get("at")) or 0,
        degraded=end.get("degraded") is not False,
    )


def tick_off(final: Path) -> None:
    """Take the mark away; idempotent."""
    _mark_of(final).unlink(missing_ok=True)


def _text(value: object) -> str:
    """:returns: nothing for what no store could keep."""
    return value if isinstance(value, str) and value.isprintable() else ""


def _time(value: object) -> float | None:
    return value if isinstance(value, int | float) and 0 <= value < 1e11 else None


def _line(kind: str, lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return next((line for line in lines if line["kind"] == kind), {})


def _mark_of(final: Path) -> Path:
    return final.with_suffix(MARK_SUFFIX)
