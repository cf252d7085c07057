# -*- test-case-name: tests.simulator.test_dialogue -*-
"""``twistedvoice demo --agent local``: what the caller says to the sample dialogue.

The caller's voice is none that the service has. It interrupts a long sentence, coughs
into another, and must be understood at each turn for the call to end as it should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from ..audio import pcm
from ..formats import MULAW_8K
from .journal import Journal
from .script import AwaitSilence, AwaitSpeech, Interrupt, Say, Step, Wait, say_file

__all__ = [
    "MEANINGS",
    "Turn",
    "cough",
    "dialogue",
    "dialogue_problems",
    "meanings_in",
    "turns",
]

_LINES = Path(__file__).parent / "lines"

#: What the service has to understand, in order.
MEANINGS = ("hours", "book", "Tuesday", "ten o'clock", "yes", "no")


@frozen
class Turn:
    """One line of the caller, and how fast it was answered."""

    name: str
    #: From the end of the line to the first sound of the answer: on the wire, and at
    #: the ear. None when no answer came.
    answered_ms: float | None
    heard_ms: float | None


def dialogue() -> tuple[Step, ...]:
    """:returns: what the caller does, from asking for opening hours to goodbye."""
    return (
        Interrupt(_line("joe_hours").audio, 4000, "hours"),
        *_answered(),
        _line("joe_book"),
        AwaitSpeech(),
        Wait(600),
        Say(cough(), "cough"),
        *_answered(),
        _line("joe_tuesday"),
        *_answered(),
        _line("joe_ten"),
        *_answered(),
        _line("joe_yes"),
        *_answered(),
        _line("rms_no"),
        AwaitSpeech(),
        AwaitSilence(),
    )


def cough() -> bytes:
    """:returns: 60 ms of noise as loud as speech; the same each time."""
    noise = np.random.default_rng(3).normal(0, 4000, 480)
    return pcm.encode(noise.astype(np.int16), MULAW_8K)


def dialogue_problems(journal: Journal, meanings: Sequence[str]) -> Iterator[str]:
    """
    :param meanings: what the service understood, in order.
    :returns: how the service did other than the sample dialogue says.
    """
    kinds = [event.kind for event in journal.happenings]
    if "gave_up" in kinds:
        yield "the caller waited in vain for the service to speak"
    if list(meanings) != list(MEANINGS):
        understood = ", ".join(meanings) or "nothing"
        yield f"the service understood {understood}, not {', '.join(MEANINGS)}"
    if kinds.count("clear") != 1:
        yield f"the service was to fall silent once, not {kinds.count('clear')} times"
    if "stopped" in kinds:
        yield "the service did not hang up after its goodbye"


def turns(journal: Journal) -> Iterator[Turn]:
    """:returns: each line of the caller that was to be answered."""
    happenings = journal.happenings
    for event in happenings:
        if event.kind != "saying" or event.detail == "cough":
            continue
        ended_ms = _speech_end(journal.said, event.at_ms)
        arrivals = (at for at, _ in journal.arrivals if at > ended_ms)
        speech = (e.at_ms for e in happenings if e.kind == "speech_started")
        heard = (at for at in speech if at > ended_ms)
        yield Turn(event.detail, _since(ended_ms, arrivals), _since(ended_ms, heard))


def meanings_in(log: Sequence[str]) -> list[str]:
    """:returns: what the service says it understood, from the lines of its log."""
    found = (re.search(r"is understood in \w+: \w+ ?([\w' ]*)", each) for each in log)
    return [match[1] for match in found if match is not None]


def _since(ended_ms: float, times: Iterator[float]) -> float | None:
    first = next(times, None)
    return None if first is None else first - ended_ms


def _speech_end(said: bytes | bytearray, from_ms: float) -> float:
    """:returns: when the last sound of a line ended, in the caller's own time."""
    start = round(from_ms) * 8
    samples = np.abs(pcm.decode(bytes(said[start : start + 8 * 5000]), MULAW_8K))
    pauses = samples.astype(int)
    loud = np.flatnonzero(pauses > 200)
    # A line ends where a second of silence begins.
    ends = loud[np.append(np.diff(loud) > 4000, True)]
    return (start + int(ends[0])) / 8 if len(ends) else from_ms


def _line(name: str) -> Say:
    return Say(say_file(_LINES / f"{name}.wav").audio, name.partition("_")[2])


def _answered() -> tuple[Step, ...]:
    """:returns: what a patient caller does, who knows a comma from an end."""
    return AwaitSpeech(), AwaitSilence(), Wait(1000), AwaitSilence(), Wait(1000)
