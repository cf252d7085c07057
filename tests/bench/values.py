"""Values of the load test, for tests that look at one thing in them."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from twistedvoice.bench.figures import Figures, Outcome, Server, Spread, Verdict
from twistedvoice.bench.load import Point
from twistedvoice.bench.tally import Job

__all__ = ["FIGURES", "figures", "job", "point", "server"]

#: A run in which all is well.
FIGURES = Figures(
    calls=100,
    seconds=10.0,
    gap_ms=Spread(p50=0.02, p99=0.5, p999=1.5, most=3.0),
    echo_ms=Spread(p50=10.0, p99=20.0, p999=21.0, most=22.0),
    answer_ms=Spread(p50=5.0, p99=15.0, p999=16.0, most=17.0),
    late_ms=Spread(p50=0.02, p99=0.1, p999=0.5, most=1.0),
    batch_ms=Spread(p50=0.02, p99=0.1, p999=0.5, most=1.0),
    audio=1.0,
    stolen=0.0,
    counts={"opened": 100, "spoken": 50_000, "underruns": 0},
    errors={},
)


def figures(**changes: Any) -> Figures:
    """:returns: all is well, but for these."""
    return evolve(FIGURES, **changes)


def server(cpu_us: float = 1000.0, rss_kib: float = 20.0) -> Server:
    """:returns: what a server used."""
    return Server(
        cpu_share=0.1,
        cpu_us_per_call_second=cpu_us,
        rss_idle_kib=80_000,
        rss_kib_per_call=rss_kib,
    )


def point(
    contender: str = "service",
    calls: int = 100,
    outcome: Outcome = "holds",
    **changes: Any,
) -> Point:
    """:returns: a point with this outcome."""
    changed = {"server": server()} | changes
    return Point(
        contender=contender,
        calls=calls,
        figures=figures(calls=calls, **changed),
        verdict=Verdict(outcome=outcome, reasons=()),
    )


def job(calls: int = 2, **changes: Any) -> Job:
    """:returns: so many calls at once, measured from the second second to the third."""
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 8080,
        "path": "/",
        "indices": tuple(range(calls)),
        "all_calls": calls,
        "begin_ns": 0,
        "apart_ns": 1_000_000,
        "from_ns": 1_000_000_000,
        "to_ns": 2_000_000_000,
    }
    return Job(**(usual | changes))
