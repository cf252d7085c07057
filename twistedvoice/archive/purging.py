# -*- test-case-name: tests.archive.test_purging -*-
"""``recordings purge``: removes what is too old, or too much."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from ..errors import ArchiveError
from .arguments import Commands, command, folder
from .listing import facts
from .purge import Limits, Removal, Step, purge
from .screen import tell, watched
from .words import age, several, size, size_told, time_told

__all__ = ["add"]


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "purge",
        lambda said: _run(said, wall()),
        short="remove recordings that are too old, or too many, with all beside them",
        more="Only those in folders as 2026/11/20 count; what is being written, is to"
        " be recovered or is still to be handed on stays.",
    )
    parser.add_argument("folder", metavar="DIR", type=folder)
    parser.add_argument(
        "--older-than", metavar="AGE", type=age, help="12h, 30d or 4w, from the start"
    )
    parser.add_argument(
        "--larger-than",
        metavar="SIZE",
        type=size,
        help="the oldest, until all together are no more than this: 50GB",
    )
    parser.add_argument("--keep", metavar="N", type=_count, help="all but the N newest")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be removed"
    )


def _run(said: argparse.Namespace, now: float) -> int:
    limits = Limits(
        seconds=said.older_than, size=said.larger_than, recordings=said.keep
    )
    if limits.are_none:
        raise ArchiveError("give --older-than, --larger-than or --keep")
    work = purge(said.folder, limits, now=now, dry=said.dry_run)
    removed = freed = failed = 0
    for removal in watched(work, "looking"):
        if isinstance(removal, Step):
            continue
        _tell(removal, said)
        if removal.error is None:
            removed += 1
            freed += removal.entry.size
        else:
            failed += 1
    if not said.json:
        done = "would be removed" if said.dry_run else "removed"
        worse = f"; {failed} could not be" if failed else ""
        sys.stdout.write(
            f"{several(removed, 'recording')} {done}, {size_told(freed)}{worse}\n"
        )
    return 1 if failed else 0


def _tell(removal: Removal, said: argparse.Namespace) -> None:
    entry, error = removal.entry, removal.error
    told = {**facts(entry), "removed": error is None and not said.dry_run}
    words = f"{time_told(entry.started_at)}  {entry.path}"
    if error is not None:
        told["error"] = str(error)
        words = f"{entry.path}: {error.strerror}"
    tell(told, words, as_json=said.json)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of recordings")
    return int(text)
