# -*- test-case-name: tests.bench.test_picture -*-
"""Draws what many calls cost: how even the sound was, and what it took.

Runs that do not count are not drawn. Needs matplotlib, of the extra ``bench``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from ..errors import BenchError
from .figures import HOLDS
from .load import Point
from .summary import Summary, summaries

__all__ = ["draw", "lines", "require_matplotlib"]


def require_matplotlib(find: Callable[[str], object | None] = find_spec) -> None:
    """:raises BenchError: saying how to get it, when it is not there."""
    if find("matplotlib") is None:
        raise BenchError(
            "a picture needs matplotlib: pip install 'twistedvoice[bench]'"
        )


def draw(points: Sequence[Point], path: Path, title: str) -> None:
    """Draw two panels into a file whose ending says of which kind it is."""
    require_matplotlib()
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(8, 7), layout="constrained")
    drawing.suptitle(title, size=9, wrap=True)
    even, cost = drawing.subplots(2, 1, sharex=True)
    drawn = lines(points)
    for name, mine in drawn.items():
        calls = [each.calls for each in mine]
        even.plot(calls, [each.gap_ms("p99") for each in mine], label=name, marker="o")
        known = [(each.calls, each.cpu_us) for each in mine if each.cpu_us is not None]
        cost.plot(*zip(*known, strict=True) if known else ([], []), marker="o")
    even.axhline(HOLDS.gap_p99_ms, ls="--", c="gray")
    even.set_yscale("log")
    low, high = even.get_ylim()
    even.set_ylim(min(low, 0.1), max(high, 10))
    even.set_ylabel("|gap - 20 ms|, 99 %, ms")
    if drawn:
        even.legend(frameon=False)
    cost.set_ylabel("CPU, us for a second of a call")
    cost.set_xlabel("calls")
    cost.set_ylim(bottom=0)
    drawing.savefig(path)


def lines(points: Iterable[Point]) -> dict[str, list[Summary]]:
    """:returns: for each contender what is drawn of it: what counts."""
    found: dict[str, list[Summary]] = {}
    for each in summaries(points):
        if each.figures:
            found.setdefault(each.contender, []).append(each)
    return found
