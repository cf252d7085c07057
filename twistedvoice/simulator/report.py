# -*- test-case-name: tests.simulator.test_report -*-
"""The figures of one simulated call.

Every figure is read from the journal alone and means what the simulator page of the
documentation says. The keys are fixed, since scripts read them from report.json.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil

from ..formats import MULAW_8K
from .journal import Journal
from .turns import Turn, cuts, turns

__all__ = ["gaps", "render", "report"]

#: What ends an utterance on the wire: its mark, or the order to drop it.
_ENDS = frozenset({"mark_received", "clear"})


def report(journal: Journal) -> dict[str, object]:
    """:returns: the figures of a finished call; times in milliseconds."""
    arrivals, answers = journal.arrivals, turns(journal)
    return {
        "first_audio_ms": _tenth(arrivals[0][0]) if arrivals else None,
        "frames_sent": len(journal.said) // MULAW_8K.frame_bytes,
        "frames_heard": _frames_with_sound(journal.heard),
        "first_heard_ms": _tenth(journal.played[0][0]) if journal.played else None,
        "turns": [_answer(turn) for turn in answers],
        "answer_ms": _spread(sorted(turn.heard_ms for turn in answers)),
        "cut_ms": _spread(sorted(cuts(journal))),
        "underruns": len(journal.underruns),
        "heard_gap_ms_max": _tenth(
            max((length for _, length in journal.underruns), default=0.0)
        ),
        "gap_ms": _spread(sorted(gap for _, gap in gaps(journal))),
        "marks": _count(journal, "mark_received"),
        "clears": _count(journal, "clear"),
        "duration_ms": _tenth(journal.duration_ms),
        "outcome": journal.outcome,
    }


def render(figures: Mapping[str, object]) -> str:
    """:returns: JSON of ``figures``; equal figures give equal text."""
    return json.dumps(figures, indent=2, sort_keys=True) + "\n"


def gaps(journal: Journal) -> Iterator[tuple[float, float]]:
    """
    Measure how evenly the sound of the service came.

    :returns: for each media message but the first of an utterance, when it came and
        how long after the one before.
    """
    ends = sorted(event.at_ms for event in journal.happenings if event.kind in _ENDS)
    for (before_ms, _), (at_ms, _) in pairwise(journal.arrivals):
        next_end = bisect_left(ends, before_ms)
        if next_end == len(ends) or ends[next_end] >= at_ms:
            yield at_ms, at_ms - before_ms


def _answer(turn: Turn) -> dict[str, object]:
    return {
        "after": turn.after,
        "done_ms": _tenth(turn.done_ms),
        "wire_ms": _tenth(turn.wire_ms),
        "heard_ms": _tenth(turn.heard_ms),
    }


def _spread(ordered: Sequence[float]) -> dict[str, float | None]:
    return {
        "p50": _rank(ordered, 0.50),
        "p99": _rank(ordered, 0.99),
        "max": _rank(ordered, 1.0),
    }


def _rank(ordered: Sequence[float], share: float) -> float | None:
    """:returns: the smallest value that at least ``share`` of all do not exceed."""
    if not ordered:
        return None
    return _tenth(ordered[ceil(share * len(ordered)) - 1])


def _frames_with_sound(heard: bytearray) -> int:
    size = MULAW_8K.frame_bytes
    silence = MULAW_8K.silence(size)
    frames = (heard[start : start + size] for start in range(0, len(heard), size))
    return sum(not silence.startswith(frame) for frame in frames)


def _count(journal: Journal, kind: str) -> int:
    return sum(event.kind == kind for event in journal.happenings)


def _tenth(milliseconds: float) -> float:
    return round(milliseconds, 1)
