# -*- test-case-name: tests.archive.test_listing -*-
"""``recordings list``: which recordings there are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from ..table import Table, show
from .arguments import Commands, command, folder
from .catalog import Entry, scan
from .find import default_folder
from .screen import tell, watched
from .words import clock, moment, several, size_told, time_told

__all__ = ["add", "facts"]

_COLOURS = {"degraded": "red", "left": "yellow", "writing": "cyan"}


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "list",
        _run,
        short="say which recordings there are, the oldest first",
        more="Times are in UTC; those given too, unless they say otherwise.",
    )
    parser.add_argument(
        "folder", metavar="DIR", type=folder, nargs="?", default=default_folder()
    )
    for name, which in (("since", "then or later"), ("until", "before")):
        parser.add_argument(
            f"--{name}",
            metavar="TIME",
            type=lambda text: moment(text, wall()),
            help=f"calls that began {which}: 2026-11-20, 2026-11-20T09:30, or 7d"
            " for seven days ago",
        )
    parser.add_argument(
        "--session", metavar="ID", default="", help="sessions that begin so"
    )
    parser.add_argument(
        "--degraded",
        action="store_true",
        help="those of which sound is missing by a fault",
    )


def facts(entry: Entry) -> Mapping[str, object]:
    """:returns: what programs are told of a recording."""
    return {
        "session_id": entry.session_id,
        "call_id": entry.head.get("call_id"),
        "path": str(entry.path),
        "state": entry.state,
        "started_at": entry.started_at,
        "duration_ms": entry.duration_ms,
        "why": entry.why,
        "degraded": entry.degraded,
        "sidecar": entry.files.sidecar is not None,
        "to_do": entry.files.is_waited_for,
        "bytes": entry.size,
    }


def _run(said: argparse.Namespace) -> int:
    entries = watched(scan(said.folder), "reading")
    found = sorted((each for each in entries if _fits(each, said)), key=_began)
    if said.json:
        for entry in found:
            tell(facts(entry), "", as_json=True)
        return 0
    if found:
        show(_table(found, str(said.folder)))
    length = clock(sum(entry.duration_ms or 0 for entry in found))
    total = size_told(sum(entry.size for entry in found))
    sys.stdout.write(f"{several(len(found), 'recording')}, {length}, {total}\n")
    return 0


def _began(entry: Entry) -> float:
    return entry.started_at


def _fits(entry: Entry, said: argparse.Namespace) -> bool:
    return (
        (said.since is None or entry.started_at >= said.since)
        and (said.until is None or entry.started_at < said.until)
        and entry.session_id.startswith(said.session)
        and (entry.degraded is True or not said.degraded)
    )


def _table(entries: list[Entry], title: str) -> Table:
    return Table(
        title=title,
        columns=("began", "session", "length", "size", "state"),
        rows=tuple(
            (
                time_told(entry.started_at),
                entry.session_id,
                "?" if entry.duration_ms is None else clock(entry.duration_ms),
                size_told(entry.size),
                _state(entry),
            )
            for entry in entries
        ),
        colours=_COLOURS,
    )


def _state(entry: Entry) -> str:
    if entry.state != "finished":
        return entry.state
    if entry.files.sidecar is None:
        return "no sidecar"
    return "degraded" if entry.degraded else str(entry.why or "no end")
