# -*- test-case-name: tests.bench.test_truth -*-
"""How true recordings are, as figures for people: ``twistedvoice bench recording``.

An hour of trouble and three simulated calls, all in virtual time: the figures are the
same on every machine. What they should be is here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..table import Table
from .alignment import Alignment, align
from .hour import Figures

__all__ = ["aligned", "truth_table", "wrong"]

_FRAME_MS = 20
#: Two stamps may be wrong by the same within a few frames, twice an hour: that looks
#: like a gap, so they are believed.
_WRONG_FRAMES = 4


def aligned() -> dict[str, Alignment]:
    """:returns: how calls lie in their recordings, by what is special about them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        return {
            "near": align(folder / "near"),
            "50 ms each way": align(folder / "far", delay=0.05),
            "stalls": align(folder / "stalls", stalls=True),
        }


def truth_table(hour: Figures, calls: dict[str, Alignment]) -> Table:
    """:returns: a row for each figure."""
    rows = list(_hour_rows(hour))
    for name, call in calls.items():
        for side, off in (("service", call.service_ms), ("caller", call.caller_ms)):
            figure = f"{max(map(abs, off)):.1f} ms at most, {len(off)} places"
            rows.append((f"call, {name}", f"{side}: off", figure))
    return Table(
        title="How true recordings are",
        columns=("what", "figure of", "figure"),
        rows=tuple(rows),
    )


def wrong(hour: Figures, calls: dict[str, Alignment]) -> list[str]:
    """:returns: a sentence on each figure that is not as it should be."""
    found = []
    if abs(hour.length_off_ms) >= _FRAME_MS:
        found.append("the hour ends more than a frame beside the carrier's")
    if max(hour.caller_wrong, hour.caller_missing) > _WRONG_FRAMES:
        found.append("frames of the caller are not in their place")
    if np.percentile(hour.service_off_ms, 99) >= _FRAME_MS:
        found.append("more than one of a hundred frames of ours is off by a frame")
    for name, call in calls.items():
        if max(map(abs, [*call.service_ms, *call.caller_ms])) >= _FRAME_MS:
            found.append(f"a call ({name}) lies beside what was heard")
    return found


def _hour_rows(found: Figures) -> Sequence[tuple[str, str, str]]:
    off = np.array(found.service_off_ms)
    middle, most, worst = np.percentile(off, [50, 99.9, 100])
    figures = (
        ("the end: off", f"{found.length_off_ms:+.1f} ms"),
        ("caller: frames lost on the way", f"{found.caller_lost}"),
        ("caller: gaps in the sidecar", f"{found.gaps_ms / _FRAME_MS:.0f} frames"),
        ("caller: frames in a wrong place", f"{found.caller_wrong}"),
        ("caller: frames missing", f"{found.caller_missing}"),
        ("service: frames", f"{len(off)}"),
        ("service: within a frame", f"{(off < _FRAME_MS).mean():.3%}"),
        ("service: off, median", f"{middle:.1f} ms"),
        ("service: off, 99.9 %", f"{most:.1f} ms"),
        ("service: off, most", f"{worst:.1f} ms"),
        ("service: cut too early at clears", f"{found.service_missing} frames"),
    )
    return [("an hour of trouble", *each) for each in figures]
