# -*- test-case-name: tests.archive.test_verifying -*-
"""``recordings verify``: whether recordings are what was recorded."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ..errors import EncryptionError
from ..recording.seal import read_key
from ..recording.vault import fitting_key
from ..table import printable
from .arguments import (
    Commands,
    add_encryption_key_file,
    add_key_file,
    command,
    encryption_keys,
)
from .catalog import Entry
from .chains import chains_in
from .find import recordings_at
from .screen import tell, watched
from .verify import verify
from .words import several

__all__ = ["add"]

#: Those that are explained; the others are only counted.
_TOLD = frozenset({"changed", "unchecked", "unreadable"})
#: What is not as it should be; and what is not, for whom has the key.
_WRONG = frozenset({"changed", "unreadable"})
_UNPROVEN = frozenset({"unkeyed", "unchecked"})
_STATES = {"writing": "being written", "left": "to be recovered"}


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "verify",
        _run,
        short="say whether recordings are what was recorded",
        more="The exit status is 1 when one was changed, or cannot be read; with a key"
        " also when one is not proven by it.",
    )
    parser.add_argument("paths", metavar="DIR|PATH", type=Path, nargs="+")
    add_key_file(parser, "check seals with")
    add_encryption_key_file(parser)
    parser.add_argument(
        "--cdr",
        metavar="FILE",
        type=Path,
        help="hold them against the records of their calls in this file, too",
    )


def _run(said: argparse.Namespace) -> int:
    key = said.key_file and read_key(said.key_file)
    secrets = encryption_keys(said)
    chains = chains_in(said.cdr) if said.cdr else {}
    wrong = _WRONG | _UNPROVEN if key else _WRONG
    check = partial(_facts, key=key, chains=chains, encryption_keys=secrets)
    entries = list(watched(recordings_at(said.paths), "looking"))
    states = Counter[str]()
    for entry in watched(entries, "verifying", len(entries)):
        finished = entry.state == "finished"
        facts = check(entry) if finished else _unfinished(entry)
        states[str(facts["state"])] += 1
        if said.json:
            tell(facts, "", as_json=True)
        elif facts["state"] in _TOLD | wrong:
            _explain(facts)
    if not said.json:
        sys.stdout.write(", ".join(_counted(states)) + "\n")
    return 1 if wrong & states.keys() else 0


def _facts(
    entry: Entry,
    *,
    key: bytes | None,
    chains: Mapping[str, str],
    encryption_keys: Sequence[bytes],
) -> Mapping[str, object]:
    path = entry.path
    # By its name: what the sidecar says may be another's.
    chain = chains.get(path.stem)
    try:
        secret = fitting_key(path, encryption_keys)
        verdict = verify(path, key, chain=chain, encryption_key=secret)
    except (OSError, EncryptionError) as error:
        return {"path": str(path), "state": "unreadable", "problems": [str(error)]}
    return {
        "path": str(path),
        "session_id": verdict.session_id,
        "state": verdict.state,
        "problems": list(verdict.problems),
    }


def _unfinished(entry: Entry) -> Mapping[str, object]:
    return {"path": str(entry.path), "state": entry.state, "problems": []}


def _explain(facts: Mapping[str, object]) -> None:
    sys.stdout.write(printable(f"{facts['path']}: {facts['state']}") + "\n")
    problems = facts["problems"]
    assert isinstance(problems, list)
    for problem in problems:
        sys.stdout.write(f"    {printable(problem)}\n")


def _counted(states: Counter[str]) -> Iterator[str]:
    yield several(states.total(), "recording")
    for state, count in states.most_common():
        yield f"{count} {_STATES.get(state, state)}"
