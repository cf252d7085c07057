"""A call that costs too much is ended politely, and its record has what it cost."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.services import Route
from twistedvoice.calls.spending import Spending
from twistedvoice.interfaces import CallControl

from .doubles import Exchange, HangUps, Line, Notebook, limits_of, tone

__all__ = ["CapTests", "SpendingTests"]


class SpendingTests(SynchronousTestCase):
    """The sum alone."""

    def test_over_once(self) -> None:
        """It says once that the cap is passed; to reach it is allowed."""
        spending = Spending(1.0)
        self.assertEqual(
            [spending.add(amount) for amount in (0.5, 0.5, 0.25, 1)],
            [False, False, True, False],
        )
        self.assertEqual(spending.total, 2.25)

    def test_no_cap(self) -> None:
        """Without a cap any sum is fine; with one of nothing, none is."""
        self.assertFalse(Spending(None).add(1e9))
        self.assertTrue(Spending(0).add(0.01))

    def test_small_amounts(self) -> None:
        """Many small amounts make their sum exactly."""
        spending = Spending(0.1)
        self.assertFalse(any(spending.add(0.0001) for _ in range(1000)))
        self.assertEqual(spending.total, 0.1)

    def test_refused(self) -> None:
        """What is no amount is refused and not added."""
        spending = Spending(1.0)
        for amount in (-0.1, float("nan"), float("inf")):
            self.assertRaises(ValueError, spending.add, amount)
        self.assertEqual(spending.total, 0)


class Polite(Notebook):
    """Says half a second of goodbye when it must."""

    def must_end(self, reason: str) -> None:
        self.events.append(("must_end", reason))
        self.call.interrupt(reason)
        self.call.hang_up_after(self.call.say(tone(500)))


class Deaf(Notebook):
    """Talks on whatever it is told."""

    def must_end(self, reason: str) -> None:
        self.events.append(("must_end", reason))

    async def call_started(self, call: CallControl) -> None:
        while True:
            await call.say(tone(1000)).finished()


class CapTests(SynchronousTestCase):
    """What follows in a call."""

    def dial(self, agent: Notebook, cap: float | None = 1.0) -> Line:
        """:returns: a line whose call may cost so much."""
        self.agent = agent
        self.exchange = Exchange(agent=lambda: agent)
        route = self.exchange.services.route

        def capped(number: str) -> Route:
            return evolve(route(number), spend_cap=cap)

        self.exchange.services.route = capped
        return self.exchange.dial()

    def test_goodbye(self) -> None:
        """The agent is told once, says goodbye, and the record says why and what."""
        line = self.dial(Polite())
        self.agent.call.say(tone(5000))
        self.exchange.advance(1)
        self.agent.call.spent(0.75)
        self.agent.call.spent(0.5)
        self.agent.call.spent(0.125)
        self.exchange.advance(0.4)
        self.assertEqual(line.closed, [])
        self.exchange.advance(0.4)
        self.assertEqual(line.closed, ["overspent"])
        self.assertEqual(self.agent.events.count(("must_end", "overspent")), 1)
        [cdr] = self.exchange.cdrs
        self.assertEqual((cdr["outcome"], cdr["spent"]), ("overspent", 1.375))

    def test_whole_call(self) -> None:
        """The call is over with its stream, whatever its markup goes on with."""
        line = self.dial(Notebook())
        line.stop()
        self.exchange.services.hang_up_by_control = True
        control = self.exchange.services.control = HangUps()
        self.exchange.dial("CA2")
        self.agent.call.spent(2)
        self.exchange.advance(1)
        self.assertEqual(control.asked, [("hang up", "CA2")])

    def test_without_goodbye(self) -> None:
        """An agent that has no goodbye hangs up; what it was saying is still heard."""
        line = self.dial(Notebook())
        self.agent.call.say(tone(500))
        self.agent.call.spent(2)
        self.exchange.advance(0.3)
        self.assertEqual(line.closed, [])
        self.exchange.advance(0.5)
        self.assertEqual(line.closed, ["overspent"])

    def test_agent_that_goes_on(self) -> None:
        """An agent that does not stop is stopped, for the same reason."""
        line = self.dial(Deaf())
        self.agent.call.spent(2)
        self.exchange.advance(14.9)
        self.assertEqual(line.closed, [])
        self.exchange.advance(0.2)
        self.assertEqual(line.closed, ["overspent"])

    def test_goodbye_interrupted(self) -> None:
        """Who talks into the goodbye gains no more than the time for one."""
        line = self.dial(Polite())
        self.agent.call.spent(2)
        self.exchange.advance(0.2)
        self.agent.call.interrupt("speech")
        self.exchange.advance(14)
        self.assertEqual(line.closed, [])
        self.exchange.advance(1)
        self.assertEqual(line.closed, ["overspent"])

    def test_too_long(self) -> None:
        """The longest call ends the same way."""
        line = self.dial(Polite())
        self.exchange.services.limits = limits_of(longest=5)
        other = self.exchange.dial("CA2")
        self.exchange.advance(5.4)
        self.assertEqual((line.closed, other.closed), ([], []))
        self.exchange.advance(0.4)
        self.assertEqual((line.closed, other.closed), ([], ["too_long"]))
        self.assertIn(("must_end", "too_long"), self.agent.events)

    def test_one_reason(self) -> None:
        """A call that must end already is not told to again."""
        line = self.dial(Deaf())
        self.exchange.services.limits = limits_of(longest=5)
        other = self.exchange.dial("CA2")
        self.exchange.advance(6)
        self.agent.call.spent(2)
        self.exchange.advance(14.5)
        self.assertEqual((line.closed, other.closed), ([], ["too_long"]))
        self.assertEqual(
            self.agent.events[-2:], [("must_end", "too_long"), ("ended", "too_long")]
        )

    def test_no_cap(self) -> None:
        """Without a cap the costs are only written down."""
        line = self.dial(Notebook(), None)
        self.agent.call.spent(100)
        self.exchange.advance(20)
        line.stop()
        [cdr] = self.exchange.cdrs
        self.assertEqual((cdr["outcome"], cdr["spent"]), ("completed", 100))
