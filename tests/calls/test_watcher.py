"""Tests of ``twistedvoice.calls.watcher`` and of what observers are told [RC-4]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, fail  # noqa: A004
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.interfaces import CallRecord

from .doubles import Exchange, Line, Notebook, Onlooker, tone

__all__ = ["CadenceTests", "FaultyObserverTests", "FirstAudioTests"]


class FirstAudioTests(SynchronousTestCase):
    """The first frame of a call becomes known."""

    def setUp(self) -> None:
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)
        self.onlooker = self.exchange.onlooker
        self.line = self.exchange.dial()

    def test_told_once_and_soon(self) -> None:
        """Observers are told within 100 ms of the first frame, and never again."""
        self.exchange.advance(0.33)
        self.agent.call.say(tone(1000))
        self.exchange.advance(3)
        self.agent.call.say(tone(1000))
        self.exchange.advance(3)
        [told] = self.onlooker.times("first audio")
        [sent, *_] = self.line.arrivals("media")
        self.assertLessEqual(told - sent, 0.1 + 1e-6)
        self.line.stop()
        self.assertEqual(len(self.onlooker.times("first audio")), 1)

    def test_each_of_many(self) -> None:
        """However many begin to speak at once, each is told within 100 ms."""
        self.agent.call.say(tone(1000))
        for number in range(6):
            self.exchange.dial(f"CA1{number}")
            self.agent.call.say(tone(1000))
        self.exchange.advance(0.2)
        self.assertEqual(len(self.onlooker.times("first audio")), 7)

    def test_not_from_the_tick(self) -> None:
        """The schedule tells nobody: with the watcher off, nothing becomes known."""
        self.exchange.watcher.stopService()
        self.agent.call.say(tone(1000))
        self.exchange.advance(2)
        self.assertEqual(len(self.line.arrivals("media")), 50)
        self.assertEqual(self.onlooker.times("first audio"), [])

    def test_one_chunk(self) -> None:
        """A greeting of one chunk with silence after it is enough [RC-2]."""
        self.agent.call.speak().write(tone(20))
        self.exchange.advance(0.2)
        self.assertEqual(len(self.onlooker.times("first audio")), 1)

    def test_nothing_said(self) -> None:
        """A call in which nothing is said has no first frame."""
        self.line.sound()
        self.exchange.advance(1)
        self.line.stop()
        self.assertEqual(self.onlooker.times("first audio"), [])
        self.assertEqual(
            [name for name, _, _ in self.onlooker.events], ["started", "ended"]
        )

    def test_asked(self) -> None:
        """What the agent wants of the recording is told at once, until the end."""
        self.agent.call.pause_recording()
        self.agent.call.say(tone(100))
        self.agent.call.hang_up()
        self.agent.call.resume_recording()
        self.line.stop()
        self.agent.call.pause_recording()
        self.assertEqual(
            [name for name, _, _ in self.onlooker.events],
            ["started", "pause", "resume", "ended"],
        )

    def test_call_ends_before_the_watcher_looks(self) -> None:
        """A call that ends right after its first frame had one all the same."""
        self.exchange.advance(0.1)
        self.agent.call.say(tone(20))
        self.exchange.advance(0.03)
        self.assertEqual(self.onlooker.times("first audio"), [])
        self.line.stop()
        self.assertEqual(
            [name for name, _, _ in self.onlooker.events],
            ["started", "first audio", "ended"],
        )

    def test_each_call_for_itself(self) -> None:
        """Each call is told of by itself, in a new call with an old id, too."""
        self.agent.call.say(tone(20))
        self.exchange.advance(0.2)
        self.line.stop()
        self.exchange.dial()
        self.agent.call.say(tone(20))
        self.exchange.advance(0.2)
        self.assertEqual(len(self.onlooker.times("first audio")), 2)

    def test_stops(self) -> None:
        """A stopped watcher leaves nothing on the clock, and can be stopped again."""
        self.line.stop()
        self.exchange.watcher.stopService()
        self.exchange.watcher.stopService()
        self.assertEqual(self.exchange.clock.getDelayedCalls(), [])


class Faulty(Onlooker):
    """An observer that raises at one event."""

    def __init__(self, clock: Clock, event: str, fault: Callable[..., Any]) -> None:
        super().__init__(clock)
        setattr(self, event, fault)


def raises(*details: object) -> None:
    raise ZeroDivisionError


def fails(record: CallRecord) -> Deferred[Mapping[str, object]]:
    return fail(ZeroDivisionError())


class FaultyObserverTests(SynchronousTestCase):
    """What an observer raises is its own affair."""

    def test_faults(self) -> None:
        """It is logged; the call goes on, is recorded, and others are told."""
        for event, fault in (
            ("call_started", raises),
            ("first_audio_sent", raises),
            ("asked", raises),
            ("call_ended", raises),
            ("call_ended", fails),
        ):
            with self.subTest(event, fault=fault.__name__):
                clock = Clock()
                agent = Notebook()
                exchange = Exchange(
                    clock=clock,
                    agent=lambda agent=agent: agent,  # type: ignore[misc]
                    observers=(Faulty(clock, event, fault),),
                )
                line = exchange.dial()
                agent.call.say(tone(200))
                exchange.advance(0.5)
                agent.call.pause_recording()
                line.stop()
                self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
                self.assertEqual(line.listen(), tone(200))
                self.assertEqual(
                    [name for name, _, _ in exchange.onlooker.events],
                    ["started", "first audio", "pause", "ended"],
                )
                self.assertEqual(exchange.cdrs[0]["outcome"], "completed")
                self.assertEqual(exchange.leftovers(), [])

    def test_look_that_raises(self) -> None:
        """A call that cannot be looked at does not hide the others."""
        agents = [Notebook(), Notebook()]
        exchange = Exchange(agent=iter(agents).__next__)
        exchange.dial("CA1")
        exchange.dial("CA2")
        first, _ = exchange.switchboard
        first.look = raises  # type: ignore[method-assign,assignment]
        agents[1].call.say(tone(20))
        exchange.advance(0.15)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(exchange.onlooker.times("first audio")), 1)


class CadenceTests(SynchronousTestCase):
    """The frames keep their pace, whatever observers do [RC-4]."""

    def setUp(self) -> None:
        self.agents: list[Notebook] = []
        self.exchange = Exchange(agent=self.make_agent)
        self.exchange.services.lead_ms = 20

    def make_agent(self) -> Notebook:
        agent = Notebook()
        self.agents.append(agent)
        return agent

    def assertEvenPace(self, line: Line, frames: int) -> None:
        """Check that every frame left exactly 20 ms after the one before."""
        arrivals = line.arrivals("media")
        self.assertEqual(len(arrivals), frames)
        gaps = {
            round(later * 1e6) - round(earlier * 1e6)
            for earlier, later in pairwise(arrivals)
        }
        self.assertEqual(gaps, {20_000})

    def test_observer_hangs(self) -> None:
        """While an observer hangs for 30 seconds, other calls hear no difference.

        The record is then kept without what it would have added.
        """
        hanging: Deferred[Mapping[str, object]] = Deferred()
        self.exchange.onlooker.facts = lambda: hanging
        ending, going_on = self.exchange.dial("CA1"), self.exchange.dial("CA2")
        self.agents[1].call.say(tone(32_000))
        self.exchange.advance(1)
        ending.stop()
        self.exchange.advance(29)
        self.assertEqual(self.exchange.cdrs, [])
        self.exchange.advance(3)
        self.assertEqual(len(self.exchange.cdrs), 1)
        self.assertEqual(len(self.flushLoggedErrors(TimeoutError)), 1)
        hanging.callback({"late": True})
        self.assertEqual(len(self.exchange.cdrs), 1)
        self.assertEvenPace(going_on, 1600)

    def test_calls_come_and_go(self) -> None:
        """Calls that begin, fail and end around it do not move a frame of a call."""
        steady = self.exchange.dial("CA0")
        self.agents[0].call.say(tone(10_000))
        for number in range(50):
            line = self.exchange.dial(f"CB{number}")
            self.agents[-1].call.say(tone(500))
            self.exchange.advance(0.137)
            (line.stop, line.lose, lambda: None)[number % 3]()
        self.exchange.advance(5)
        self.assertEvenPace(steady, 500)
