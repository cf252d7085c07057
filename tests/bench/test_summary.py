"""Tests for :mod:`twistedvoice.bench.summary`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.contest import Highest
from twistedvoice.bench.figures import Spread
from twistedvoice.bench.load import Point
from twistedvoice.bench.summary import (
    exit_code,
    highest_table,
    points_table,
    summaries,
)

from .values import point, server


def uneven(p99_ms: float, contender: str = "service", **changes: Any) -> Point:
    """:returns: a point with this deviation."""
    return point(contender, gap_ms=Spread(p99=p99_ms), **changes)


class SummariesTests(SynchronousTestCase):
    """Medians of runs."""

    def test_medians(self) -> None:
        """A figure is the median of all runs that count."""
        points = [uneven(p99) for p99 in (1.0, 9.0, 2.0)]
        (found,) = summaries(points)
        self.assertEqual((found.runs, found.gap_ms("p99")), (3, 2.0))
        self.assertEqual((found.outcome, found.verdict), ("holds", "holds 3/3"))

    def test_invalid_is_no_figure(self) -> None:
        """A run that does not count is in no figure."""
        (found,) = summaries([uneven(1.0), uneven(99.0, outcome="invalid")])
        self.assertEqual((found.gap_ms("p99"), found.verdict), (1.0, "holds 1/1"))
        (none,) = summaries([uneven(99.0, outcome="invalid")])
        self.assertEqual((none.outcome, none.gap_ms("p99")), ("invalid", None))
        self.assertEqual((none.cpu_us, none.rss_kib, none.audio), (None, None, None))

    def test_most_of_them(self) -> None:
        """It holds when more than half of the runs do."""
        (even,) = summaries([point(), point(outcome="fails")])
        self.assertEqual((even.outcome, even.verdict), ("fails", "fails 1/2"))

    def test_order(self) -> None:
        """They come by number of calls, contenders in the order of the first run."""
        points = [point("service", 200), point("baseline", 200), point("service", 50)]
        found = [(each.calls, each.contender) for each in summaries(points)]
        self.assertEqual(found, [(50, "service"), (200, "service"), (200, "baseline")])

    def test_exit_code(self) -> None:
        """All hold: 0; one does not count: 3; else 1."""
        self.assertEqual(exit_code(["holds", "holds"]), 0)
        self.assertEqual(exit_code(["holds", "fails"]), 1)
        self.assertEqual(exit_code(["fails", "invalid", "holds"]), 3)


class TablesTests(SynchronousTestCase):
    """What is printed."""

    def test_ratios(self) -> None:
        """Below each number of calls is the ratio to the baseline."""
        points = [
            uneven(1.0, server=server(1000.0, 20.0)),
            uneven(4.0, "baseline", server=server(8000.0, 10.0)),
        ]
        table = points_table("x", points)
        names = [row[1] for row in table.rows]
        self.assertEqual(names, ["service", "baseline", "service / baseline"])
        row = dict(zip(table.columns, table.rows[2], strict=True))
        self.assertEqual((row["p99 ms"], row["CPU us"]), ("0.25", "0.12"))
        ours = dict(zip(table.columns, table.rows[0], strict=True))
        self.assertEqual((ours["answer p50"], ours["answer p99"]), ("5.0", "15.0"))
        self.assertEqual(row["KiB a call"], "2.00")

    def test_each_number(self) -> None:
        """Each number of calls has its own ratios, and none without a baseline."""
        points = [point(name, n) for n in (50, 100) for name in ("service", "baseline")]
        rows = points_table("x", [*points, point("service", 200)]).rows
        self.assertEqual(
            [row[0] for row in rows], ["50", "50", "50", "100", "100", "100", "200"]
        )

    def test_elsewhere(self) -> None:
        """What a server elsewhere uses is not known."""
        (row,) = points_table("x", [point(server=None)]).rows
        self.assertEqual(row[-2:], ("-", "-"))

    def test_invalid(self) -> None:
        """What does not count has no figures, nor has a ratio to it."""
        points = [point(), point("baseline", outcome="invalid")]
        _, base, ratio = points_table("x", points).rows
        self.assertEqual(set(base[3:]), {"-"})
        self.assertEqual(set(ratio[3:]), {"-", ""})

    def test_highest(self) -> None:
        """The most calls are a median, with its ratio; and what is unsure about it."""
        found = [
            Highest(contender=name, calls=calls, capped=capped, retried=retried)
            for name, calls, capped, retried in (
                ("service", 600, False, (500,)),
                ("baseline", 150, False, ()),
                ("service", 640, True, ()),
                ("service", 600, False, ()),
            )
        ]
        ours, base = highest_table(found).rows
        self.assertEqual(
            ours, ("service", "at least 600", "600, 640, 600", "500", "4.00")
        )
        self.assertEqual(base, ("baseline", "150", "150", "-", "-"))

    def test_highest_alone(self) -> None:
        """Without a baseline there is no ratio."""
        one = Highest(contender="service", calls=9, capped=False, retried=())
        self.assertEqual(highest_table([one]).rows[0][-1], "-")
