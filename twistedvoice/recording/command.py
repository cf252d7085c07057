# -*- test-case-name: tests.recording.test_command -*-
"""``twistedvoice recordings``: what people do with a folder of recordings.

Turns words into work and its outcome into sentences and an exit status. It needs no
running service and no configuration, and harms none that runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .recovery import outcomes
from .seal import read_key
from .sidecar import read_lines

__all__ = ["recordings"]


def recordings(words: Sequence[str]) -> int:
    """
    Run one command of the group.

    :returns: the exit status: 1 when something could not be finished.
    :raises ConfigError: when the file of a key holds none.
    """
    said = _parser().parse_args(words)
    key = said.key_file and read_key(said.key_file)
    return _recover(said.folder, key, as_json=said.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("twistedvoice recordings")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    recover = commands.add_parser(
        "recover",
        help="finish the recordings that a crash left",
        description="Finish the recordings that a killed process or a power cut left."
        " What a running service writes is left alone.",
    )
    recover.add_argument("folder", metavar="DIR", type=_folder)
    recover.add_argument(
        "--key-file",
        metavar="FILE",
        type=Path,
        help="seal them with the key in this file, as recording.key_file names it",
    )
    recover.add_argument(
        "--json", action="store_true", help="one line of JSON for each"
    )
    return parser


def _recover(folder: Path, key: bytes | None, *, as_json: bool) -> int:
    failed = finished = 0
    for part, outcome in outcomes(folder, key):
        if isinstance(outcome, Path):
            finished += 1
            _tell({"path": str(outcome), **_facts(outcome)}, as_json=as_json)
        else:
            failed += 1
            _tell({"path": str(part), "error": str(outcome)}, as_json=as_json)
    if not as_json:
        sys.stdout.write(f"{finished} finished, {failed} could not be\n")
    return 1 if failed else 0


def _facts(path: Path) -> dict[str, object]:
    """:returns: what a sidecar says of a recording as a whole."""
    lines = read_lines(path.with_suffix(".jsonl"))
    return {
        "duration_ms": lines[-1]["at"],
        "damaged": sum(line["kind"] == "damaged" for line in lines),
    }


def _tell(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(facts) + "\n")
    elif "error" in facts:
        sys.stdout.write(f"{facts['path']}: {facts['error']}\n")
    else:
        seconds, damaged = facts["duration_ms"], facts["damaged"]
        assert isinstance(seconds, int | float)
        worse = f", {damaged} damaged seconds are silence" if damaged else ""
        sys.stdout.write(f"{facts['path']}: {seconds / 1000:.1f} s{worse}\n")


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return path
