# -*- test-case-name: tests.calls.test_marks -*-
"""Which marks are out, and what became of each.

A mark ends in one word: ``played`` when the carrier echoes it, ``cleared`` when an
interrupt came first (carriers echo those too, which proves nothing), ``lost`` when the
call ended first, ``assumed`` when the clock says so and the carrier has no marks, or
has not returned this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

__all__ = ["Marks"]


class Marks:
    """The marks of one call, by their names on the wire."""

    def __init__(self) -> None:
        self._pending: dict[str, Callable[[str], object]] = {}
        self._made = 0
        #: How many ended in each word; ``stray`` are echoes of no pending mark.
        self.outcomes: Counter[str] = Counter()

    def add(self, resolved: Callable[[str], object]) -> str:
        """
        :param resolved: called once with the outcome.
        :returns: the name for the wire; short, and unique in this call.
        """
        self._made += 1
        name = f"m{self._made}"
        self._pending[name] = resolved
        return name

    def resolve(self, name: str, outcome: str) -> None:
        """One mark has ended; one that is not pending is counted as stray."""
        resolved = self._pending.pop(name, None)
        if resolved is None:
            self.outcomes["stray"] += 1
            return
        self.outcomes[outcome] += 1
        resolved(outcome)

    def resolve_all(self, outcome: str) -> None:
        """Every pending mark has ended, in the order they were made."""
        for name in list(self._pending):
            if name in self._pending:
                self.resolve(name, outcome)
