# -*- test-case-name: tests.bench.test_search -*-
"""Finds the highest number of calls that holds; knows neither calls nor clocks.

It grows by a quarter as long as that holds, and then halves what lies between. A point
that does not hold, or does not count, is tried once more; that makes the result a
little better than it is, equally for all that are searched in the same way.
"""

from __future__ import annotations

from .figures import Outcome

__all__ = ["Search"]

_GROWTH = 1.25
#: How near the two ends must be to each other.
_NEAR = 1.08
_TRIES = 2


class Search:
    """Ask :attr:`next` what to try, and :meth:`tell` it what came of it."""

    def __init__(self, start: int = 100, most: int = 10_000) -> None:
        """:param most: where to stop growing."""
        self._most = most
        #: The highest that held, 0 if none did.
        self.best = 0
        #: The lowest that did not.
        self._ceiling: int | None = None
        #: Why that is no limit of the server: the run did not count.
        self.capped = False
        #: Points that held only at the second try.
        self.retried: list[int] = []
        self._tries = 0
        #: What to try next, None when it is done.
        self.next: int | None = min(start, most)

    def tell(self, outcome: Outcome) -> None:
        """Go on from what came of :attr:`next`."""
        calls = self.next
        assert calls is not None
        self._tries += 1
        if outcome == "holds":
            self.best = max(self.best, calls)
            if self._tries > 1:
                self.retried.append(calls)
        elif self._tries < _TRIES:
            return
        else:
            self._ceiling = calls
            self.capped = outcome == "invalid"
        self._tries = 0
        self.next = self._following()

    def _following(self) -> int | None:
        best, ceiling = self.best, self._ceiling
        if ceiling is None:
            grown = min(max(best + 1, round(best * _GROWTH)), self._most)
            return None if best == self._most else grown
        if ceiling - best <= 1 or ceiling <= best * _NEAR:
            return None
        return (best + ceiling) // 2
