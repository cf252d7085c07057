# -*- test-case-name: tests.realtime.test_stream -*-
"""What the tick counts for one stream: plain ints, and a short ledger of underruns.

At any time ``queued == sent + flushed + rejected + dropped + waiting`` in frames, where
``waiting`` is the length of the queue [OB-1].
"""

from __future__ import annotations

from collections import Counter

from attrs import Factory, define, frozen

from ..metrics import LATENESS_BOUNDS_US, Histogram

__all__ = ["AUDIBLE_HOLE_US", "StreamMeters", "Underrun"]

#: Shorter holes are hidden by the jitter buffer that every carrier has; counting them
#: would drown the ones a caller hears.
AUDIBLE_HOLE_US = 5_000

#: How many underruns of a call are kept one by one; all are counted.
_LEDGER_LENGTH = 50


@frozen
class Underrun:
    """A hole inside an utterance."""

    #: When it began, on the schedule's clock.
    at_us: int
    length_us: int
    #: ``agent``: nothing to say was there in time. ``reactor``: it was, but the tick
    #: came late. ``socket``: the peer read too slowly.
    why: str


def _lateness() -> Histogram:
    return Histogram(LATENESS_BOUNDS_US)


@define
class StreamMeters:
    """Counts of frames, and of what kept them from leaving in time."""

    queued: int = 0
    sent: int = 0
    flushed: int = 0
    rejected: int = 0
    dropped: int = 0
    #: The most frames that ever waited at once.
    most_waiting: int = 0
    #: Frames of silence sent while there was nothing to play; no part of ``sent``.
    comfort: int = 0
    #: Ticks that found a peer that reads too slowly.
    held_ticks: int = 0
    #: How late the schedule came to this stream, in microseconds.
    lateness: Histogram = Factory(_lateness)
    underruns: Counter[str] = Factory(Counter)
    underrun_us: int = 0
    ledger: list[Underrun] = Factory(list)

    def underran(self, at_us: int, length_us: int, why: str) -> None:
        """Note a hole inside an utterance."""
        self.underruns[why] += 1
        self.underrun_us += length_us
        if len(self.ledger) < _LEDGER_LENGTH:
            self.ledger.append(Underrun(at_us, length_us, why))
