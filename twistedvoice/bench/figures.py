# -*- test-case-name: tests.bench.test_figures -*-
"""The figures of one run, and whether the service held.

A run that was disturbed says nothing: when the generator was late, or the machine was
kept from its work, it is *invalid*, whatever was heard. Everything here is computed
from values; nothing measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Self

import numpy as np
from attrs import evolve, frozen

from ..formats import FRAME_MS
from .machine import Usage
from .tally import Tally, Times

__all__ = ["HOLDS", "Figures", "Limits", "Outcome", "Server", "Spread", "Verdict"]

Outcome = Literal["holds", "fails", "invalid"]


@frozen(kw_only=True)
class Spread:
    """How times are spread, in milliseconds; all 0 when there are none."""

    p50: float = 0.0
    p99: float = 0.0
    p999: float = 0.0
    most: float = 0.0

    @classmethod
    def of(cls, times: Times) -> Self:
        """:returns: the spread of these."""
        if not len(times):
            return cls()
        p50, p99, p999, most = np.percentile(times, (50, 99, 99.9, 100))
        return cls(p50=float(p50), p99=float(p99), p999=float(p999), most=float(most))


@frozen(kw_only=True)
class Server:
    """What the server used for it."""

    #: Of one core.
    cpu_share: float
    cpu_us_per_call_second: float
    rss_idle_kib: int
    rss_kib_per_call: float

    @classmethod
    def between(
        cls, idle: Usage, before: Usage, after: Usage, calls: int, seconds: float
    ) -> Self:
        """
        :param idle: before the first call.
        :param before: at the beginning of the window, which lasted ``seconds``.
        """
        share = (after.cpu_seconds - before.cpu_seconds) / seconds
        return cls(
            cpu_share=share,
            cpu_us_per_call_second=share * 1e6 / calls,
            rss_idle_kib=idle.rss_kib,
            rss_kib_per_call=(after.rss_kib - idle.rss_kib) / calls,
        )


@frozen(kw_only=True)
class Figures:
    """One run."""

    calls: int
    seconds: float
    #: |gap - ideal|.
    gap_ms: Spread
    echo_ms: Spread
    #: From a call's ``start`` to the first sound, while calls come in.
    answer_ms: Spread
    #: How late the generator was itself, and what it took for what came at once.
    late_ms: Spread
    batch_ms: Spread
    #: Of what should have come, 0 to 1.
    audio: float
    #: What the host took of the service's cores, 0 to 1.
    stolen: float
    counts: Mapping[str, int]
    errors: Mapping[str, int]
    #: None for a server that is somewhere else.
    server: Server | None = None

    @classmethod
    def of(cls, tally: Tally, *, calls: int, seconds: float, stolen: float) -> Self:
        """:param stolen: share of the time that the host took, 0 to 1."""
        return cls(
            calls=calls,
            seconds=seconds,
            gap_ms=Spread.of(tally.gaps_ms),
            echo_ms=Spread.of(tally.echo_ms),
            answer_ms=Spread.of(tally.answer_ms),
            late_ms=Spread.of(tally.late_ms),
            batch_ms=Spread.of(tally.batch_ms),
            audio=tally.counts["sound_ms"] / (calls * seconds * 1000),
            stolen=stolen,
            counts=dict(tally.counts),
            errors=dict(tally.errors),
        )

    def served(self, server: Server, unrecorded: int) -> Figures:
        """
        :param unrecorded: how many calls were recorded in part, or not though they
            were to be.
        :returns: the same, with what the server used and failed to do.
        """
        failed = {"not recorded whole": unrecorded} if unrecorded else {}
        return evolve(self, server=server, errors={**self.errors, **failed})


@frozen(kw_only=True)
class Verdict:
    """Whether a run counts, and whether the server held."""

    outcome: Outcome
    #: In words; none when it holds.
    reasons: tuple[str, ...]


@frozen(kw_only=True)
class Limits:
    """What holding means, and what a run must be to count."""

    gap_p99_ms: float = 5.0
    underruns: int = 0
    audio: float = 0.995
    #: For the generator: a tenth of a frame.
    late_p99_ms: float = FRAME_MS / 10
    #: Of the time of the service's cores.
    stolen: float = 0.03

    def judge(self, figures: Figures) -> Verdict:
        """:returns: what is to be thought of a run."""
        invalid = tuple(self._disturbed(figures))
        failed = tuple(self._failed(figures))
        outcome: Outcome = "invalid" if invalid else "fails" if failed else "holds"
        return Verdict(outcome=outcome, reasons=invalid or failed)

    def _disturbed(self, figures: Figures) -> Iterator[str]:
        late = max(figures.late_ms.p99, figures.batch_ms.p99)
        if late > self.late_p99_ms:
            yield (
                f"the generator itself was late: {late:.1f} ms at 99 %,"
                f" {self.late_p99_ms:g} are allowed (--max-late)"
            )
        if figures.stolen > self.stolen:
            yield (
                f"the host took {figures.stolen:.1%} of the service's time,"
                f" {self.stolen:.0%} are allowed (--max-stolen)"
            )
        if not figures.counts.get("spoken"):
            yield "the generator sent nothing"

    def _failed(self, figures: Figures) -> Iterator[str]:
        if figures.gap_ms.p99 >= self.gap_p99_ms:
            yield (
                f"frames came unevenly: {figures.gap_ms.p99:.1f} ms off at 99 %,"
                f" not below {self.gap_p99_ms:g}"
            )
        underruns = figures.counts.get("underruns", 0)
        if underruns > self.underruns:
            yield f"the ear heard {underruns} holes"
        if figures.audio < self.audio:
            yield f"only {figures.audio:.2%} of the sound came"
        for error, count in figures.errors.items():
            yield f"{count} calls: {error}"


#: What it means that a machine holds so many calls.
HOLDS = Limits()
