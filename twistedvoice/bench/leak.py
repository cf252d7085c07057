# -*- test-case-name: tests.bench.test_leak -*-
"""Is anything left of calls that have ended?

A service with a meter in its process takes thousands of short calls. What it holds is
counted after a warm-up, which fills whatever is filled once, and after the last call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from attrs import frozen

from ..errors import BenchError
from ..table import Table
from .contender import Contender
from .generators import generating
from .machine import Cores
from .server import RunningServer, running
from .tally import Job

__all__ = ["Leak", "LeakRun"]

#: What of the calls warms up: a tenth.
_WARM_UP = 10
#: How many objects more are no leak: caches, counters of what is rare.
_OBJECTS = 200
_RSS_KIB = 4096
#: What is counted settles within this after the last call: batches are written.
_SETTLE_SECONDS = 3.0
#: What a run may take: for each call of each place, so many times its length.
_SLOWNESS = 10
_START_NS = 1_000_000_000


@frozen(kw_only=True)
class Leak:
    """What the service held at three moments."""

    calls: int
    completed: int
    idle: Mapping[str, int]
    warm: Mapping[str, int]
    after: Mapping[str, int]

    def problems(self) -> Iterator[str]:
        """:returns: what is left, in words."""
        if self.completed < self.calls:
            yield f"only {self.completed} of {self.calls} calls came about"
        for name, allowed in (
            ("descriptors", 0),
            ("objects", _OBJECTS),
            ("rss_kib", _RSS_KIB),
        ):
            more = self.after[name] - self.warm[name]
            if more > allowed:
                yield f"{more} {name} more than after the warm-up; {allowed} may be"

    def table(self) -> Table:
        """:returns: a row for each thing that was counted."""
        return Table(
            title=f"What is held, over {self.calls} calls",
            columns=("", "idle", "after the warm-up", "afterwards", "more"),
            rows=tuple(
                (
                    *(name, str(self.idle[name]), str(self.warm[name])),
                    *(str(self.after[name]), str(self.after[name] - self.warm[name])),
                )
                for name in ("descriptors", "objects", "rss_kib", "rubbish")
            ),
        )


@frozen(kw_only=True)
class LeakRun:
    """How many calls to make, and how."""

    cores: Cores
    calls: int
    at_once: int
    call_ms: int

    def measure(self, contender: Contender, tell: Callable[[str], None]) -> Leak:
        """
        Make all calls.

        :raises BenchError: when the service or the generator cannot be run.
        """
        with running(contender, self.cores.service) as server:
            idle = _settled(server)
            some = max(self.at_once, self.calls // _WARM_UP)
            tell(f"warming up with {some} calls")
            self._calls(server, some)
            warm = _settled(server)
            tell(f"making {self.calls} calls, {self.at_once} at once")
            completed = self._calls(server, self.calls)
            return Leak(
                calls=self.calls,
                completed=completed,
                idle=idle,
                warm=warm,
                after=_settled(server),
            )

    def _calls(self, server: RunningServer, total: int) -> int:
        """:returns: how many calls came about."""
        job = self.job(server.port, server.contender.path, total)
        with generating(job, self.cores.generators[:1]) as generators:
            tally = generators.tally()
        if tally.errors:
            raise BenchError(f"calls went wrong: {dict(tally.errors)}")
        return tally.counts["opened"]

    def job(self, port: int, path: str, total: int) -> Job:
        """:returns: so many calls, a few at once."""
        places = min(self.at_once, total)
        begin = time.monotonic_ns() + _START_NS
        turns = -(-total // places)
        apart_ns = self.call_ms * 1_000_000 // places
        longest_ns = turns * self.call_ms * 1_000_000 * _SLOWNESS + _START_NS
        return Job(
            host="127.0.0.1",
            port=port,
            path=path,
            indices=tuple(range(places)),
            all_calls=places,
            begin_ns=begin,
            apart_ns=apart_ns,
            from_ns=begin + longest_ns,
            to_ns=begin + longest_ns,
            call_ms=self.call_ms,
            total=total,
        )


def _settled(server: RunningServer) -> Mapping[str, int]:
    time.sleep(_SETTLE_SECONDS)
    return server.ask()
