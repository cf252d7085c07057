# -*- test-case-name: tests.calls.test_spending -*-
"""What one call has cost so far, and whether that is too much.

Agents say what they spend, in the unit in which the operator set the cap. The call does
what follows.
"""

from __future__ import annotations

__all__ = ["Spending"]


class Spending:
    """Adds up the costs of one call."""

    def __init__(self, cap: float | None) -> None:
        """:param cap: the most that a call may cost; None for no limit."""
        self._cap = cap
        self.total = 0.0

    def add(self, amount: float) -> bool:
        """
        :param amount: 0 or more.
        :returns: whether this went over the cap; True at most once.
        :raises ValueError: when it is less than nothing, or no number.
        """
        if not 0 <= amount < float("inf"):
            raise ValueError(f"{amount} cannot be spent")
        was_over = self._is_over
        # Many small amounts must not add up to a hair more than their sum.
        self.total = round(self.total + amount, 9)
        return self._is_over and not was_over

    @property
    def _is_over(self) -> bool:
        return self._cap is not None and self.total > self._cap
