# -*- test-case-name: tests.recording.test_compare -*-
"""Is the carrier's copy of a call the same as ours?

Says where theirs lies on our time, what either copy lacks, how loud it is, and one word
for it all; the words and limits are in docs/recording. It takes seconds of computing
for hours of sound, but little memory, so it runs in a process of its own::

    python -m twistedvoice.recording.compare OURS THEIRS

which prints one line of JSON. It knows nothing of carriers.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import asdict, field, frozen

from ..audio.loudness import FRAME_MS, Loudness, loudness
from ..audio.wav import WavFile
from ..errors import AudioFormatError
from .holes import holes
from .offsets import Channel, Line, Offset, line_through, offsets, rough_offset

__all__ = ["ChannelComparison", "Comparison", "Hole", "compare", "main"]

#: What windows must correlate with, in the mean, for the sound to be the same.
_ALIKE = 0.8
#: How far sound may wander on its channel, and one channel against the other.
_SHIFT_MS = 100.0
#: No drift is told from less than this: a jitter buffer would look like one.
_DRIFT_SECONDS = 60.0
#: Holes that are named; all are counted.
_MOST_HOLES = 20
#: What is not looked at where the copies begin and end, in frames.
_EDGE = 10

#: The words, the worst first.
_VERDICTS = ("different", "holes", "shifted", "alike", "silent")
_CHANNELS = ("caller", "service")


@frozen
class Hole:
    """Sound that one copy has and the other has not, on our time."""

    at_ms: int
    ms: int
    #: Whose copy lacks it: ``ours`` or ``theirs``.
    missing_in: str


@frozen(kw_only=True)
class ChannelComparison:
    """One channel in both copies. What cannot be told is None."""

    verdict: str
    #: The mean correlation of what both have, 0 to 1.
    match: float | None = None
    #: When on our time their copy begins, by the first sound and by the last.
    offset_ms: float | None = None
    offset_end_ms: float | None = None
    #: How much longer ours is, in millionths.
    drift_ppm: float | None = None
    #: How far from the steady line nearly all sound lies.
    wander_ms: float | None = None
    #: How much louder theirs is.
    level_db: float | None = None
    missing_in_ours_ms: int = 0
    missing_in_theirs_ms: int = 0
    hole_count: int = 0
    holes: Sequence[Hole] = ()


@frozen(kw_only=True)
class Comparison:
    """Two copies of one call."""

    verdict: str
    ours_ms: int
    theirs_ms: int
    #: For how long both have the call.
    compared_ms: int = 0
    #: Whether their left channel is our right one.
    swapped: bool = False
    #: How much later their copy has the service than the caller, against ours.
    skew_ms: float | None = None
    channels: Mapping[str, ChannelComparison] = field(factory=dict)


def compare(ours: Path, theirs: Path) -> Comparison:
    """
    Compare two copies; blocks for seconds.

    :raises AudioFormatError: when one of them cannot be read, or they do not fit.
    :raises OSError: when one of them cannot be read at all.
    """
    with WavFile(ours) as our_file, WavFile(theirs) as their_file:
        if our_file.channels != 2 or our_file.rate != their_file.rate:
            raise AudioFormatError(
                f"{ours} has {our_file.channels} channels at {our_file.rate} Hz,"
                f" {theirs} {their_file.channels} at {their_file.rate} Hz"
            )
        if their_file.channels != 2:
            return Comparison(
                verdict="mono",
                ours_ms=_duration_ms(our_file),
                theirs_ms=_duration_ms(their_file),
            )
        return _compare(our_file, their_file)


def _compare(our_file: WavFile, their_file: WavFile) -> Comparison:
    our_loudness, their_loudness = loudness(our_file), loudness(their_file)
    rough, swapped = rough_offset(our_loudness, their_loudness)
    sides = [
        _side(
            Channel(our_file, at, our_loudness[at]),
            Channel(their_file, at ^ swapped, their_loudness[at ^ swapped]),
            rough,
        )
        for at in (0, 1)
    ]
    lines = [side.line for side in sides if side.line is not None]
    usual = lines[0] if lines else Line(rough * FRAME_MS / 1000, 0.0)
    channels = [side.compared(usual) for side in sides]
    skew_ms = _skew_ms(lines, _duration_ms(our_file) / 2000)
    return Comparison(
        verdict=_verdict([each.verdict for each in channels], skew_ms),
        ours_ms=_duration_ms(our_file),
        theirs_ms=_duration_ms(their_file),
        compared_ms=len(_frames(*sides[0].loudness, usual)[0]) * FRAME_MS,
        swapped=swapped,
        skew_ms=skew_ms,
        channels=dict(zip(_CHANNELS, channels, strict=True)),
    )


@frozen
class _Side:
    """One channel in both copies, and where pieces of ours lie in theirs."""

    loudness: tuple[Loudness, Loudness]
    measured: Sequence[Offset]

    @property
    def match(self) -> float | None:
        """The mean correlation, None when there was nothing to measure."""
        if not self.measured:
            return None
        return round(float(np.mean([each.correlation for each in self.measured])), 3)

    @property
    def line(self) -> Line | None:
        """Where theirs lies; None when it is not the same sound."""
        return None if (self.match or 0.0) < _ALIKE else line_through(self.measured)

    def compared(self, usual: Line) -> ChannelComparison:
        """:param usual: where theirs is taken to lie if there is nothing to measure."""
        match, line = self.match, self.line
        if match is not None and line is None:
            return ChannelComparison(verdict="different", match=match)
        missing = _holes(*self.loudness, line or usual)
        facts = self._placed(line) if line else {}
        return ChannelComparison(
            verdict="holes" if missing else _steadiness(facts),
            match=match,
            missing_in_ours_ms=_lacking("ours", missing),
            missing_in_theirs_ms=_lacking("theirs", missing),
            hole_count=len(missing),
            holes=tuple(missing[:_MOST_HOLES]),
            **facts,
        )

    def _placed(self, line: Line) -> dict[str, Any]:
        certain = [each for each in self.measured if each.is_certain]
        first, last = certain[0].at, certain[-1].at
        aside = [abs(each.offset - line.at(each.at)) for each in certain]
        long_enough = last - first >= _DRIFT_SECONDS
        return {
            "offset_ms": round(line.at(first) * 1000, 1),
            "offset_end_ms": round(line.at(last) * 1000, 1),
            "drift_ppm": round(line.drift * 1e6, 1) if long_enough else None,
            "wander_ms": round(float(np.percentile(aside, 95)) * 1000, 1),
            "level_db": round(float(np.median([c.level_db for c in certain])), 1),
        }


def _side(ours: Channel, theirs: Channel, rough: int) -> _Side:
    return _Side((ours.loudness, theirs.loudness), offsets(ours, theirs, rough))


def _skew_ms(lines: Sequence[Line], middle: float) -> float | None:
    """:param middle: of the call, in seconds; there the lines are compared."""
    if len(lines) < 2:
        return None
    caller, service = (line.at(middle) for line in lines)
    return round((caller - service) * 1000, 1)


def _steadiness(facts: Mapping[str, Any]) -> str:
    if not facts:
        return "silent"
    moved = abs(facts["offset_end_ms"] - facts["offset_ms"])
    return "shifted" if max(moved, facts["wander_ms"]) > _SHIFT_MS else "alike"


def _verdict(verdicts: Sequence[str], skew_ms: float | None) -> str:
    worst = min(verdicts, key=_VERDICTS.index)
    if worst == "alike" and abs(skew_ms or 0.0) > _SHIFT_MS:
        return "shifted"
    return worst


def _holes(ours: Loudness, theirs: Loudness, line: Line) -> list[Hole]:
    """:returns: what either lacks, in the order of time."""
    our_frames, their_frames = _frames(ours, theirs, line)
    inner = slice(_EDGE, -_EDGE)
    our_part, their_part = ours.at(our_frames[inner]), theirs.at(their_frames[inner])
    start = our_frames[0] + _EDGE if len(our_frames) else 0
    found = [
        Hole(int(start + span.start) * FRAME_MS, span.length * FRAME_MS, lacking)
        for lacking, spans in (
            ("theirs", holes(our_part, their_part)),
            ("ours", holes(their_part, our_part)),
        )
        for span in spans
    ]
    return sorted(found, key=attrgetter("at_ms"))


def _frames(
    ours: Loudness, theirs: Loudness, line: Line
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """:returns: the frames of ours that theirs has too, and those of theirs."""
    our_frames = np.arange(len(ours.rms))
    seconds = our_frames * FRAME_MS / 1000
    later = line.start + line.drift * seconds
    their_frames = np.rint((seconds - later) * 1000 / FRAME_MS).astype(np.int64)
    inside = (their_frames >= 0) & (their_frames < len(theirs.rms))
    return our_frames[inside], their_frames[inside]


def _lacking(whose: str, missing: Sequence[Hole]) -> int:
    return sum(hole.ms for hole in missing if hole.missing_in == whose)


def _duration_ms(file: WavFile) -> int:
    return file.frames * 1000 // file.rate


def main(words: Sequence[str]) -> int:
    """
    Compare the two files that ``words`` name, and print what was found.

    :returns: the exit status: ``os.EX_DATAERR`` when trying again will not help.
    """
    # Calls come first, whatever else this machine has to do. A sandbox may forbid it.
    with suppress(OSError):
        os.nice(19)
    try:
        found = compare(*map(Path, words))
    except AudioFormatError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_DATAERR
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
