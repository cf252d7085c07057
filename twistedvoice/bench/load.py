# -*- test-case-name: tests.slow.bench -*-
"""One run: a server, generators on other cores, a window in which all is measured.

The times of the run are fixed before it begins and told to each generator; all
processes share the monotonic clock. Here their figures are put together and judged.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from attrs import field, frozen

from ..errors import BenchError
from .contender import Contender
from .figures import HOLDS, Figures, Limits, Server, Verdict
from .generators import generating
from .machine import Cores, stolen_seconds
from .server import running
from .tally import Job

__all__ = ["Point", "Stand", "Target", "raise_descriptors"]

_Used = TypeVar("_Used")

_NS = 1_000_000_000
#: Generators need a moment to start, and the last calls one to settle.
_START_NS = 1_000_000_000
_SETTLE_NS = 1_500_000_000


@frozen(kw_only=True)
class Target:
    """Where to call."""

    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """:raises BenchError: when it is no plain WebSocket URL."""
        parts = urlsplit(url)
        if parts.scheme != "ws" or not parts.hostname:
            raise BenchError(f"{url!r} is not ws://HOST:PORT/PATH")
        return cls(host=parts.hostname, port=parts.port or 80, path=parts.path or "/")


@frozen(kw_only=True)
class Point:
    """What a contender did under so many calls."""

    contender: str
    calls: int
    figures: Figures
    verdict: Verdict


@frozen(kw_only=True)
class Stand:
    """A test stand: how to measure, whatever is measured."""

    cores: Cores
    seconds: float = 10.0
    jitter_ms: int = 60
    #: How many calls come in a second. Beginning costs more than talking does.
    arrivals: int = 125
    limits: Limits = field(default=HOLDS)

    def measure(self, contender: Contender, calls: int) -> Point:
        """
        Put a contender under load, in a process of its own.

        :raises BenchError: when it or a generator cannot be run.
        """
        with running(contender, self.cores.service, self.cores.generators) as server:
            idle = server.usage()
            target = Target(host="127.0.0.1", port=server.port, path=contender.path)
            figures, before, after = self._run(target, calls, server.usage)
            server.stop()
            unrecorded = server.unrecorded()
        used = Server.between(idle, before, after, calls, self.seconds)
        return self._point(contender.name, figures.served(used, unrecorded))

    def measure_url(self, target: Target, calls: int) -> Point:
        """
        Put a server under load that runs already; what it uses stays unknown.

        :raises BenchError: when a generator cannot be run.
        """
        figures, _, _ = self._run(target, calls, lambda: None)
        return self._point("service", figures)

    def job(self, target: Target, calls: int) -> Job:
        """:returns: the whole of a run that begins now."""
        begin = time.monotonic_ns() + _START_NS
        apart_ns = _NS // self.arrivals
        window = begin + calls * apart_ns + _SETTLE_NS
        return Job(
            host=target.host,
            port=target.port,
            path=target.path,
            indices=tuple(range(calls)),
            all_calls=calls,
            begin_ns=begin,
            apart_ns=apart_ns,
            from_ns=window,
            to_ns=window + int(self.seconds * _NS),
            jitter_ms=self.jitter_ms,
        )

    def _run(
        self, target: Target, calls: int, used: Callable[[], _Used]
    ) -> tuple[Figures, _Used, _Used]:
        """:returns: the figures, and what was used at both ends of the window."""
        job = self.job(target, calls)
        with generating(job, self.cores.generators) as generators:
            _sleep_until(job.from_ns)
            before, stolen = used(), self._stolen()
            _sleep_until(job.to_ns)
            after, stolen = used(), self._stolen() - stolen
            tally = generators.tally()
        share = stolen / (self.seconds * len(self.cores.service))
        figures = Figures.of(tally, calls=calls, seconds=self.seconds, stolen=share)
        return figures, before, after

    def _stolen(self) -> float:
        # What is taken from the generators shows in how late they are.
        return stolen_seconds(self.cores.service)

    def _point(self, name: str, figures: Figures) -> Point:
        return Point(
            contender=name,
            calls=figures.calls,
            figures=figures,
            verdict=self.limits.judge(figures),
        )


def raise_descriptors() -> None:
    """Let this process, and so its children, open what it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _sleep_until(at_ns: int) -> None:
    time.sleep(max(0.0, (at_ns - time.monotonic_ns()) / _NS))
