# -*- test-case-name: tests.recording.test_holes -*-
"""Where one copy of a call lacks what the other has; used by :mod:`.compare`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen

from ..audio.loudness import FRAME_MS, Flags, Loudness, runs

__all__ = ["HOLE_MS", "Span", "holes"]

#: Sound that is missing for less is none of our business: a packet or two.
HOLE_MS = 200
#: Pauses within speech that belong to it.
_PAUSE = 10
#: How far sound may lie beside its place; a jitter buffer does as much.
_BESIDE = 4
#: How much sound must be missing for sure before it is a hole.
_SURELY = 3


@frozen
class Span:
    """A span of time, in frames of 20 ms."""

    start: int
    length: int


def holes(has: Loudness, lacks: Loudness) -> Iterator[Span]:
    """
    Find where ``has`` has sound and ``lacks``, at the same time, has none.

    :returns: spans of :data:`HOLE_MS` and more; sound may lie 80 ms beside its place.
    """
    speech = ~_long_runs(~has.sound, _PAUSE)
    surely = has.sound & _long_runs(lacks.silence, 2 * _BESIDE, trim=_BESIDE)
    for start, end in runs(speech & lacks.silence):
        is_long = (end - start) * FRAME_MS >= HOLE_MS
        if is_long and surely[start:end].sum() >= _SURELY:
            yield Span(start, end - start)


def _long_runs(flags: Flags, longer_than: int, trim: int = 0) -> Flags:
    """:returns: only runs that are longer, shorter by ``trim`` at either end."""
    kept = np.zeros_like(flags)
    for start, end in runs(flags):
        if end - start > longer_than:
            kept[start + trim : end - trim] = True
    return kept
