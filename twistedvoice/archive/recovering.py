# -*- test-case-name: tests.archive.test_recovering -*-
"""``recordings recover``: finishes what a killed process or a power cut left."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..recording.recovery import outcomes
from ..recording.seal import read_key
from ..recording.sidecar import read_lines, sidecar_path
from .arguments import (
    Commands,
    add_encryption_key_file,
    add_key_file,
    command,
    encryption_keys,
    folder,
)
from .screen import tell, watched

__all__ = ["add"]


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "recover",
        _run,
        short="finish the recordings that a crash left",
        more="What a running service writes is left alone.",
    )
    parser.add_argument("folder", metavar="DIR", type=folder)
    add_key_file(parser, "seal them with")
    add_encryption_key_file(parser)


def _run(said: argparse.Namespace) -> int:
    failed = finished = 0
    key = said.key_file and read_key(said.key_file)
    found = outcomes(said.folder, key, encryption_keys(said))
    for part, outcome in watched(found, "recovering"):
        facts = _facts(part, outcome)
        tell(facts, _words(facts), as_json=said.json)
        failed += "error" in facts
        finished += "error" not in facts
    if not said.json:
        sys.stdout.write(f"{finished} finished, {failed} could not be\n")
    return 1 if failed else 0


def _facts(part: Path, outcome: Path | Exception) -> dict[str, object]:
    """:returns: what a sidecar says of a recording as a whole."""
    if not isinstance(outcome, Path):
        return {"path": str(part), "error": str(outcome)}
    lines = read_lines(sidecar_path(outcome))
    return {
        "path": str(outcome),
        "duration_ms": lines[-1]["at"],
        "damaged": sum(line["kind"] == "damaged" for line in lines),
    }


def _words(facts: dict[str, object]) -> str:
    if "error" in facts:
        return f"{facts['path']}: {facts['error']}"
    duration_ms, damaged = facts["duration_ms"], facts["damaged"]
    assert isinstance(duration_ms, int | float)
    worse = f", {damaged} damaged seconds are silence" if damaged else ""
    return f"{facts['path']}: {duration_ms / 1000:.1f} s{worse}"
