"""Tests for :mod:`twistedvoice.bench.disturbance`."""

from __future__ import annotations

import io
import json
import os
import threading
from itertools import islice

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.disturbance import (
    Meter,
    busy_thread,
    holdings,
    stall_lengths,
    stalls,
)


class StallTests(SynchronousTestCase):
    """Stalls of the reactor."""

    def test_lengths(self) -> None:
        """Every few stalls is one of the longest, and none is longer."""
        lengths = list(islice(stall_lengths(80.0), 10))
        self.assertEqual(max(lengths), 0.08)
        self.assertGreaterEqual(lengths.count(0.08), 4)
        self.assertGreater(len(set(lengths)), 3)

    def test_stalls(self) -> None:
        """They come at their rate until they are stopped, the first after a while."""
        clock, slept = Clock(), list[float]()
        stalling = stalls(clock, 80.0, 500.0, slept.append)
        self.assertEqual(slept, [])
        clock.pump([0.5, 0.5])
        self.assertEqual(slept, [0.08, 0.02])
        stalling.stop()
        clock.advance(5)
        self.assertEqual(len(slept), 2)


class MeterTests(SynchronousTestCase):
    """What the process holds."""

    def test_answers(self) -> None:
        """Each question is handed to the reactor, and has an answer in one line."""
        answers, counts = io.StringIO(), iter([{"objects": 1}, {"objects": 2}])
        meter = Meter(
            lambda function: function(),
            io.StringIO("?\n?\n"),
            answers,
            lambda: next(counts),
        )
        meter.run()
        lines = answers.getvalue().splitlines()
        self.assertEqual(list(map(json.loads, lines)), [{"objects": 1}, {"objects": 2}])

    def test_thread(self) -> None:
        """It waits for questions in a thread of its own."""
        asked = threading.Event()
        meter = Meter(lambda function: asked.set(), io.StringIO("?\n"), io.StringIO())
        meter.start()
        self.assertTrue(asked.wait(10))

    def test_holdings(self) -> None:
        """A descriptor more is one more, and a thousand objects too."""
        before = holdings()
        reading, writing = os.pipe()
        kept = [[n] for n in range(1000)]
        after = holdings()
        os.close(reading)
        os.close(writing)
        self.assertEqual(after["descriptors"] - before["descriptors"], 2)
        self.assertGreaterEqual(after["objects"] - before["objects"], len(kept) - 100)
        self.assertGreater(after["rss_kib"], 0)


class BusyThreadTests(SynchronousTestCase):
    """A thread that computes."""

    def test_runs(self) -> None:
        """It runs beside all else, until it is told to stop."""
        stop = busy_thread()
        names = [thread.name for thread in threading.enumerate()]
        self.assertIn("busy", names)
        stop.set()
