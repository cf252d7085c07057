"""Tests of ``twistedvoice.calls.call``: every way that a call can end, in any order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import NoReturn

from twisted.internet.defer import Deferred, TimeoutError, fail  # noqa: A004
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.services import CallLimits, Route
from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import CallControl

from .doubles import (
    ACCOUNT,
    BinaryLine,
    Exchange,
    HangUps,
    Line,
    Notebook,
    limits_of,
    tone,
)

__all__ = ["DrainTests", "EndTests", "HangUpByControlTests", "StartTests", "WatchTests"]


class CallTestCase(SynchronousTestCase):
    """One exchange, whose agents write down what they are told."""

    def setUp(self) -> None:
        self.agents: list[Notebook] = []
        self.exchange = Exchange(agent=self.make_agent)

    def make_agent(self) -> Notebook:
        agent = Notebook()
        self.agents.append(agent)
        return agent

    def limit(self, limits: CallLimits) -> None:
        """Let calls from now on have other limits."""
        self.exchange.services.limits = limits

    def assertEndedOnce(self, outcome: str) -> None:
        """Check that the one call ended for everybody, once, and left nothing."""
        [agent] = self.agents
        self.assertEqual(agent.endings(), [outcome])
        [cdr] = self.exchange.cdrs
        self.assertEqual(cdr["outcome"], outcome)
        self.assertEqual(self.exchange.switchboard.outcomes, {outcome: 1})
        self.assertEqual(self.exchange.admission.released, 1)
        self.assertEqual(len(self.exchange.onlooker.times("ended")), 1)
        self.assertEqual(self.exchange.leftovers(), [])

    def assertTurnedAway(self, outcome: str) -> None:
        """Check that the one stream never became a call, and left nothing."""
        self.assertEqual(self.exchange.switchboard.turned_away, {outcome: 1})
        self.assertEqual(self.exchange.switchboard.outcomes, {})
        self.assertEqual(self.exchange.cdrs, [])
        self.assertEqual(self.exchange.onlooker.events, [])
        self.assertEqual(self.exchange.leftovers(), [])


class StartTests(CallTestCase):
    """From the open socket to the agent."""

    def test_no_start(self) -> None:
        """A socket that says nothing is closed after three seconds, and is no call."""
        line = self.exchange.open()
        self.exchange.advance(2.9)
        self.assertEqual(line.closed, [])
        self.exchange.advance(0.2)
        self.assertEqual(line.closed, ["unstarted"])
        self.assertTurnedAway("unstarted")

    def test_lost_before_start(self) -> None:
        """A socket that goes before it said anything leaves nothing."""
        self.exchange.open().lose()
        self.assertTurnedAway("lost")

    def test_started(self) -> None:
        """The agent gets its call, told of before anything else, without the token."""
        reservation = self.exchange.reserve()
        line = self.exchange.open()
        line.start(token=reservation.token, greeting="hi")
        line.sound()
        [agent] = self.agents
        self.assertEqual(agent.events, [("started",)])
        self.assertEqual(agent.heard, [(tone(20), 0)])
        self.assertEqual(agent.call.params, {"greeting": "hi"})
        self.assertEqual(agent.call.to_number, reservation.to_number)
        self.assertEqual(agent.call.from_number, reservation.from_number)
        self.assertEqual(agent.call.call_id, "CA1")

    def test_said_at_once(self) -> None:
        """What an agent says as soon as it is told is heard from its first byte."""

        class Greeter(Notebook):
            def call_started(self, call: CallControl) -> None:
                call.say(tone(200))

        self.exchange.make_agent = Greeter
        line = self.exchange.dial()
        self.exchange.advance(0.5)
        self.assertEqual(line.listen(), tone(200))

    def test_start_timer_is_off(self) -> None:
        """Once a call has started, the watch over its start does not end it."""
        line = self.exchange.dial()
        self.exchange.advance(4)
        self.assertEqual(line.closed, [])

    def test_not_recorded(self) -> None:
        """A call whose sound nobody wants keeps none of it."""
        self.exchange.services.route = lambda number: Route(
            agent_name="test", make_agent=self.make_agent, recorded=False
        )
        line = self.exchange.dial()
        line.sound()
        self.agents[0].call.say(tone(100))
        self.exchange.advance(0.2)
        [call] = self.exchange.switchboard
        self.assertIsNone(call.inbound.tracks)
        self.assertIsNone(call.stream.tracks)
        self.assertEqual(len(line.arrivals("media")), 5)

    def test_no_agent(self) -> None:
        """A call for which no agent can be made fails, with its record."""

        def broken() -> NoReturn:
            raise KeyError("no prompts")

        self.exchange.make_agent = broken
        line = self.exchange.dial()
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertEqual(line.closed, ["failed"])
        self.assertEqual(self.exchange.cdrs[0]["outcome"], "failed")
        self.assertEqual(self.exchange.leftovers(), [])

    def test_no_route(self) -> None:
        """A number whose route cannot be found ends the call and keeps no place."""

        def broken(number: str) -> Route:
            raise KeyError("no route")

        self.exchange.services.route = broken
        line = self.exchange.dial()
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertEqual(line.closed, ["unavailable"])
        self.assertTurnedAway("unavailable")

    def test_hang_up_at_once(self) -> None:
        """An agent may hang up as soon as it is told of the call."""

        class Refuser(Notebook):
            def call_started(self, call: CallControl) -> None:
                call.hang_up()

        agent = Refuser()
        self.agents.append(agent)
        self.exchange.make_agent = lambda: agent
        line = self.exchange.dial()
        self.assertEqual(line.closed, ["hung_up"])
        self.assertEndedOnce("hung_up")


class EndTests(CallTestCase):
    """Whatever ends a call, and whatever follows, it ends once."""

    def setUp(self) -> None:
        super().setUp()
        self.line = self.exchange.dial()
        self.agent = self.agents[0]
        self.call = self.agent.call
        self.call.say(tone(1000))
        self.exchange.advance(0.25)

    def test_every_order(self) -> None:
        """The first of stop, lost socket, webhook, timer and failure counts."""
        enders = {
            "stop": "completed",
            "lose": "lost",
            "webhook": "completed",
            "service": "drained",
            "agent": "failed",
            "tick": "failed",
        }
        for order in permutations(enders, 3):
            self.exchange = Exchange(agent=self.make_agent)
            self.agents.clear()
            self.line = self.exchange.dial()
            self.call = self.agents[0].call
            self.call.say(tone(1000))
            self.exchange.advance(0.25)
            for name in order:
                self.end(name)
            self.assertEndedOnce(enders[order[0]])
            written = len(self.line.wire)
            self.exchange.advance(5)
            self.assertEqual(len(self.line.wire), written, order)
        self.flushLoggedErrors(ZeroDivisionError)

    def end(self, name: str) -> None:
        """Let one of the ways to end a call happen."""
        {
            "stop": self.line.stop,
            "lose": self.line.lose,
            "webhook": lambda: self.exchange.switchboard.carrier_ended("CA1", ACCOUNT),
            "service": lambda: self.exchange.switchboard.end_all("drained"),
            "agent": self.break_agent,
            "tick": self.break_tick,
        }[name]()

    def break_agent(self) -> None:
        def press(digit: str) -> None:
            raise ZeroDivisionError

        self.agents[0].digit_pressed = press  # type: ignore[method-assign]
        self.line.press("1")

    def break_tick(self) -> None:
        if self.line.call is not None and self.line.call.state != "Closed":
            self.line.call.stream.flags.failure = ZeroDivisionError("planted")
            self.exchange.advance(0.1)

    def test_socket_is_closed_when_still_there(self) -> None:
        """The socket is closed with the outcome as its reason, once."""
        self.line.stop()
        self.line.lose()
        self.assertEqual(self.line.closed, ["completed"])

    def test_lost_socket_is_not_closed(self) -> None:
        """A socket that is gone is not closed again."""
        self.line.lose()
        self.assertEqual(self.line.closed, [])
        self.assertEndedOnce("lost")

    def test_failed_tick(self) -> None:
        """A tick that raises ends its call, logged, and lets the schedule go on."""
        other = self.exchange.dial("CA2")
        self.agents[1].call.say(tone(500))

        def write(wire: bytes) -> None:
            raise OSError("planted")

        self.line.write = write  # type: ignore[method-assign]
        self.exchange.advance(0.6)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.agents[0].endings(), ["failed"])
        self.assertEqual(other.listen(), tone(500))

    def test_silence_after_the_end(self) -> None:
        """After its end a call hears nothing, whatever still comes."""
        self.line.stop()
        self.line.sound()
        self.line.press("1")
        self.line.echo("m1")
        self.assertEqual(self.agent.heard, [])
        self.assertEqual(self.agent.events, [("started",), ("ended", "completed")])

    def test_nothing_is_heard_after_the_end(self) -> None:
        """What the caller has heard stays what it was at the end."""
        utterance = self.call.speak()
        utterance.write(tone(500))
        self.exchange.advance(1)
        self.line.stop()
        heard_ms = utterance.heard_ms()
        self.exchange.advance(1)
        self.assertEqual(utterance.heard_ms(), heard_ms)

    def test_timers_end_with_the_call(self) -> None:
        """What an agent wanted to be called for is not, once the call is over."""
        called: list[str] = []
        self.call.call_later(1, lambda: called.append("late"))
        self.line.stop()
        self.assertEndedOnce("completed")
        self.assertEqual(called, [])


class WatchTests(CallTestCase):
    """The watchdogs of a call."""

    def talk(self, line: Line, seconds: int) -> None:
        """The caller's side goes on for a while."""
        for _ in range(seconds):
            line.sound()
            self.exchange.advance(1)

    def test_longest(self) -> None:
        """A call ends at its longest, however lively it is."""
        self.limit(limits_of(longest=5))
        line = self.exchange.dial()
        self.talk(line, 4)
        self.assertEqual(line.closed, [])
        self.talk(line, 2)
        self.assertEqual(line.closed, ["too_long"])
        self.assertEndedOnce("too_long")

    def test_silence(self) -> None:
        """A carrier that sends nothing any more is given up."""
        self.limit(limits_of(silence=5))
        line = self.exchange.dial()
        self.talk(line, 10)
        self.assertEqual(line.closed, [])
        self.exchange.advance(4.2)
        self.assertEqual(line.closed, ["silent"])
        self.assertEndedOnce("silent")

    def test_silence_means_sound(self) -> None:
        """What is no sound does not make a carrier's silence shorter."""
        self.limit(limits_of(silence=5))
        line = self.exchange.dial()
        for _ in range(6):
            line.press("1")
            line.echo("m99")
            self.exchange.advance(1)
        self.assertEqual(line.closed, ["silent"])

    def test_new_limits(self) -> None:
        """Limits that are set anew count for new calls, not for those that live."""
        self.limit(limits_of(longest=20, silence=10, stall=5))
        line = self.exchange.dial("CA1")
        self.limit(limits_of(longest=3, silence=1, stall=1))
        other = self.exchange.dial("CA2")
        self.agents[0].call.say(tone(1000))
        line.writable = False
        self.exchange.advance(4)
        self.assertEqual((line.closed, other.closed), ([], ["silent"]))
        line.writable = True
        self.exchange.advance(5)
        self.assertEqual(line.closed, [])
        self.talk(line, 12)
        self.assertEqual(line.closed, ["too_long"])

    def test_stall(self) -> None:
        """A peer that does not read what waits for it is given up."""
        self.limit(limits_of(stall=2))
        line = self.exchange.dial()
        self.agents[0].call.say(tone(1000))
        self.exchange.advance(0.2)
        line.writable = False
        self.exchange.advance(1.9)
        self.assertEqual(line.closed, [])
        self.exchange.advance(0.3)
        self.assertEqual(line.closed, ["stalled"])
        self.assertEndedOnce("stalled")

    def test_short_stall(self) -> None:
        """A peer that reads on in time is none, and misses nothing."""
        self.limit(limits_of(stall=2))
        line = self.exchange.dial()
        self.agents[0].call.say(tone(1000))
        for _ in range(4):
            line.writable = False
            self.exchange.advance(1)
            line.writable = True
            self.exchange.advance(0.1)
        self.exchange.advance(5)
        self.assertEqual(line.closed, [])
        self.assertEqual(line.listen(), tone(1000))

    def test_interrupted_stall(self) -> None:
        """What an interrupt has dropped is no longer waited for."""
        self.limit(limits_of(stall=2))
        line = self.exchange.dial()
        self.agents[0].call.say(tone(1000))
        line.writable = False
        self.exchange.advance(1)
        self.agents[0].call.interrupt("speech")
        line.writable = True
        self.exchange.advance(5)
        self.assertEqual(line.closed, [])

    def test_stalled_mark(self) -> None:
        """A stall that held nothing but a mark is over once the mark is written."""
        self.limit(limits_of(stall=2))
        line = self.exchange.dial()
        line.writable = False
        reached = self.agents[0].call.send_mark("here")
        self.exchange.advance(1)
        line.writable = True
        self.exchange.advance(5)
        self.assertEqual(self.successResultOf(reached), "played")
        self.assertEqual(line.closed, [])


class DrainTests(CallTestCase):
    """Hanging up: what is queued is heard, nothing new is taken."""

    def begin(self, line_class: type[Line] = Line, delay: float = 0.0) -> CallControl:
        """:returns: a call with a second of sound to say."""
        self.line = self.exchange.dial(line_class=line_class, delay=delay)
        call = self.agents[0].call
        call.say(tone(1000, call.format))
        self.exchange.advance(0.25)
        return call

    def test_all_is_heard(self) -> None:
        """The socket closes once all was heard, not before."""
        self.begin().hang_up()
        self.exchange.advance(0.7)
        self.assertEqual(self.line.closed, [])
        self.exchange.advance(0.2)
        self.assertEqual(self.line.closed, ["hung_up"])
        self.assertEqual(self.line.listen(), tone(1000))
        self.assertEndedOnce("hung_up")

    def test_all_is_heard_far_away(self) -> None:
        """With a long way to the ear, the call waits for what is still on it."""
        call = self.begin(delay=0.3)
        self.exchange.advance(0.8)
        call.hang_up()
        self.exchange.advance(1)
        self.assertEqual(self.line.listen(), tone(1000))
        self.assertEndedOnce("hung_up")

    def test_without_marks(self) -> None:
        """On a carrier without marks, the clock says when all was heard."""
        self.begin(BinaryLine).hang_up()
        self.exchange.advance(0.7)
        self.assertEqual(self.line.closed, [])
        self.exchange.advance(0.3)
        self.assertEqual(len(self.line.arrivals("media")), 50)
        self.assertEndedOnce("hung_up")

    def test_no_mark_comes(self) -> None:
        """When the carrier keeps its mark, the call ends all the same."""
        call = self.begin()
        self.line.echoes = False
        call.hang_up()
        self.exchange.advance(3.6)
        self.assertEqual(self.line.closed, [])
        self.exchange.advance(0.3)
        self.assertEndedOnce("hung_up")

    def test_peer_does_not_read(self) -> None:
        """When the peer does not read, the call ends all the same."""
        call = self.begin()
        self.line.writable = False
        call.hang_up()
        self.exchange.advance(5)
        self.assertEndedOnce("hung_up")

    def test_nothing_to_drain(self) -> None:
        """With nothing to be heard the call ends at once."""
        call = self.begin()
        self.exchange.advance(1)
        call.hang_up()
        self.assertEqual(self.line.closed, ["hung_up"])

    def test_interrupt(self) -> None:
        """Who speaks while the call drains is spared the rest; the call is over."""
        call = self.begin()
        call.hang_up()
        self.exchange.advance(0.1)
        self.assertGreater(call.interrupt("speech"), 0)
        self.assertEqual(len(self.line.arrivals("clear")), 1)
        self.assertEndedOnce("hung_up")

    def test_late_words(self) -> None:
        """What a source still writes while the call drains is not heard."""
        call = self.begin()
        utterance = call.speak()
        utterance.write(tone(200))
        call.hang_up()
        utterance.write(tone(200)[::-1])
        utterance.end()
        self.exchange.advance(2)
        self.assertEqual(self.line.listen(), tone(1000) + tone(200))
        self.assertEqual(self.successResultOf(utterance.finished()), "lost")
        self.assertEndedOnce("hung_up")

    def test_agent_did_not_notice(self) -> None:
        """An agent that speaks on while its call drains does not cut it short."""

        def say(digit: str) -> None:
            self.agents[0].call.say(tone(20))

        call = self.begin()
        self.agents[0].digit_pressed = say  # type: ignore[method-assign]
        call.hang_up()
        self.line.press("1")
        self.exchange.advance(1)
        self.assertEqual(self.line.listen(), tone(1000))
        self.assertEndedOnce("hung_up")

    def test_carrier_ends_it_first(self) -> None:
        """A caller who leaves while the call drains ends it."""
        for end, outcome in (("stop", "completed"), ("lose", "lost")):
            with self.subTest(end):
                self.setUp()
                self.begin().hang_up()
                getattr(self.line, end)()
                self.assertEndedOnce(outcome)


class HangUpByControlTests(CallTestCase):
    """When the markup goes on, the call is ended through the carrier's API first."""

    def setUp(self) -> None:
        super().setUp()
        self.control = HangUps()
        self.exchange.services.control = self.control
        self.exchange.services.hang_up_by_control = True
        self.line = self.exchange.dial()

    def test_socket_closes_afterwards(self) -> None:
        """The socket closes once the carrier has ended the call."""
        self.agents[0].call.hang_up()
        self.assertEqual(self.control.asked, [("hang up", "CA1")])
        self.assertEqual(self.line.closed, [])
        self.control.answer.callback(None)
        self.assertEqual(self.line.closed, ["hung_up"])
        self.assertEndedOnce("hung_up")

    def test_failure(self) -> None:
        """When that fails, it is logged, and the socket closes all the same."""
        self.agents[0].call.hang_up()
        self.control.answer.errback(
            CarrierApiError("no answer", status=None, code=None, retryable=False)
        )
        self.assertEqual(len(self.flushLoggedErrors(CarrierApiError)), 1)
        self.assertEqual(self.line.closed, ["hung_up"])
        self.assertEndedOnce("hung_up")

    def test_failure_at_once(self) -> None:
        """A failure before anything was sent is no different."""
        self.control.answer = fail(
            CarrierApiError("no answer", status=None, code=None, retryable=False)
        )
        self.agents[0].call.hang_up()
        self.assertEqual(len(self.flushLoggedErrors(CarrierApiError)), 1)
        self.assertEndedOnce("hung_up")

    def test_only_what_we_end(self) -> None:
        """What ends the stream alone leaves the call to its markup."""
        ends: list[Callable[[], None]] = [
            self.line.stop,
            lambda: self.exchange.switchboard.end_all("failed"),
        ]
        for end in ends:
            end()
            self.assertEqual(self.control.asked, [])

    def test_too_long(self) -> None:
        """A call that lasted too long is over with its stream."""
        self.limit(limits_of(longest=5))
        self.exchange.dial("CA2")
        self.exchange.advance(6)
        self.assertEqual(self.control.asked, [("hang up", "CA2")])

    def test_set_anew(self) -> None:
        """What is set anew changes nothing for a live call."""
        self.exchange.services.hang_up_by_control = False
        self.exchange.services.control = None
        self.agents[0].call.hang_up()
        self.assertEqual(self.control.asked, [("hang up", "CA1")])

    def test_idle_waits(self) -> None:
        """A service that ends waits until the carrier has ended the call."""
        self.agents[0].call.hang_up()
        idle = self.exchange.switchboard.idle()
        self.assertEqual(len(self.exchange.cdrs), 1)
        self.assertNoResult(idle)
        self.control.answer.callback(None)
        self.successResultOf(idle)

    def test_idle_waits_no_longer(self) -> None:
        """An API that never answers is given up, undisturbed; the socket closes."""
        cancelled: list[object] = []
        self.control.answer = Deferred(cancelled.append)
        self.agents[0].call.hang_up()
        idle = self.exchange.switchboard.idle()
        self.exchange.advance(29)
        self.assertNoResult(idle)
        self.exchange.advance(2)
        self.successResultOf(idle)
        self.assertEqual(self.line.closed, ["hung_up"])
        self.assertEqual(len(self.flushLoggedErrors(TimeoutError)), 1)
        self.assertEqual(cancelled, [])

    def test_lost_socket_meanwhile(self) -> None:
        """The carrier may close the socket by itself when it ends the call."""
        self.agents[0].call.hang_up()
        self.line.lose()
        self.control.answer.callback(None)
        self.assertEndedOnce("hung_up")

    def test_transfer(self) -> None:
        """A call that was handed over ends as transferred."""
        transferred = self.agents[0].call.transfer("+15550100009")
        self.assertEqual(self.control.asked, [("transfer", "+15550100009")])
        self.assertNoResult(transferred)
        self.control.answer.callback(None)
        self.successResultOf(transferred)
        self.assertEndedOnce("transferred")

    def test_transfer_stops_first(self) -> None:
        """The carrier may end the stream before its API has answered."""
        self.agents[0].call.transfer("+15550100009")
        self.line.stop()
        self.control.answer.callback(None)
        self.assertEndedOnce("transferred")

    def test_stop_after_a_failed_transfer(self) -> None:
        """A call that could not be handed over has not been when it ends."""
        self.failureResultOf(self.refused_transfer(), CarrierApiError)
        self.line.stop()
        self.assertEndedOnce("completed")

    def refused_transfer(self) -> Deferred[None]:
        transferred = self.agents[0].call.transfer("+15550100009")
        self.control.answer.errback(
            CarrierApiError("busy", status=400, code=1, retryable=False)
        )
        return transferred

    def test_transfer_fails(self) -> None:
        """A call that could not be handed over goes on, and its agent learns why."""
        self.failureResultOf(self.refused_transfer(), CarrierApiError)
        self.agents[0].call.say(tone(20))
