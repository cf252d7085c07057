# -*- test-case-name: tests.simulator.test_verdict -*-
"""Was the call as it should be?

Collects, in sentences, what was wrong with a finished call and with what the service
recorded of it, and turns that into the exit code. A call that was right but in which
the ear heard a hole says something about the machine, not about the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from ..audio import pcm
from ..audio.pcm import Samples
from ..audio.wav import read_wav
from ..errors import AudioFormatError
from ..formats import MULAW_8K
from .align import CORRELATION_NEEDED, MAX_SHIFT_MS, Match, match
from .journal import Journal

__all__ = ["Verdict", "call_problems", "judge_tracks", "track_problems"]

_RIGHT, _WRONG, _LATE = 0, 1, 3


@frozen(kw_only=True)
class Verdict:
    """What became of a call."""

    #: One sentence each; none when all is right.
    problems: Sequence[str]
    underruns: int

    @property
    def exit_code(self) -> int:
        """0: right; 1: wrong; 3: right, but the machine was late."""
        if self.problems:
            return _WRONG
        return _LATE if self.underruns else _RIGHT


def call_problems(journal: Journal) -> Iterator[str]:
    """:returns: what went wrong on the line."""
    if journal.outcome != "completed":
        yield f"the call ended as {journal.outcome.replace('_', ' ')!r}"
    if not journal.arrivals:
        yield "the caller heard nothing"
    for event in journal.happenings:
        if event.kind == "problem":
            yield f"the service sent what a carrier refuses: {event.detail}"


def judge_tracks(journal: Journal, recording: Path) -> Mapping[str, Match]:
    """
    Compare a recording with what was on the line.

    :returns: the match of the ``caller`` and of the ``service``.
    :raises AudioFormatError: when it is no recording of two channels.
    """
    tracks = read_wav(recording).samples
    if tracks.shape[1] != 2:
        raise AudioFormatError(f"{recording} has {tracks.shape[1]} channels, not 2")
    return {
        "caller": match(tracks[:, 0], _samples(journal.said)),
        "service": match(tracks[:, 1], _samples(journal.heard)),
    }


def track_problems(matches: Mapping[str, Match]) -> Iterator[str]:
    """:returns: which tracks are not what was sent on them."""
    for side, found in matches.items():
        if not found.right:
            yield (
                f"the {side}'s recorded track is not what was on the line: within"
                f" {MAX_SHIFT_MS} ms it correlates at {found.correlation:.3f}, in its"
                f" worst part at {found.worst:.3f}; {CORRELATION_NEEDED} is needed"
            )


def _samples(sound: bytearray) -> Samples:
    return pcm.decode(bytes(sound), MULAW_8K)
