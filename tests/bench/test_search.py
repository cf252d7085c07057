"""Tests for :mod:`twistedvoice.bench.search`."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.figures import Outcome
from twistedvoice.bench.search import Search


def search(measure: Callable[[int], Outcome], **how: int) -> tuple[Search, list[int]]:
    """:returns: a search that is done, and what it tried."""
    found, tried = Search(**how), list[int]()
    while found.next is not None:
        tried.append(found.next)
        found.tell(measure(found.next))
    return found, tried


def up_to(limit: int, beyond: Outcome = "fails") -> Callable[[int], Outcome]:
    """:returns: a server that holds so many."""
    return lambda calls: "holds" if calls <= limit else beyond


class SearchTests(SynchronousTestCase):
    """The highest number that holds."""

    @given(st.integers(1, 3000), st.integers(1, 3000))
    def test_finds(self, limit: int, start: int) -> None:
        """Whatever the limit, what is found is at most 8 % below it, and holds."""
        found, tried = search(up_to(limit), start=start)
        self.assertLessEqual(found.best, limit)
        self.assertGreaterEqual(max(found.best * 1.08, found.best + 1), limit)
        self.assertLess(len(tried), 120)
        self.assertFalse(found.capped)

    def test_grows_by_a_quarter(self) -> None:
        """It grows by a quarter, tries what fails twice, and halves what is left."""
        _, tried = search(up_to(170))
        self.assertEqual(tried, [100, 125, 156, 195, 195, 175, 175, 165])

    def test_nothing_holds(self) -> None:
        """A server that holds nothing is 0."""
        found, tried = search(up_to(0), start=4)
        self.assertEqual((found.best, tried), (0, [4, 4, 2, 2, 1, 1]))

    def test_second_try(self) -> None:
        """What holds at the second try holds, and that is noted."""
        outcomes: list[Outcome] = [
            "invalid",
            "holds",
            "fails",
            "fails",
            "fails",
            "fails",
        ]
        found, tried = search(lambda calls: outcomes.pop(0), start=10)
        self.assertEqual((found.best, found.retried), (10, [10]))
        self.assertEqual(tried, [10, 10, 12, 12, 11, 11])

    def test_capped(self) -> None:
        """Where runs no longer count it ends, and what was found may be too low."""
        found, _ = search(up_to(200, "invalid"))
        self.assertTrue(found.capped)
        self.assertLessEqual(found.best, 200)

    def test_most(self) -> None:
        """It grows no further than it may."""
        found, tried = search(up_to(10_000), most=130)
        self.assertEqual((found.best, tried), (130, [100, 125, 130]))
