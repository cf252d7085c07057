"""Tests of ``twistedvoice.lag``."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.lag import LagProbe

__all__ = ["ProbeTests", "ThreadTests"]


def slow_agent() -> FrameType:
    """:returns: the frame of a function that holds the reactor up."""
    return sys._getframe()


SLOW_AGENT = f"tests/test_lag.py:slow_agent:{slow_agent.__code__.co_firstlineno + 2}"


class Sleeper:
    """A thread's event that never lets its thread run."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def wait(self, seconds: float) -> bool:
        return self.stopped.wait()

    def set(self) -> None:
        self.stopped.set()

    def clear(self) -> None:
        self.stopped.clear()


class ProbeTests(SynchronousTestCase):
    """Beats in virtual time, and a thread whose looks the test does itself."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.frame: FrameType | None = slow_agent()
        self.probe = LagProbe(
            self.clock, monotonic=self.clock.seconds, frames=self.frames
        )
        # The thread waits for its end; the test looks in its place.
        self.probe._stop = Sleeper()  # type: ignore[assignment]
        self.probe.startService()
        self.addCleanup(self.probe.stopService)
        self.events: list[dict[str, Any]] = []
        observer: Any = self.events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def frames(self) -> dict[int, FrameType]:
        return {} if self.frame is None else {threading.get_ident(): self.frame}

    def pass_time(self, seconds: int) -> None:
        """Let time pass, with every beat in time."""
        for _ in range(seconds * 20):
            self.clock.advance(0.05)

    def block(self, seconds: float) -> None:
        """Something holds the reactor up, and the thread looks meanwhile."""
        self.clock.rightNow += seconds
        self.probe.listen()
        self.clock.advance(0)

    def test_reactor_in_time(self) -> None:
        """Beats that come in time name nobody and log nothing."""
        for _ in range(40):
            self.clock.advance(0.05)
            self.probe.listen()
        self.assertEqual(self.probe.beats, 40)
        self.assertEqual(self.probe.lateness.count, 40)
        self.assertEqual(self.probe.lateness.largest, 0)
        self.assertEqual(self.probe.culprits, {})
        self.assertEqual(self.events, [])

    def test_culprit_is_named(self) -> None:
        """Code that holds the reactor up is counted by file, function and line."""
        self.block(0.2)
        self.assertEqual(self.probe.culprits, {SLOW_AGENT: 1})
        self.assertEqual(self.probe.lateness.largest // 1000, 150)

    def test_only_the_beat_logs(self) -> None:
        """The thread only notes; the next beat tells what it saw, once."""
        self.clock.rightNow += 0.2
        self.probe.listen()
        self.assertEqual(self.events, [])
        self.clock.advance(0)
        [event] = self.events
        self.assertEqual(event["log_level"], LogLevel.warn)
        self.assertEqual((event["late_ms"], event["culprit"]), (150, SLOW_AGENT))
        self.clock.advance(0.05)
        self.assertEqual(len(self.events), 1)

    def test_log_is_spared(self) -> None:
        """In five seconds one line is logged: how often it was late, and the worst."""
        for seconds in (0.1, 0.2, 0.5, 0.3):
            self.block(seconds)
        [first] = self.events
        self.assertEqual((first["late_ms"], first["beats"]), (50, 1))
        self.pass_time(6)
        [_, second] = self.events
        self.assertEqual((second["late_ms"], second["beats"]), (450, 3))
        self.assertEqual(second["culprit"], SLOW_AGENT)
        self.pass_time(6)
        self.block(0.2)
        [_, _, third] = self.events
        self.assertEqual((third["late_ms"], third["beats"]), (150, 1))

    def test_a_little_late_is_no_news(self) -> None:
        """Lateness that no call feels is measured, and nobody is blamed."""
        self.block(0.065)
        self.assertEqual(self.probe.lateness.largest // 1000, 15)
        self.assertEqual(self.probe.culprits, {})

    def test_two_blocks_in_a_row(self) -> None:
        """Each late beat is measured from the one before, so none hides another."""
        self.block(0.08)
        self.block(0.08)
        self.assertEqual(self.probe.beats, 2)
        self.assertEqual(self.probe.lateness.total // 1000, 60)
        self.assertEqual(self.probe.culprits, {SLOW_AGENT: 2})

    def test_places_are_bounded(self) -> None:
        """New places are not kept without end; known ones go on being counted."""
        for number in range(100):
            self.probe.culprits[f"place-{number}"] = 1
        self.block(0.2)
        self.assertEqual(len(self.probe.culprits), 100)
        self.probe.culprits[SLOW_AGENT] = self.probe.culprits.pop("place-0")
        self.block(0.2)
        self.assertEqual(self.probe.culprits[SLOW_AGENT], 2)

    def test_thread_that_is_gone(self) -> None:
        """A reactor without a frame is late all the same."""
        self.frame = None
        self.block(0.2)
        self.assertEqual(self.probe.culprits, {})
        self.assertEqual(self.probe.lateness.largest // 1000, 150)

    def test_stop(self) -> None:
        """After its stop the probe has no beat and no thread, and may start anew."""
        self.probe.stopService()
        self.probe.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(threads(), [])
        self.probe.startService()
        self.clock.advance(0.05)
        self.assertEqual(self.probe.beats, 1)


class ThreadTests(SynchronousTestCase):
    """The thread itself."""

    def test_thread_looks_and_ends(self) -> None:
        """It looks by itself, blames who started it, and is gone after the stop."""
        caught = threading.Event()
        clock = Clock()

        def frames() -> dict[int, FrameType]:
            running = sys._current_frames()
            caught.set()
            return running

        # To the thread the beat is overdue at once.
        probe = LagProbe(clock, monotonic=lambda: 1.0, frames=frames)
        probe.startService()
        [thread] = threads()
        self.assertTrue(thread.daemon)
        self.assertTrue(caught.wait(60))
        probe.stopService()
        self.assertEqual(threads(), [])
        self.assertNotEqual(probe.culprits, {})
        self.assertEqual(clock.getDelayedCalls(), [])


def threads() -> list[threading.Thread]:
    """:returns: the probe's threads that are alive."""
    return [each for each in threading.enumerate() if each.name == "twistedvoice-lag"]
