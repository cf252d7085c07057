"""Tests of ``twistedvoice.calls.agentlink``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.agentlink import AgentLink
from twistedvoice.errors import CallStateError, QueueFull
from twistedvoice.interfaces import CallControl

from .doubles import Exchange, Line, Notebook, tone

__all__ = ["AfterTheEndTests", "FaultTests", "LinkTests", "WaitingTests"]

#: What tells an agent of each event.
EVENTS: dict[str, Callable[[Line, Notebook], object]] = {
    "audio_heard": lambda line, agent: line.sound(),
    "digit_pressed": lambda line, agent: line.press("#"),
    "mark_reached": lambda line, agent: agent.call.send_mark("here"),
    "interrupted": lambda line, agent: (
        agent.call.say(tone(20)),
        agent.call.interrupt("test"),
    ),
}


class Faulty(Notebook):
    """An agent that raises in one of its methods, in one of the possible ways."""

    def __init__(self, event: str, fault: Callable[..., Any]) -> None:
        super().__init__()
        setattr(self, event, fault)


def raises(*details: object) -> None:
    raise ZeroDivisionError


async def raises_in_a_coroutine(*details: object) -> None:
    raise ZeroDivisionError


def fails_a_deferred(*details: object) -> Deferred[None]:
    return fail(ZeroDivisionError())


def exits(*details: object) -> None:
    """End the process, as an agent may think."""
    raise SystemExit(1)


async def exits_in_a_coroutine(*details: object) -> None:
    raise SystemExit(1)


FAULTS = (
    raises,
    raises_in_a_coroutine,
    fails_a_deferred,
    exits,
    exits_in_a_coroutine,
)


class FaultTests(SynchronousTestCase):
    """What an agent raises ends its own call, and no other."""

    def setUp(self) -> None:
        self.exchange = Exchange()
        self.well = Notebook()
        self.exchange.make_agent = lambda: self.well
        self.neighbour = self.exchange.dial("CA0")
        self.well.call.say(tone(2000))

    def begin(self, event: str, fault: Callable[..., Any]) -> Line:
        """:returns: a line whose agent has a fault."""
        self.agent = Faulty(event, fault)
        self.exchange.make_agent = lambda: self.agent
        return self.exchange.dial("CA1")

    def assertFailedAlone(self, line: Line) -> None:
        """Check that the call failed, logged once, and that its neighbour goes on."""
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertEqual(line.closed, ["failed"])
        [cdr] = self.exchange.cdrs
        self.assertEqual((cdr["call_id"], cdr["outcome"]), ("CA1", "failed"))
        self.assertEqual(self.neighbour.closed, [])
        self.exchange.advance(3)
        self.assertEqual(self.neighbour.listen(), tone(2000))

    def test_at_the_start(self) -> None:
        """A fault as soon as the call begins ends it; the agent is told of the end."""
        for fault in FAULTS:
            with self.subTest(fault.__name__):
                self.setUp()
                self.assertFailedAlone(self.begin("call_started", fault))
                self.assertEqual(self.agent.endings(), ["failed"])

    def test_at_each_event(self) -> None:
        """A fault at any event ends the call."""
        for event, happens in EVENTS.items():
            for fault in (raises, exits) if event == "audio_heard" else FAULTS:
                with self.subTest(event, fault=fault.__name__):
                    self.setUp()
                    line = self.begin(event, fault)
                    happens(line, self.agent)
                    self.exchange.advance(0.1)
                    self.assertFailedAlone(line)

    def test_at_the_end(self) -> None:
        """A fault at the end is logged, and changes nothing any more."""
        for fault in FAULTS:
            with self.subTest(fault.__name__):
                self.setUp()
                line = self.begin("call_ended", fault)
                line.stop()
                self.assertEqual(len(self.flushLoggedErrors()), 1)
                self.assertEqual(self.exchange.cdrs[0]["outcome"], "completed")

    def test_later(self) -> None:
        """A coroutine that raises after it has waited ends its call just so."""
        waiting: Deferred[None] = Deferred()

        async def waits_and_raises(digit: str) -> None:
            await waiting
            raise ZeroDivisionError

        line = self.begin("digit_pressed", waits_and_raises)
        line.press("1")
        self.assertEqual(line.closed, [])
        waiting.callback(None)
        self.assertFailedAlone(line)

    def test_twice(self) -> None:
        """The second fault of an agent, on its way out, does not end it again."""
        line = self.begin("digit_pressed", raises)
        setattr(self.agent, "call_ended", raises)  # noqa: B010
        line.press("1")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.assertEqual(len(self.exchange.cdrs), 1)

    def test_returns_nonsense(self) -> None:
        """What is returned and cannot be waited for is a fault of the agent, too."""
        self.assertFailedAlone(self.begin("call_started", lambda call: "hello"))

    def test_queue_full(self) -> None:
        """An agent that says too much and does not mind the answer fails."""

        def chatters(call: CallControl) -> None:
            while True:
                call.say(tone(10_000))

        line = self.begin("call_started", chatters)
        self.assertEqual(len(self.flushLoggedErrors(QueueFull)), 1)
        self.assertEqual(line.closed, ["failed"])

    def test_state_error_in_a_live_call(self) -> None:
        """To write to what was ended is a fault while the call is live."""

        def writes_on(call: CallControl) -> None:
            call.say(tone(20)).write(tone(20))

        self.assertFailedAlone(self.begin("call_started", writes_on))

    def test_no_room_for_the_call(self) -> None:
        """An agent that cannot be given its call is at fault."""

        class Bare:
            __slots__ = ()

        self.exchange.make_agent = Bare  # type: ignore[assignment]
        line = self.exchange.dial("CA1")
        self.assertGreaterEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assertEqual(line.closed, ["failed"])


class LinkTests(SynchronousTestCase):
    """The link by itself."""

    def test_failed_once(self) -> None:
        """An agent fails once, however often it raises; each time is logged."""
        failed: list[str] = []
        agent = Faulty("digit_pressed", raises)
        link = AgentLink(agent, "CA1", lambda: failed.append("failed"))
        for digit in "12":
            link.tell("digit_pressed", digit)
        self.assertEqual(failed, ["failed"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class WaitingTests(SynchronousTestCase):
    """What an agent still waits for when its call ends."""

    def begin(self, started: Callable[[CallControl], Any]) -> Line:
        """:returns: a line whose agent does ``started`` first."""
        self.agent = Faulty("call_started", started)
        self.exchange = Exchange(agent=lambda: self.agent)
        return self.exchange.dial()

    def test_cancelled(self) -> None:
        """A coroutine that waits for something else is cancelled, after the news."""
        told: list[str] = []
        waiting: Deferred[None] = Deferred(lambda _: told.append("cancelled"))

        async def waits(call: CallControl) -> None:
            await waiting

        line = self.begin(waits)
        setattr(self.agent, "call_ended", told.append)  # noqa: B010
        line.stop()
        self.assertEqual(told, ["completed", "cancelled"])

    def test_cleans_up(self) -> None:
        """A cancelled coroutine may clean up."""
        cleaned: list[str] = []

        async def waits(call: CallControl) -> None:
            try:
                await Deferred()
            finally:
                cleaned.append("up")

        self.begin(waits).stop()
        self.assertEqual(cleaned, ["up"])

    def test_fault_while_cancelled(self) -> None:
        """What is raised in the cleaning up is logged, and the call is over."""

        async def waits(call: CallControl) -> None:
            try:
                await Deferred()
            finally:
                raise ZeroDivisionError

        self.begin(waits).stop()
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertEqual(self.exchange.cdrs[0]["outcome"], "completed")

    def test_waits_for_its_words(self) -> None:
        """A story that says on when the call is over ends without a noise."""
        outcomes: list[str] = []

        async def story(call: CallControl) -> None:
            outcomes.append(await call.say(tone(1000)).finished())
            call.say(tone(1000))

        line = self.begin(story)
        line.stop()
        self.assertEqual(outcomes, ["lost"])
        self.assertEqual(self.exchange.cdrs[0]["outcome"], "completed")

    def test_waits_for_room(self) -> None:
        """A story that waits for room goes on, and ends, without a noise."""

        async def story(call: CallControl) -> None:
            while True:
                await call.room()
                call.say(tone(5000))

        line = self.begin(story)
        self.exchange.advance(20)
        self.assertEqual(line.closed, [])
        line.stop()
        self.assertEqual(self.exchange.cdrs[0]["outcome"], "completed")
        self.assertEqual(self.exchange.leftovers(), [])

    def test_story_to_the_end(self) -> None:
        """A story that ended before its call leaves nothing to cancel."""

        async def story(call: CallControl) -> None:
            await call.say(tone(100)).finished()
            call.hang_up()

        line = self.begin(story)
        self.exchange.advance(0.5)
        self.assertEqual(line.closed, ["hung_up"])
        self.assertEqual(line.listen(), tone(100))


class AfterTheEndTests(SynchronousTestCase):
    """An agent that did not notice that its call takes nothing new."""

    def test_all_is_refused(self) -> None:
        """Everything is refused, or does nothing, after the end."""
        agent = Notebook()
        exchange = Exchange(agent=lambda: agent)
        line = exchange.dial()
        agent.call.say(tone(1000))
        utterance = agent.call.speak()
        exchange.advance(0.3)
        [live] = exchange.switchboard
        line.stop()
        sent = len(line.wire)
        call = agent.call
        for refused in (call.speak, call.room):
            self.assertRaises(CallStateError, refused)
        self.assertRaises(CallStateError, call.say, tone(20))
        self.assertRaises(CallStateError, call.say_file, "none.wav")
        self.assertRaises(CallStateError, call.send_mark, "late")
        self.assertRaises(CallStateError, call.hang_up_after, utterance)
        self.assertRaises(CallStateError, call.transfer, "+15550100009")
        self.assertRaises(CallStateError, call.call_later, 1, lambda: None)
        self.assertEqual(call.interrupt("late"), 0)
        self.assertEqual(live.voice.interrupts, 0)
        self.assertFalse(call.is_playing)
        call.hang_up()
        utterance.write(tone(100))
        utterance.end()
        self.assertEqual(len(line.wire), sent)
        self.assertEqual(exchange.leftovers(), [])
