# -*- test-case-name: tests.bench.test_summary -*-
"""What is left of many runs: medians of those that count, and ratios to the baseline.

A run that does not count gives no figure, here or anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from attrs import frozen

from ..table import Table
from .contender import BASELINE
from .contest import Highest
from .figures import Figures, Outcome
from .load import Point

__all__ = ["Summary", "exit_code", "highest_table", "points_table", "summaries"]

_EXITS: dict[Outcome, int] = {"holds": 0, "fails": 1, "invalid": 3}
_COLUMNS = (
    "calls", "what", "", "p50 ms", "p99 ms", "p99.9 ms", "holes", "sound",
    "answer p50", "answer p99", "CPU us", "KiB a call",
)  # fmt: skip


@frozen(kw_only=True)
class Summary:
    """The runs of one contender under one number of calls."""

    contender: str
    calls: int
    runs: int
    #: Of the runs that count.
    figures: tuple[Figures, ...]
    held: int

    @property
    def outcome(self) -> Outcome:
        """It holds when it did in more than half of the runs that count."""
        if not self.figures:
            return "invalid"
        return "holds" if 2 * self.held > len(self.figures) else "fails"

    @property
    def verdict(self) -> str:
        """The outcome in words, with how many runs say so when there were several."""
        if self.runs == 1 or self.outcome == "invalid":
            return self.outcome
        return f"{self.outcome} {self.held}/{len(self.figures)}"

    def gap_ms(self, name: str) -> float | None:
        """:returns: the median of ``p50``, ``p99``, ``p999`` or ``most``."""
        return _median(getattr(each.gap_ms, name) for each in self.figures)

    def answer_ms(self, name: str) -> float | None:
        """:returns: the same of the time from ``start`` to the first sound."""
        return _median(getattr(each.answer_ms, name) for each in self.figures)

    @property
    def cpu_us(self) -> float | None:
        """For one second of one call."""
        return _median(
            each.server.cpu_us_per_call_second for each in self.figures if each.server
        )

    @property
    def rss_kib(self) -> float | None:
        """For one call, beyond idle."""
        return _median(
            each.server.rss_kib_per_call for each in self.figures if each.server
        )

    @property
    def holes(self) -> float | None:
        """What the ears heard."""
        return _median(each.counts.get("underruns", 0) for each in self.figures)

    @property
    def audio(self) -> float | None:
        """How much of it came, 0 to 1."""
        return _median(each.audio for each in self.figures)


def summaries(points: Iterable[Point]) -> list[Summary]:
    """:returns: one for each contender and number of calls, by that number."""
    groups: dict[tuple[int, str], list[Point]] = {}
    for point in points:
        groups.setdefault((point.calls, point.contender), []).append(point)
    return [
        _summary(group)
        for _, group in sorted(groups.items(), key=lambda one: one[0][0])
    ]


def _summary(points: Sequence[Point]) -> Summary:
    counting = [each for each in points if each.verdict.outcome != "invalid"]
    return Summary(
        contender=points[0].contender,
        calls=points[0].calls,
        runs=len(points),
        figures=tuple(each.figures for each in counting),
        held=sum(each.verdict.outcome == "holds" for each in counting),
    )


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """:returns: 0 when all hold, 3 when one does not count, else 1."""
    return max((_EXITS[outcome] for outcome in outcomes), default=0)


def points_table(title: str, points: Iterable[Point]) -> Table:
    """:returns: a row for each summary; ratios below those that have a baseline."""
    rows: list[tuple[str, ...]] = []
    block: list[Summary] = []
    for each in summaries(points):
        if block and block[0].calls != each.calls:
            rows += _ratios(block)
            block = []
        block.append(each)
        rows.append(_row(each))
    return Table(title=title, columns=_COLUMNS, rows=(*rows, *_ratios(block)))


def _row(each: Summary) -> tuple[str, ...]:
    return (
        str(each.calls),
        each.contender,
        each.verdict,
        *(_figure(each.gap_ms(name), 2) for name in ("p50", "p99", "p999")),
        _figure(each.holes, 0),
        "-" if each.audio is None else f"{each.audio:.2%}",
        *(_figure(each.answer_ms(name), 1) for name in ("p50", "p99")),
        _figure(each.cpu_us, 0),
        _figure(each.rss_kib, 1),
    )


def _ratios(block: Sequence[Summary]) -> list[tuple[str, ...]]:
    base = next((each for each in block if each.contender == BASELINE.name), None)
    if base is None:
        return []
    return [
        (
            str(each.calls),
            f"{each.contender} / {base.contender}",
            "",
            _ratio(each.gap_ms("p50"), base.gap_ms("p50")),
            _ratio(each.gap_ms("p99"), base.gap_ms("p99")),
            _ratio(each.gap_ms("p999"), base.gap_ms("p999")),
            *("", "", "", ""),
            _ratio(each.cpu_us, base.cpu_us),
            _ratio(each.rss_kib, base.rss_kib),
        )
        for each in block
        if each is not base
    ]


def highest_table(found: Iterable[Highest]) -> Table:
    """:returns: the median of the searches of each contender, and the ratios."""
    by_name: dict[str, list[Highest]] = {}
    for each in found:
        by_name.setdefault(each.contender, []).append(each)
    best = {name: median(e.calls for e in group) for name, group in by_name.items()}
    base = best.get(BASELINE.name)
    rows = tuple(
        (
            name,
            f"{'at least ' * any(each.capped for each in group)}{best[name]:g}",
            ", ".join(str(each.calls) for each in group),
            ", ".join(str(calls) for each in group for calls in each.retried) or "-",
            _ratio(best[name], base) if name != BASELINE.name else "-",
        )
        for name, group in by_name.items()
    )
    return Table(
        title="The most calls that hold",
        columns=("what", "calls", "each search", "held at the 2nd try", "ratio"),
        rows=rows,
    )


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return median(found) if found else None


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _ratio(value: float | None, base: float | None) -> str:
    return f"{value / base:.2f}" if value is not None and base else "-"
