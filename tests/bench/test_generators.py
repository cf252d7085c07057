"""Tests for :mod:`twistedvoice.bench.generators`."""

from __future__ import annotations

import os
import socket
import time

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.generators import generating, shared_out

from .values import job

_CORES = sorted(os.sched_getaffinity(0))[:1]


class SharedOutTests(SynchronousTestCase):
    """Who makes which calls."""

    def test_few(self) -> None:
        """Few calls are made by one generator, however many cores there are."""
        self.assertEqual(shared_out(job(100), 4), [job(100)])

    def test_many(self) -> None:
        """Many are shared out among the cores, each call once."""
        for cores, expected in ((1, 1), (2, 2), (8, 2)):
            jobs = shared_out(job(1000), cores)
            self.assertEqual(len(jobs), expected)
            indices = sorted(index for each in jobs for index in each.indices)
            self.assertEqual(indices, list(range(1000)))
            self.assertEqual({each.all_calls for each in jobs}, {1000})


class GeneratingTests(SynchronousTestCase):
    """A generator as a process."""

    def test_nobody_there(self) -> None:
        """It makes its calls, and counts those that nobody takes."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))  # and does not listen
            now = time.monotonic_ns()
            told = job(
                3,
                port=free.getsockname()[1],
                begin_ns=now,
                from_ns=now,
                to_ns=now + 60_000_000_000,
            )
            with generating(told, _CORES) as generators:
                tally = generators.tally()
        self.assertEqual(tally.errors, {"connect": 3})
        self.assertEqual(tally.counts["silent"], 3)
