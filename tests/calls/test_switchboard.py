"""Tests of ``twistedvoice.calls.switchboard``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from twisted.internet.defer import Deferred, TimeoutError, fail  # noqa: A004
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import StoreError
from twistedvoice.store.memory import MemoryStore
from twistedvoice.store.rows import Rows

from .doubles import (
    ACCOUNT,
    EPOCH,
    FROM_NUMBER,
    TO_NUMBER,
    Exchange,
    Line,
    Notebook,
    tone,
)

__all__ = ["AdmitTests", "IdleTests", "SlowStoreTests", "TwoStreamsTests"]

T = TypeVar("T")


class SlowStore(MemoryStore):
    """A store whose answers wait until they are let go, in the order of the asking."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.failing = False
        self._held: list[Callable[[], object]] = []

    def answer_all(self) -> None:
        """Do all that was asked, and answer at once from now on."""
        while self._held:
            self.answer()
        self.slow = False

    def answer(self, count: int = 1) -> None:
        """Do the first things that were asked."""
        for _ in range(count):
            self._held.pop(0)()

    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        if self.failing:
            return fail(StoreError("The disk is gone."))
        if not self.slow:
            return super()._perform(step)
        later: Deferred[T] = Deferred()
        self._held.append(
            lambda: super(SlowStore, self)._perform(step).chainDeferred(later)
        )
        return later


class AdmitTests(SynchronousTestCase):
    """Who is let in."""

    def setUp(self) -> None:
        self.store = SlowStore()
        self.exchange = Exchange(store=self.store, max_calls=1)
        self.exchange.services.trusted = False

    def assertTurnedAway(self, line: Line, outcome: str) -> None:
        """Check that the stream was closed, counted, and never became a call."""
        self.assertEqual(line.closed, [outcome])
        self.assertEqual(self.exchange.switchboard.turned_away[outcome], 1)
        self.assertEqual(self.exchange.cdrs, [])

    def test_token(self) -> None:
        """A stream with the token of its call is let in, and knows the numbers."""
        token = self.exchange.reserve().token
        line = self.exchange.open()
        self.assertEqual(self.exchange.switchboard.unstarted(), 1)
        line.start(token=token)
        self.assertEqual(len(self.exchange.switchboard), 1)
        self.assertEqual(self.exchange.switchboard.unstarted(), 0)
        [call] = self.exchange.switchboard
        assert call.record is not None
        self.assertEqual(call.record.from_number, FROM_NUMBER)
        self.assertEqual(call.record.to_number, TO_NUMBER)
        self.assertEqual(self.exchange.places(), 1)

    def test_wrong_tokens(self) -> None:
        """No token, another's token and a used one are refused; nothing is left."""
        self.exchange.admission.max_calls = None
        other = self.exchange.reserve("CA2").token
        foreign = self.exchange.reserve("CA3", "AC9").token
        for call_id, token in (("CA1", ""), ("CA1", "guess"), ("CA1", other)):
            line = self.exchange.open(call_id)
            line.start(token=token)
            self.assertEqual(line.closed, ["refused"])
        line = self.exchange.open("CA3")
        line.start(token=foreign)
        self.assertEqual(line.closed, ["refused"])
        self.assertEqual(self.exchange.switchboard.turned_away, {"refused": 4})
        self.assertEqual(self.exchange.admission.refused_token, 4)
        self.exchange.advance(20)
        self.assertEqual(self.exchange.cdrs, [])
        self.assertEqual(self.exchange.leftovers(), [])

    def test_used_token(self) -> None:
        """A token opens one stream; a second one does not disturb the first."""
        token = self.exchange.reserve().token
        first, second = self.exchange.open(), self.exchange.open()
        first.start(token=token)
        second.start(token=token)
        self.assertTurnedAway(second, "refused")
        self.assertEqual(first.closed, [])
        self.assertEqual(self.exchange.places(), 1)

    def test_store_error(self) -> None:
        """When nobody can say whether there is a place, there is none."""
        line = self.exchange.open()
        self.store.failing = True
        line.start(token="any")
        self.store.failing = False
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.assertTurnedAway(line, "unavailable")
        self.assertEqual(self.exchange.leftovers(), [])

    def test_closed_gate(self) -> None:
        """A service that is stopping lets no trusted stream in."""
        self.exchange.services.trusted = True
        self.exchange.admission.close_gate()
        self.assertTurnedAway(self.exchange.dial(), "refused")
        self.assertEqual(self.exchange.admission.refused_closed, 1)

    def test_full(self) -> None:
        """A trusted stream too many is turned away; afterwards there is room."""
        self.exchange.services.trusted = True
        first = self.exchange.dial("CA1")
        self.assertTurnedAway(self.exchange.dial("CA2"), "refused")
        first.stop()
        third = self.exchange.dial("CA3")
        self.assertEqual(third.closed, [])

    def test_account_of_the_fixture(self) -> None:
        """A stream of another account than the reservation's is refused."""
        token = self.exchange.reserve(account_id=f"{ACCOUNT[:-1]}9").token
        line = self.exchange.open()
        line.start(token=token)
        self.assertTurnedAway(line, "refused")


class SlowStoreTests(SynchronousTestCase):
    """What happens while the store has not answered yet."""

    def setUp(self) -> None:
        self.store = SlowStore()
        self.exchange = Exchange(store=self.store)
        self.store.slow = True

    def test_agent_waits(self) -> None:
        """The agent is made once there is a place; the sound before it is kept."""
        line = self.exchange.dial()
        line.sound()
        self.exchange.advance(0.5)
        self.assertEqual(len(self.exchange.switchboard), 0)
        self.store.answer()
        [call] = self.exchange.switchboard
        assert call.record is not None and call.inbound.tracks is not None
        self.assertEqual(call.record.started_us, 0)
        self.assertEqual(call.record.started_at, EPOCH)
        self.assertEqual(list(call.inbound.tracks.heard), [(0, tone(20))])

    def test_socket_lost_meanwhile(self) -> None:
        """A place that comes too late is given back."""
        for end in ("lose", "stop"):
            self.store.slow = True
            line = self.exchange.dial()
            getattr(line, end)()
            self.store.answer_all()
        self.assertEqual(self.exchange.cdrs, [])
        self.assertEqual(self.exchange.admission.released, 2)
        self.assertEqual(self.exchange.leftovers(), [])

    def test_webhook_first(self) -> None:
        """A call that the carrier ended meanwhile is not answered any more."""
        line = self.exchange.dial()
        self.exchange.switchboard.carrier_ended("CA1", ACCOUNT)
        self.assertEqual(line.closed, ["completed"])
        self.store.answer_all()
        self.assertEqual(self.exchange.onlooker.events, [])
        self.assertEqual(self.exchange.leftovers(), [])

    def test_webhook_of_another(self) -> None:
        """What another account says of a call, or of none, ends nothing."""
        socket, line = self.exchange.open("CA2"), self.exchange.dial()
        for account_id in ("AC9", ""):
            self.exchange.switchboard.carrier_ended("CA1", account_id)
            self.exchange.switchboard.carrier_ended("session-1", account_id)
        self.assertEqual((socket.closed, line.closed), ([], []))

    def test_no_answer(self) -> None:
        """A stream that gets no answer in time is closed; a late place goes back."""
        line = self.exchange.dial()
        self.exchange.advance(9.9)
        self.assertEqual(line.closed, [])
        self.exchange.advance(0.2)
        self.assertEqual(line.closed, ["unavailable"])
        self.store.answer_all()
        self.assertEqual(self.exchange.leftovers(), [])

    def test_old_stream_ends_meanwhile(self) -> None:
        """The end of an old stream does not cost the new one its place."""
        old = self.exchange.dial()
        self.store.answer()
        new = self.exchange.dial()
        old.stop()
        self.store.answer_all()
        self.assertEqual(self.exchange.places(), 1)
        new.stop()
        self.exchange.advance(0.01)
        self.assertEqual(self.exchange.leftovers(), [])

    def test_old_stream_ends_and_new_one_fails(self) -> None:
        """When the new stream gets no place, that of the old one is given back."""
        old = self.exchange.dial()
        self.store.answer()
        self.exchange.services.trusted = False
        self.exchange.dial()
        old.stop()
        self.store.answer_all()
        self.assertEqual(self.exchange.switchboard.turned_away, {"refused": 1})
        self.assertEqual(self.exchange.leftovers(), [])


class TwoStreamsTests(SynchronousTestCase):
    """A second stream of a call that has one."""

    def setUp(self) -> None:
        self.agents: list[Notebook] = []
        self.exchange = Exchange(agent=self.make_agent)
        self.old = self.exchange.dial()
        self.exchange.advance(0.5)
        self.new = self.exchange.dial()

    def make_agent(self) -> Notebook:
        agent = Notebook()
        self.agents.append(agent)
        return agent

    def test_newest_wins(self) -> None:
        """The older stream ends as replaced; the newer carries the call."""
        self.assertEqual(self.old.closed, ["replaced"])
        self.assertEqual(self.new.closed, [])
        self.assertEqual(len(self.exchange.switchboard), 1)
        self.agents[1].call.say(tone(100))
        self.exchange.advance(0.2)
        self.assertEqual(self.new.listen(), tone(100))
        self.assertEqual(self.agents[0].endings(), ["replaced"])

    def test_place_is_kept(self) -> None:
        """The call keeps its one place, and gives it back at its end."""
        self.assertEqual(self.exchange.places(), 1)
        self.assertEqual(self.exchange.admission.released, 0)
        self.new.stop()
        self.exchange.advance(0.01)
        self.assertEqual(self.exchange.admission.released, 1)
        self.assertEqual(self.exchange.leftovers(), [])

    def test_both_have_records(self) -> None:
        """Each stream has its own record."""
        self.new.stop()
        self.exchange.advance(0.01)
        self.assertEqual(
            [(cdr["session_id"], cdr["outcome"]) for cdr in self.exchange.cdrs],
            [("session-1", "replaced"), ("session-2", "completed")],
        )

    def test_old_socket_goes_later(self) -> None:
        """What the older socket still does means nothing to the call."""
        self.old.stop()
        self.old.lose()
        self.assertEqual(self.new.closed, [])
        self.assertEqual(self.exchange.places(), 1)


class IdleTests(SynchronousTestCase):
    """Waiting for the last call."""

    def setUp(self) -> None:
        self.exchange = Exchange()

    def test_idle_at_once(self) -> None:
        """Without a call there is nothing to wait for."""
        self.successResultOf(self.exchange.switchboard.idle())

    def test_idle_after_records(self) -> None:
        """The end is reached when each record is kept, not when the call closed."""
        facts: Deferred[Mapping[str, object]] = Deferred()
        self.exchange.onlooker.facts = lambda: facts
        line = self.exchange.dial()
        idle = self.exchange.switchboard.idle()
        line.stop()
        self.assertNoResult(idle)
        facts.callback({"recording": "there.wav"})
        self.successResultOf(idle)
        self.assertEqual(self.exchange.cdrs[0]["recording"], "there.wav")

    def test_idle_after_open_sockets(self) -> None:
        """A socket that is no call yet is waited for, too."""
        line = self.exchange.open()
        idle = self.exchange.switchboard.idle()
        self.assertNoResult(idle)
        line.lose()
        self.successResultOf(idle)

    def test_end_all(self) -> None:
        """All are ended, those without a call among them."""
        lines = [self.exchange.dial("CA1"), self.exchange.dial("CA2")]
        lines.append(self.exchange.open("CA3"))
        self.exchange.switchboard.end_all("drained")
        self.assertEqual([line.closed for line in lines], [["drained"]] * 3)
        self.exchange.advance(0.01)
        self.assertEqual(self.exchange.leftovers(), [])

    def test_many_end_together(self) -> None:
        """They are seen off one at a time, and their records say when each ended."""
        for number in range(3):
            self.exchange.dial(f"CA{number}")
        self.exchange.advance(1)
        self.exchange.switchboard.end_all("lost")
        self.assertEqual(len(self.exchange.switchboard), 0)
        self.assertEqual(len(self.exchange.cdrs), 1)
        self.assertNoResult(self.exchange.switchboard.idle())
        self.exchange.advance(0.01)
        self.assertEqual([cdr["duration_ms"] for cdr in self.exchange.cdrs], [1000] * 3)
        self.assertEqual(self.exchange.leftovers(), [])

    def test_record_that_cannot_be_kept(self) -> None:
        """A record that cannot be kept is logged, and nobody waits for it."""
        self.exchange.services.keep_cdr = lambda cdr: fail(StoreError("full"))
        self.exchange.dial().stop()
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.assertEqual(self.exchange.leftovers(), [])

    def test_record_is_never_kept(self) -> None:
        """A disk that hangs is given up, undisturbed."""
        cancelled: list[object] = []
        self.exchange.services.keep_cdr = lambda cdr: Deferred(cancelled.append)
        self.exchange.dial().stop()
        idle = self.exchange.switchboard.idle()
        self.exchange.advance(29)
        self.assertNoResult(idle)
        self.exchange.advance(2)
        self.successResultOf(idle)
        self.assertEqual(len(self.flushLoggedErrors(TimeoutError)), 1)
        self.assertEqual(cancelled, [])

    def test_interrupts_are_timed(self) -> None:
        """How long each interrupt took is counted, to the clear on the wire [OB-2]."""
        agent = Notebook()
        self.exchange.make_agent = lambda: agent
        line = self.exchange.dial()
        agent.call.interrupt("nothing to interrupt")
        write = line.write

        def slow(wire: bytes) -> None:
            self.exchange.clock.rightNow += 0.0015
            write(wire)

        agent.call.say(tone(1000))
        self.exchange.advance(0.3)
        line.write = slow  # type: ignore[method-assign]
        agent.call.interrupt("speech")
        timed = self.exchange.switchboard.interrupted
        self.assertEqual((timed.count, timed.total), (1, 1500))

    def test_meters_add_up(self) -> None:
        """What ended calls sent and heard stays counted."""
        agent = Notebook()
        self.exchange.make_agent = lambda: agent
        for call_id in ("CA1", "CA2"):
            line = self.exchange.dial(call_id)
            agent.call.say(tone(200))
            line.sound()
            self.exchange.advance(0.5)
            line.stop()
        board = self.exchange.switchboard
        self.assertEqual(board.frames["sent"], 20)
        self.assertEqual(board.frames["received"], 2)
        self.assertEqual(board.first_audio.count, 2)
        self.assertEqual(board.outcomes, {"completed": 2})
