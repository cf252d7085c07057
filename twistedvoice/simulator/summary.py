# -*- test-case-name: tests.simulator.test_summary -*-
"""What a person sees of ``call`` and ``demo``: a bar while it goes on, then a summary.

Printed with rich (extra ``demo``) on the console that is given. Where no person looks,
because the output is no terminal, there is no bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from .align import Match
from .dialogue import meanings_in, turns
from .files import CONTENTS
from .journal import Journal
from .verdict import Verdict

__all__ = ["progress", "summary", "turns_table"]

_COLOURS = {0: "green", 1: "red", 3: "yellow"}
_HEADLINES = {
    0: "✔ All right",
    1: "✘ Something is wrong",
    3: "✔ Right, but this machine was late",
}
#: What the bar says of the last of these that happened.
_DOING = {
    "started": "listening",
    "speech_started": "listening",
    "saying": "speaking",
    "digit": "pressing keys",
    "clear": "interrupted it",
    "stopped": "hanging up",
    "closed": "hung up",
}


@contextmanager
def progress(
    console: Console, seconds: float | None
) -> Iterator[Callable[[Journal], object]]:
    """
    Show a bar while a call goes on; it goes away at the end.

    :param seconds: how long the call will probably last, if that is known.
    :returns: what ``place_call`` wants as its ``progress``.
    """
    if not console.is_terminal:
        yield lambda journal: None
        return
    # Redrawn once a second by the call itself: a thread that draws would steal time
    # from the frames.
    columns = (TextColumn("☎ {task.description:16}"), BarColumn(40))
    end = TextColumn("{task.completed:3.0f} s")
    with Progress(
        *columns, end, console=console, transient=True, auto_refresh=False
    ) as bar:
        task = bar.add_task("ringing", total=seconds)
        yield lambda journal: bar.update(
            task,
            completed=journal.duration_ms / 1000,
            description=_doing(journal),
            refresh=True,
        )


def summary(
    *,
    journal: Journal,
    figures: Mapping[str, Any],
    verdict: Verdict,
    matches: Mapping[str, Match],
    files: Sequence[Path],
) -> Panel:
    """
    Sum a call up.

    :param matches: by side, how the recorded tracks match; empty when not compared.
    :param files: what the call left behind.
    """
    code = verdict.exit_code
    colour = _COLOURS[code]
    tables = (
        _table([*_call_rows(journal, figures), *_track_rows(matches)]),
        _table((CONTENTS[path.name], str(path)) for path in files),
    )
    parts: list[RenderableType] = [table for table in tables if table.row_count]
    parts += [Text(f"✘ {problem}", style="red") for problem in verdict.problems]
    return Panel(
        Group(*_spaced(parts)),
        title=Text(_HEADLINES[code], style=f"bold {colour}"),
        title_align="left",
        border_style=colour,
        padding=(1, 2),
        width=88,
    )


def turns_table(journal: Journal, log: Sequence[str]) -> Table:
    """:returns: what was said in a dialogue, what it was taken for, and how fast."""
    table = Table("caller said", "understood as", "answer sent", "answer heard")
    for turn, meaning in zip_longest(turns(journal), meanings_in(log)):
        if turn is None:
            table.add_row("", meaning)
        else:
            times = _ms(turn.answered_ms), _ms(turn.heard_ms)
            table.add_row(turn.name, meaning or "nothing", *times)
    return table


def _doing(journal: Journal) -> str:
    kinds = (event.kind for event in reversed(journal.happenings))
    return next((_DOING[kind] for kind in kinds if kind in _DOING), "ringing")


def _call_rows(
    journal: Journal, figures: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    outcome = str(figures["outcome"]).replace("_", " ")
    yield "call", f"{outcome}, {figures['duration_ms'] / 1000:.1f} s"
    yield "first audio", f"{_ms(figures['first_audio_ms'])} after the stream started"
    yield "answers", _answers(figures)
    yield "silence", _silence(figures["cut_ms"])
    yield (
        "frames of 20 ms",
        f"{figures['frames_sent']} sent, {figures['frames_heard']} heard",
    )
    yield "frame to frame", _spread(figures["gap_ms"])
    yield "underruns", _underruns(figures)
    yield "caller heard", _heard(journal, figures)


def _answers(figures: Mapping[str, Any]) -> str:
    waited = figures["answer_ms"]
    if waited["max"] is None:
        return "nothing to measure"
    return (
        f"{len(figures['turns'])}, heard {_ms(waited['p50'])} after the caller was done"
        f" (median), {_ms(waited['max'])} at most"
    )


def _silence(cuts: Mapping[str, float | None]) -> str:
    if cuts["max"] is None:
        return "the caller cut nothing off"
    return (
        f"{_ms(cuts['p50'])} after a key or a word (median), {_ms(cuts['max'])} at most"
    )


def _spread(gaps: Mapping[str, float | None]) -> str:
    if gaps["max"] is None:
        return "nothing to measure"
    return (
        f"{_ms(gaps['p50'])} median, {_ms(gaps['p99'])} for 99 in 100,"
        f" {_ms(gaps['max'])} at most"
    )


def _underruns(figures: Mapping[str, Any]) -> str:
    if not figures["underruns"]:
        return "none"
    return f"{figures['underruns']}, the longest {_ms(figures['heard_gap_ms_max'])}"


def _heard(journal: Journal, figures: Mapping[str, Any]) -> str:
    phrases = sum(event.kind == "speech_started" for event in journal.happenings)
    return (
        f"speech {phrases} times; marks: {figures['marks']},"
        f" clears: {figures['clears']}"
    )


def _track_rows(matches: Mapping[str, Match]) -> Iterator[tuple[str, str]]:
    for side, found in matches.items():
        sign = "✔" if found.right else "✘"
        yield (
            f"{side}'s track",
            f"{sign} matches at {found.correlation:.3f}, {_shift(found.shift_ms)}",
        )


def _shift(shift_ms: float) -> str:
    if abs(shift_ms) < 1:
        return "at the same time"
    side = "after" if shift_ms > 0 else "before"
    return f"{abs(shift_ms):.0f} ms {side} the line"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table


def _spaced(parts: Sequence[RenderableType]) -> list[RenderableType]:
    """:returns: ``parts`` with an empty line between each two."""
    spaced: list[RenderableType] = []
    for part in parts:
        spaced += [Text(), part] if spaced else [part]
    return spaced
