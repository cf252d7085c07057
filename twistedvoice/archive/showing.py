# -*- test-case-name: tests.archive.test_showing -*-
"""``recordings show``: what happened in one recording, in words or as a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from attrs import asdict

from ..errors import ArchiveError
from ..recording.sidecar import Line
from ..recording.vault import fitting_key
from ..table import Table, printable, show
from .arguments import Commands, add_encryption_key_file, command, encryption_keys
from .find import default_folder, recording_named
from .listing import facts
from .screen import tell
from .speech import Level
from .story import Story, read_story
from .words import clock, precise, several, size_told, time_told

__all__ = ["add"]

_COLOURS = {"clear": "magenta", "lost": "red", "damaged": "red", "gap": "yellow"}


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "show",
        _run,
        short="say what happened in one recording",
        more="Nothing that was said or pressed is told.",
    )
    parser.add_argument("recording", metavar="ID|PATH")
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        default=default_folder(),
        help="where ids are looked for; by default $TWISTEDVOICE_RECORDINGS",
    )
    add_encryption_key_file(parser)
    parser.add_argument("--picture", metavar="FILE.png", help="draw it, too")


def _run(said: argparse.Namespace) -> int:
    entry = recording_named(said.recording, said.folder)
    story = read_story(entry, fitting_key(entry.path, encryption_keys(said)))
    if said.picture:
        _draw(story, said.picture)
    if said.json:
        tell(_facts(story), "", as_json=True)
        return 0
    for what, words in _summary(story):
        sys.stdout.write(f"{what:10} {printable(words)}\n")
    if story.lines:
        show(_timeline(story))
    if said.picture:
        sys.stdout.write(f"drawn in {said.picture}\n")
    return 0


def _draw(story: Story, path: str) -> None:
    if find_spec("matplotlib") is None:
        raise ArchiveError(
            "a picture needs matplotlib: pip install 'twistedvoice[plot]'"
        )
    from .picture import draw

    draw(story, path)


def _facts(story: Story) -> Mapping[str, object]:
    return {
        **facts(story.entry),
        "duration_ms": story.duration_ms,
        "caller": asdict(story.caller.level),
        "service": asdict(story.service.level),
        "turns": [{"at": each.ended_ms, "ms": each.latency_ms} for each in story.turns],
        "barge_ins": [
            {"at": each.began_ms, "ms": each.latency_ms} for each in story.barge_ins
        ],
        "lines": story.lines,
    }


def _summary(story: Story) -> Iterator[tuple[str, str]]:
    entry = story.entry
    yield "session", entry.session_id
    yield "file", f"{entry.path}, {size_told(entry.size)} with all beside it"
    yield "began", f"{time_told(entry.started_at)} UTC"
    worse = ", degraded" if entry.degraded else ""
    yield "length", f"{clock(story.duration_ms)}, {entry.why or entry.state}{worse}"
    yield "caller", _level(story.caller.level)
    yield "service", _level(story.service.level)
    yield "turns", _turns(story)


def _level(level: Level) -> str:
    if level.peak_db is None:
        return "silent"
    said = "no speech"
    if level.speech_db is not None:
        said = f"{clock(level.speech_ms)} of speech at {level.speech_db:.0f} dB"
    return f"{said}, peak {level.peak_db:.0f} dB"


def _turns(story: Story) -> str:
    cut = several(len(story.barge_ins), "barge-in")
    if story.latency_ms is None:
        return f"no answers to the caller, {cut}"
    longest = max(turn.latency_ms for turn in story.turns)
    answers = several(len(story.turns), "answer")
    return (
        f"{answers} after {story.latency_ms:.0f} ms (median),"
        f" {longest:.0f} ms at most; {cut}"
    )


def _timeline(story: Story) -> Table:
    return Table(
        title="What the sidecar says",
        columns=("at", "what", ""),
        rows=tuple(
            (precise(line["at"]), str(line["kind"]), _details(line))
            for line in story.lines
        ),
        colours=_COLOURS,
    )


def _details(line: Line) -> str:
    """:returns: what else a line says, the lengths first."""
    if "until" in line:
        length = (line["until"] - line["at"]) / 1000
        return f"{line.get('outcome')}, {length:.1f} s"
    lengths = {"ms": "{:.0f} ms", "by": "by {:+.0f} ms"}
    told = [form.format(line[key]) for key, form in lengths.items() if key in line]
    told += [str(line[key]) for key in ("side", "why") if key in line]
    return ", ".join(told)
