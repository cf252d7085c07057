# -*- test-case-name: tests.bench.test_contest -*-
"""Who is measured when: contenders take turns, so that what changes meanwhile hits all.

Measuring is passed in; what is here only chooses what comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen

from .contender import Contender
from .load import Point
from .search import Search

__all__ = ["Highest", "Measure", "Ramp", "loads"]

Measure = Callable[[Contender, int], Point]


def loads(
    measure: Measure,
    contenders: Sequence[Contender],
    counts: Sequence[int],
    runs: int = 1,
) -> Iterator[Point]:
    """:returns: what each contender does under each number of calls, ``runs`` times."""
    for calls in counts:
        for _ in range(runs):
            for contender in contenders:
                yield measure(contender, calls)


@frozen(kw_only=True)
class Highest:
    """The most calls that a contender held in one search."""

    contender: str
    calls: int
    #: Whether it might be more: what was above did not count.
    capped: bool
    #: What held only at the second try.
    retried: tuple[int, ...]


class Ramp:
    """A search for each contender, step by step in turns."""

    def __init__(
        self,
        measure: Measure,
        contenders: Sequence[Contender],
        *,
        start: int = 100,
        most: int = 10_000,
    ) -> None:
        self._measure = measure
        self._searches: Mapping[Contender, Search] = {
            contender: Search(start, most) for contender in contenders
        }

    def points(self) -> Iterator[Point]:
        """:returns: all that was measured on the way."""
        while any(search.next for search in self._searches.values()):
            for contender, search in self._searches.items():
                if search.next is not None:
                    point = self._measure(contender, search.next)
                    search.tell(point.verdict.outcome)
                    yield point

    def highest(self) -> list[Highest]:
        """:returns: what was found."""
        return [
            Highest(
                contender=contender.name,
                calls=search.best,
                capped=search.capped,
                retried=tuple(search.retried),
            )
            for contender, search in self._searches.items()
        ]
