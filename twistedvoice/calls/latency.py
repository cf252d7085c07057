# -*- test-case-name: tests.calls.test_latency -*-
"""How long the caller of one call has to wait: for an answer, and for silence.

It is told when the caller stopped to speak, and afterwards what was played and when; it
puts the two together, and never runs inside the tick. Times are on the schedule's
clock, in microseconds. It knows neither sound nor wire.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Literal

from attrs import Factory, define, frozen

from ..metrics import LATENCY_BOUNDS_US, Histogram

__all__ = ["After", "Latencies", "Wait", "Waits"]

#: What a turn of the agent answers: words, or a key.
After = Literal["speech", "key"]
_KINDS: tuple[After, ...] = ("speech", "key")

#: How many turns, and how many interrupts, of a call are kept one by one.
_MOST_KEPT = 1_000


def _latency() -> Histogram:
    return Histogram(LATENCY_BOUNDS_US)


def _latencies() -> dict[After, Histogram]:
    return {after: _latency() for after in _KINDS}


@define(kw_only=True)
class Latencies:
    """What the callers of one process waited for; see docs/metrics."""

    #: From the caller's last sound, or key, to the first frame on the wire.
    turn: Mapping[After, Histogram] = Factory(_latencies)
    #: The same, to the ear.
    turn_heard: Mapping[After, Histogram] = Factory(_latencies)
    #: From ``start`` to the ear.
    first_heard: Histogram = Factory(_latency)
    #: From an agent's interrupt to silence.
    silence: Histogram = Factory(_latency)


@define
class Wait:
    """How long the caller waited for the first sound of something."""

    wire_us: int
    #: None as long as no mark has told how far the ear is behind.
    heard_us: int | None = None


@frozen
class _Input:
    after: After
    began_us: int
    ended_us: int


class Waits:
    """
    What the caller of one call waited for, turn by turn.

    A turn is the first thing that is said after the caller was done, where nothing was
    to be heard when the caller was done, or what was has been cut off since. An agent
    that talks on while the caller talks has no turn, and no latency.
    """

    def __init__(self, latencies: Latencies) -> None:
        """:param latencies: those of the process; each wait is counted there too."""
        self._latencies = latencies
        self._inputs: deque[_Input] = deque(maxlen=_MOST_KEPT)
        self._speaks_since_us: int | None = None
        #: Until when something was to be heard, and when it was last cut off.
        self._until_us = self._cut_us = 0
        #: How far the ear is behind, once a mark has told, and who waits for that.
        self._delay_us: int | None = None
        self._unheard: list[tuple[Wait, Histogram]] = []
        self._answered_us: int | None = None
        #: From ``start`` on; None before anything was said.
        self.first: Wait | None = None
        #: How many turns there were, of which the first are kept.
        self.counts: Counter[After] = Counter()
        self.kept: list[tuple[After, Wait]] = []
        self._silences_us: list[int] = []

    # -- what it is told ---------------------------------------------------------------

    def answered(self, at_us: int) -> None:
        """The stream of the call started."""
        self._answered_us = at_us

    def speech_began(self, at_us: int) -> None:
        """The caller speaks since then."""
        self._speaks_since_us = at_us

    def speech_ended(self, at_us: int) -> None:
        """The last sound of what the caller said had come by then."""
        since_us, self._speaks_since_us = self._speaks_since_us, None
        began_us = at_us if since_us is None else since_us
        self._inputs.append(_Input("speech", began_us, at_us))

    def key_pressed(self, at_us: int) -> None:
        """The caller pressed a key."""
        self._inputs.append(_Input("key", at_us, at_us))

    def spoke(self, from_us: int, until_us: int, delay_us: int | None) -> None:
        """
        Something was said; told in the order in which it was.

        Where nothing played before, the first frame of it left when its time on the
        playout clock began; a turn begins in no other way.

        :param from_us: when it began to play by the playout clock.
        :param until_us: when that ended, or was cut off.
        :param delay_us: how far the ear is behind that clock, if its mark told.
        """
        if delay_us is not None:
            self._delay_us = delay_us
            self._settle(delay_us)
        if self.first is None and self._answered_us is not None:
            self.first = Wait(from_us - self._answered_us)
            self._expect(self.first, self._latencies.first_heard)
        answered = self._take_input(from_us)
        if answered is not None and self._was_silent(answered.ended_us):
            self._keep(answered.after, Wait(from_us - answered.ended_us))
        self._until_us = until_us

    def interrupted(self, at_us: int, silent_us: int, *, cut: bool) -> None:
        """
        The agent fell silent. What was said before has been told of.

        :param silent_us: when the last of it has been played.
        :param cut: whether the carrier drops what it holds.
        """
        if cut:
            self._cut_us = at_us
        waited_us = max(0, silent_us - at_us)
        self._latencies.silence.observe(waited_us)
        if len(self._silences_us) < _MOST_KEPT:
            self._silences_us.append(waited_us)

    def over(self) -> None:
        """The call has ended: where no mark told, the ear was not behind."""
        self._settle(0)

    # -- for the record ----------------------------------------------------------------

    def facts(self) -> dict[str, object]:
        """:returns: what the record of the call says of them."""
        heard_us = None if self.first is None else self.first.heard_us
        return {
            "first_heard_ms": None if heard_us is None else heard_us / 1000,
            "turns": {after: self._facts_after(after) for after in _KINDS},
            "silence_ms": _spread(self._silences_us),
        }

    def _facts_after(self, after: After) -> dict[str, object]:
        kept = [wait for what, wait in self.kept if what == after]
        return {
            "count": self.counts[after],
            "wire_ms": _spread(wait.wire_us for wait in kept),
            "heard_ms": _spread(
                wait.heard_us for wait in kept if wait.heard_us is not None
            ),
        }

    # -- putting together --------------------------------------------------------------

    def _take_input(self, spoke_us: int) -> _Input | None:
        """:returns: what the caller was done with before, unless speaking again."""
        over = [each for each in self._inputs if each.ended_us <= spoke_us]
        later = [each for each in self._inputs if each.ended_us > spoke_us]
        self._inputs = deque(later, maxlen=_MOST_KEPT)
        since_us = self._speaks_since_us
        speaks = since_us is not None and since_us <= spoke_us
        if speaks or any(each.began_us <= spoke_us for each in later):
            return None
        return max(over, key=lambda each: each.ended_us, default=None)

    def _was_silent(self, ended_us: int) -> bool:
        return self._until_us <= ended_us or self._cut_us >= ended_us

    def _keep(self, after: After, wait: Wait) -> None:
        self.counts[after] += 1
        self._latencies.turn[after].observe(wait.wire_us)
        self._expect(wait, self._latencies.turn_heard[after])
        if len(self.kept) < _MOST_KEPT:
            self.kept.append((after, wait))

    def _expect(self, wait: Wait, histogram: Histogram) -> None:
        self._unheard.append((wait, histogram))
        if self._delay_us is not None:
            self._settle(self._delay_us)
        elif len(self._unheard) == _MOST_KEPT:
            self._settle(0)

    def _settle(self, delay_us: int) -> None:
        for wait, histogram in self._unheard:
            wait.heard_us = wait.wire_us + delay_us
            histogram.observe(wait.heard_us)
        self._unheard.clear()


def _spread(times_us: Iterable[int]) -> dict[str, float | None]:
    """:returns: nearest ranks, each a time that was measured."""
    ordered = sorted(times_us)
    return {
        name: ordered[ceil(share * len(ordered)) - 1] / 1000 if ordered else None
        for name, share in (("p50", 0.50), ("p95", 0.95), ("max", 1.0))
    }
