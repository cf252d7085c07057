# -*- test-case-name: tests.simulator.test_moments -*-
"""What of a call deserves a label, and which words.

Reads the journal's happenings for the picture of the call: those of the caller stand
with the caller's sound, those of the service with what the caller heard. It knows
nothing of drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ..drawing.moment import Moment
from .journal import Happening, Journal

__all__ = ["of_answers", "of_caller", "of_service"]

_MOST_LETTERS = 22


def of_caller(journal: Journal) -> list[Moment]:
    """:returns: what the caller did, in order."""
    return sorted(_caller_moments(journal), key=_time)


def of_service(journal: Journal) -> list[Moment]:
    """:returns: what the service did and what came of it, in order."""
    holes = (
        Moment(at_ms, f"underrun {length_ms:.0f} ms", "wrong")
        for at_ms, length_ms in journal.underruns
    )
    return sorted([*_service_moments(journal), *holes], key=_time)


def of_answers(turns: Sequence[Mapping[str, Any]]) -> list[Moment]:
    """:returns: for each of the report's ``turns`` how late the ear had the answer."""
    return [
        Moment(turn["done_ms"] + turn["heard_ms"], f"{turn['heard_ms']:.0f} ms")
        for turn in turns
    ]


def _time(moment: Moment) -> float:
    return moment.at_ms


def _caller_moments(journal: Journal) -> Iterator[Moment]:
    for event in journal.happenings:
        match event.kind:
            case "saying":
                name = PurePath(event.detail).stem.removeprefix("caller_")
                yield Moment(
                    event.at_ms, f"says “{_short(name)}”" if name else "speaks"
                )
            case "digit":
                yield Moment(event.at_ms, f"key {event.detail}")
            case "interrupting":
                yield Moment(event.at_ms, "interrupts", "sharp")
            case "gave_up":
                yield Moment(event.at_ms, f"waited for {event.detail}", "wrong")
            case "stopped":
                yield Moment(event.at_ms, "hangs up")


def _service_moments(journal: Journal) -> Iterator[Moment]:
    ended_by_caller = any(event.kind == "stopped" for event in journal.happenings)
    waiting: set[str] = set()
    dropped: set[str] = set()
    for event in journal.happenings:
        match event:
            case Happening(at_ms, "speech_started"):
                yield Moment(at_ms, "speaks")
            case Happening(at_ms, "mark_received", name):
                waiting.add(name)
            case Happening(at_ms, "clear", detail):
                waiting, dropped = set(), waiting
                yield Moment(at_ms, f"clears {detail}".strip(), "sharp")
            case Happening(at_ms, "mark_echoed", name):
                waiting.discard(name)
                fate = "dropped" if name in dropped else "heard"
                dropped.discard(name)
                yield Moment(at_ms, f"{_short(name)} {fate}", "quiet")
            case Happening(at_ms, "problem", what):
                yield Moment(at_ms, what, "wrong")
            case Happening(at_ms, "closed") if not ended_by_caller:
                yield Moment(at_ms, "ends the call")


def _short(text: str) -> str:
    if len(text) <= _MOST_LETTERS:
        return text
    return text[: _MOST_LETTERS - 1] + "…"
