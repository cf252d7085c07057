# -*- test-case-name: tests.simulator.test_timeline -*-
"""A made-up finished call, with everything in it that can be shown of one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.simulator.babble import RATE, babble, beside
from twistedvoice.audio import pcm
from twistedvoice.formats import MULAW_8K
from twistedvoice.simulator.journal import Journal

__all__ = ["HEARD", "SAID", "finished_call"]

SAID = beside(5.4, babble(1, 1.6), 4.3, babble(2, 1.2), 9.5)
HEARD = beside(0.1, babble(4, 4.6), 3.4, babble(5, 2.7), 2.6, babble(6, 4.6), 4.0)


def finished_call() -> Journal:
    """:returns: 22 s: greeting, question, keys, interrupt, goodbye."""
    journal = Journal(call_id="CA1", outcome="completed", duration_ms=22_000.0)
    journal.said += _mulaw(SAID)
    journal.heard += _mulaw(HEARD)
    random = np.random.default_rng(1)
    for number, (start, end) in enumerate([(0.04, 4.6), (8.1, 10.8), (13.4, 17.9)]):
        _say(journal, random, start * 1000, end * 1000, f"utterance-{number}")
        journal.played.append((start * 1000 + 60, end * 1000 + 60))
    for at_ms, kind, detail in _HAPPENINGS:
        journal.note(at_ms, kind, detail)
    journal.happenings.sort(key=lambda event: event.at_ms)
    return journal


_HAPPENINGS = [
    (0.0, "started", ""),
    (100.0, "speech_started", ""),
    (4700.0, "speech_ended", ""),
    (5400.0, "saying", "caller_question"),
    (8100.0, "speech_started", ""),
    (10_800.0, "speech_ended", ""),
    (9_000.0, "digit", "1"),
    (9_240.0, "digit", "4"),
    (9_480.0, "digit", "#"),
    (11_300.0, "interrupting", ""),
    (11_300.0, "saying", "caller_wait"),
    (11_500.0, "clear", "80 ms"),
    (13_400.0, "speech_started", ""),
    (18_000.0, "speech_ended", ""),
    (21_900.0, "stopped", ""),
    (22_000.0, "closed", ""),
]


def _say(
    journal: Journal,
    random: np.random.Generator,
    start_ms: float,
    end_ms: float,
    name: str,
) -> None:
    for at_ms in np.arange(start_ms, end_ms, 20.0):
        journal.arrivals.append((float(at_ms + abs(random.normal(0, 0.7))), 160))
    journal.note(end_ms, "mark_received", name)
    journal.note(end_ms + 160, "mark_echoed", name)


def _mulaw(samples: NDArray[np.int16]) -> bytes:
    assert len(samples) % RATE == 0
    return pcm.encode(samples, MULAW_8K)
