# -*- test-case-name: tests.outbox.test_command -*-
"""``twistedvoice outbox``: what people do with errands that are still to be done.

Turns words into requests to the store, and what it answers into lines and an exit
status. It works beside a service that runs, which finds what changed at its next look.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from attrs import asdict
from twisted.internet.defer import Deferred

from ..errands import ErrandState, ErrandStore, KeptErrand
from ..table import Table, show

__all__ = ["outbox"]

_MOST_LISTED = 100_000
_COLUMNS = ("id", "state", "begun", "next", "last error")
_COLOURS = {"parked": "red", "at work": "cyan"}


def outbox(
    words: Sequence[str],
    open_store: Callable[[Path], ErrandStore],
    wall: Callable[[], float],
) -> Deferred[int]:
    """
    Run one command of the group.

    :param wall: seconds since the epoch.
    :returns: fires with the exit status: 1 when there was no such errand.
    :raises StoreError: through the Deferred.
    """
    said = _parser().parse_args(words)
    return Deferred.fromCoroutine(said.work(said, open_store(said.store), wall()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("twistedvoice outbox")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument(
        "--store", metavar="FILE", type=_file, required=True, help="the service's store"
    )
    listing = commands.add_parser(
        "list", parents=[every], help="show what is still to be done after calls"
    )
    listing.add_argument("--parked", action="store_true", help="only what is parked")
    listing.add_argument(
        "--json", action="store_true", help="one line of JSON for each"
    )
    listing.set_defaults(work=_list)
    retry = commands.add_parser(
        "retry", parents=[every], help="have what is parked, or waits, tried now"
    )
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("id", metavar="ID", nargs="?")
    which.add_argument("--all", action="store_true", help="all of these")
    retry.set_defaults(work=_retry)
    drop = commands.add_parser(
        "drop", parents=[every], help="forget an errand, and what waits for it"
    )
    drop.add_argument("id", metavar="ID")
    drop.set_defaults(work=_drop)
    return parser


async def _list(said: argparse.Namespace, store: ErrandStore, now: float) -> int:
    state: ErrandState | None = "parked" if said.parked else None
    kept = await store.errands(state=state, limit=_MOST_LISTED)
    if said.json:
        sys.stdout.writelines(f"{_as_json(each)}\n" for each in kept)
    else:
        rows = tuple(_row(each, now) for each in kept)
        title = "What is still to be done"
        show(Table(title=title, columns=_COLUMNS, rows=rows, colours=_COLOURS))
    return 0


async def _retry(said: argparse.Namespace, store: ErrandStore, now: float) -> int:
    ids = None if said.all else [said.id]
    return _tell("tried again", await store.retry_errands(ids, now=now), said)


async def _drop(said: argparse.Namespace, store: ErrandStore, now: float) -> int:
    return _tell("dropped", await store.drop_errand(said.id), said)


def _tell(what: str, ids: Sequence[str], said: argparse.Namespace) -> int:
    for errand_id in ids:
        sys.stdout.write(f"{errand_id}: {what}\n")
    if ids or said.id is None:
        return 0
    sys.stderr.write(f"{said.id}: there is none that could be {what}\n")
    return 1


def _as_json(kept: KeptErrand) -> str:
    facts = asdict(kept)
    errand = facts.pop("errand")
    # Found is what it gets when it is begun.
    errand.pop("found")
    return json.dumps(errand | facts)


def _row(kept: KeptErrand, now: float) -> tuple[str, ...]:
    errand = kept.errand
    return (errand.id, *_state(kept, now), kept.reason)


def _state(kept: KeptErrand, now: float) -> tuple[str, str, str]:
    """:returns: its state, how often it was begun, and when it is the next time."""
    begun = str(kept.errand.attempts)
    if kept.state == "blocked":
        return kept.state, begun, f"after {kept.errand.after}"
    if kept.state == "parked":
        return kept.state, begun, "when retried"
    if kept.holder and kept.due_at > now:
        return "at work", begun, f"by {kept.holder}"
    if kept.due_at <= now:
        return kept.state, begun, "now"
    due = datetime.fromtimestamp(kept.due_at).astimezone()
    return kept.state, begun, f"{due:%Y-%m-%d %H:%M:%S}"


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is no file")
    return path
