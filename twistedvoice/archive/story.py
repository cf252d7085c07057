# -*- test-case-name: tests.archive.test_story -*-
"""What happened in one recording: who spoke when, and how fast the answers came.

Made of the sound and of the sidecar; where there is no sidecar, of the sound alone.
What is shown of it, as words or as a picture, is for others to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from attrs import field, frozen

from ..audio.pcm import Samples
from ..audio.wav import read_wav
from ..errors import ArchiveError
from ..recording.pieces import CALLER, CHANNELS, SERVICE
from ..recording.sidecar import Line, read_lines
from ..recording.vault import opener
from .catalog import Entry
from .speech import Level, Span, level, speech

__all__ = ["BargeIn", "Side", "Story", "Turn", "read_story"]

#: What is of no interest to people, or of no time.
_UNTOLD = frozenset(
    {"recording", "sum", "late", "moved", "state", "spool", "settled", "header"}
)
#: What must be a number in a line that has it, and how large it is at the most.
_NUMBERS = ("at", "until", "ms", "by")
_LARGEST = 1e11
#: The service falls silent so long after the last word that made it, at the most.
_AFTERWARDS_MS = 300.0
#: A person goes on after a longer pause than a machine, which makes none between its
#: answer and what it said before.
_BREATHS_MS = {CALLER: 500, SERVICE: 200}


@frozen(kw_only=True, eq=False)
class Side:
    """One channel."""

    samples: Samples = field(repr=False)
    spans: list[Span]
    level: Level


@frozen
class Turn:
    """The caller stopped speaking, and the service began to sound."""

    ended_ms: float
    answered_ms: float

    @property
    def latency_ms(self) -> float:
        """What the caller waited."""
        return self.answered_ms - self.ended_ms


@frozen
class BargeIn:
    """The caller spoke into what the service said, which then fell silent."""

    began_ms: float
    silent_ms: float

    @property
    def latency_ms(self) -> float:
        """For how long both could be heard."""
        return self.silent_ms - self.began_ms


@frozen(kw_only=True, eq=False)
class Story:
    """One recording, as people want to know it."""

    entry: Entry
    rate: int
    duration_ms: float
    caller: Side
    service: Side
    #: Of the sidecar: what has a time, in its order.
    lines: list[Line]
    turns: list[Turn]
    barge_ins: list[BargeIn]

    @property
    def latency_ms(self) -> float | None:
        """What the caller usually waited; None without a turn."""
        return median(turn.latency_ms for turn in self.turns) if self.turns else None

    @property
    def pauses(self) -> list[Span]:
        """When nothing was recorded, as it was not to be."""
        begun, found = list[float](), list[Span]()
        for line in self.lines:
            if line["kind"] == "pause" and not begun:
                begun.append(line["at"])
            elif line["kind"] == "resume" and begun:
                found.append(Span(begun.pop(), line["at"]))
        return [*found, *(Span(at_ms, self.duration_ms) for at_ms in begun)]

    def missing_ms(self, *kinds: str) -> float:
        """:returns: how much is missing by what the lines of these kinds say."""
        return sum(
            float(line.get("ms", 0)) for line in self.lines if line["kind"] in kinds
        )


def read_story(entry: Entry, encryption_key: bytes | None = None) -> Story:
    """
    Read all of a recording.

    :param encryption_key: what it is encrypted with, if it is.
    :raises OSError: when it cannot be read.
    :raises AudioFormatError: when it is no sound.
    :raises EncryptionError: when it is encrypted, and not with this key.
    :raises ArchiveError: when it has not the two channels of a recording.
    """
    sound = read_wav(entry.path, opener(encryption_key))
    frames, channels = sound.samples.shape
    if channels != CHANNELS:
        raise ArchiveError(
            f"{entry.path}: is no recording of ours: it has {channels} channel, not 2"
        )
    sides = [
        _side(sound.samples[:, each], sound.rate, each) for each in (CALLER, SERVICE)
    ]
    caller, service = sides
    lines = _told(entry.files.sidecar)
    return Story(
        entry=entry,
        rate=sound.rate,
        duration_ms=frames * 1000 / sound.rate,
        caller=caller,
        service=service,
        lines=lines,
        turns=list(_turns(lines, caller.spans, service.spans)),
        barge_ins=list(_barge_ins(lines, caller.spans, service.spans)),
    )


def _side(samples: Samples, rate: int, channel: int) -> Side:
    spans = speech(samples, rate, _BREATHS_MS[channel])
    return Side(samples=samples, spans=spans, level=level(samples, rate, spans))


def _told(sidecar: str | None) -> list[Line]:
    lines = read_lines(Path(sidecar)) if sidecar else []
    told = [line for line in lines if line["kind"] not in _UNTOLD and _is_told(line)]
    return sorted(told, key=lambda line: float(line["at"]))


def _is_told(line: Line) -> bool:
    """:returns: whether a line has a time, and only such numbers as have a meaning."""
    needed = {"at", "until"} if line["kind"] == "said" else {"at"}
    return line.keys() >= needed and all(
        isinstance(line[key], int | float) and abs(line[key]) < _LARGEST
        for key in _NUMBERS
        if key in line
    )


def _turns(
    lines: Sequence[Line], caller: Sequence[Span], service: Sequence[Span]
) -> Iterator[Turn]:
    """
    Find who answered whom.

    Where the caller goes on before the service sounds, nobody waited; nor where the
    service is in the middle of an utterance, even if it pauses there.
    """
    utterances = [
        Span(float(line["at"]), float(line["until"]))
        for line in lines
        if line["kind"] == "said"
    ]
    for said, after in pairwise([*caller, None]):
        assert said is not None, "only the last one is none"
        until_ms = float("inf") if after is None else after.start_ms
        at_ms = said.end_ms
        later = (span for span in service if span.end_ms > at_ms)
        first = next(later, None)
        if first is None or not at_ms < first.start_ms < until_ms:
            continue
        if not any(
            s.start_ms <= at_ms and first.start_ms < s.end_ms for s in utterances
        ):
            yield Turn(at_ms, first.start_ms)


def _barge_ins(
    lines: Sequence[Line], caller: Sequence[Span], service: Sequence[Span]
) -> Iterator[BargeIn]:
    clears = [float(line["at"]) for line in lines if line["kind"] == "clear"]
    for silent_ms in clears:
        for said in caller:
            over_ms = said.end_ms + _AFTERWARDS_MS
            both = (s for s in service if s.end_ms > said.start_ms)
            began_ms = max(said.start_ms, next((s.start_ms for s in both), silent_ms))
            if said.start_ms <= silent_ms <= over_ms and began_ms < silent_ms:
                yield BargeIn(began_ms, silent_ms)
