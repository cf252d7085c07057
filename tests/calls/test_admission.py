"""Tests of ``twistedvoice.calls.admission``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.admission import Admission
from twistedvoice.errors import RequestRefused, StoreError
from twistedvoice.interfaces import Reservation
from twistedvoice.store.memory import MemoryStore
from twistedvoice.store.rows import Rows

__all__ = [
    "ClaimTests",
    "GateTests",
    "LateTests",
    "ReleaseTests",
    "RenewalTests",
    "ReserveTests",
]

T = TypeVar("T")
EPOCH = 1_700_000_000.0


class WatchedStore(MemoryStore):
    """A store in memory that tells of its renewals, holds answers back, and fails."""

    def __init__(self) -> None:
        super().__init__()
        self.renewed: list[tuple[Sequence[str], str, float]] = []
        self.failing = False
        self.held_back: list[Callable[[], object]] | None = None

    def renew(
        self, call_ids: Sequence[str], holder: str, *, expires_at: float
    ) -> Deferred[None]:
        self.renewed.append((call_ids, holder, expires_at - EPOCH))
        return super().renew(call_ids, holder, expires_at=expires_at)

    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        if self.failing:
            return fail(StoreError("The disk is gone."))
        answer = super()._perform(step)
        if self.held_back is None:
            return answer
        later: Deferred[T] = Deferred()
        self.held_back.append(lambda: answer.chainDeferred(later))
        return later


class AdmissionTestCase(SynchronousTestCase):
    """A gate before a store in memory, in virtual time."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = WatchedStore()
        self.is_late = False
        self.admission = self.make("node-a")
        self.admission.start()
        self.addCleanup(self.assertEqual, [], self.clock.calls)
        self.addCleanup(self.admission.stop)

    def make(self, node_id: str, *, max_calls: int | None = 2) -> Admission:
        numbers = count(1)
        return Admission(
            self.clock,
            self.wall,
            self.store,
            node_id=node_id,
            max_calls=max_calls,
            new_token=lambda: f"{node_id}-token-{next(numbers)}",
            is_late=lambda: self.is_late,
        )

    def wall(self) -> float:
        return EPOCH + self.clock.seconds()

    def ask(
        self, call_id: str = "CA1", *, idempotency: str = ""
    ) -> Deferred[Reservation]:
        return self.admission.reserve(
            call_id,
            "AC1",
            idempotency=idempotency,
            from_number="+15550001",
            to_number="+15550002",
        )

    def reserve(self, call_id: str = "CA1", *, idempotency: str = "") -> Reservation:
        return self.successResultOf(self.ask(call_id, idempotency=idempotency))

    def claim(
        self, token: str = "node-a-token-1", call_id: str = "CA1", account: str = "AC1"
    ) -> Reservation:
        return self.successResultOf(self.admission.claim(token, call_id, account))

    def take(self, call_id: str = "CA1") -> None:
        self.successResultOf(self.admission.take(call_id))

    def places(self) -> int:
        return self.successResultOf(self.store.places_taken(now=self.wall()))

    def assert_refused(self, reason: str, asked: Deferred[T]) -> None:
        refused = self.failureResultOf(asked, RequestRefused).value
        self.assertEqual(refused.reason, reason)

    def advance(self, seconds: int) -> None:
        self.clock.pump([1] * seconds)


class ReserveTests(AdmissionTestCase):
    """A webhook gets a place, or is told that there is none."""

    def test_reservation_says_what_the_webhook_said(self) -> None:
        """A reservation carries the call, a new token and its end."""
        self.assertEqual(
            self.reserve(idempotency="retry"),
            Reservation(
                call_id="CA1",
                account_id="AC1",
                token="node-a-token-1",
                idempotency="retry",
                from_number="+15550001",
                to_number="+15550002",
                expires_at=EPOCH + 15,
            ),
        )
        self.assertEqual(self.admission.reserved, 1)

    def test_retried_webhook_gets_the_same_and_counts_once(self) -> None:
        """A carrier that asks again is answered as before."""
        first = self.reserve(idempotency="retry")
        self.assertEqual(self.reserve(idempotency="retry"), first)
        self.claim()
        self.assertEqual(self.reserve(idempotency="retry"), first)
        self.assertEqual(self.admission.reserved, 1)

    def test_full_service_gives_none(self) -> None:
        """When every place is taken a webhook gets none, and that is counted."""
        self.reserve("CA1")
        self.reserve("CA2")
        self.assert_refused("full", self.ask("CA3"))
        self.assertEqual(self.admission.refused_full, 1)
        self.assertEqual(self.admission.reserved, 2)

    def test_limit_may_change_while_calls_run(self) -> None:
        """A new limit counts from the next call on; who is in stays in."""
        self.reserve("CA1")
        self.claim()
        self.admission.max_calls = 0
        self.assert_refused("full", self.ask("CA2"))
        self.assertEqual(self.places(), 1)
        self.admission.max_calls = None
        self.assertEqual(self.reserve("CA2").call_id, "CA2")

    def test_place_comes_back_when_no_stream_follows(self) -> None:
        """A reservation ends by itself after its time."""
        self.reserve("CA1")
        self.advance(14)
        self.assertEqual(self.places(), 1)
        self.advance(1)
        self.assertEqual(self.places(), 0)

    def test_cancel_gives_the_place_back(self) -> None:
        """A caller who hangs up before the stream leaves no place behind."""
        self.reserve("CA1")
        self.assertIsNone(self.successResultOf(self.admission.cancel("CA1", "AC1")))
        self.assertEqual(self.places(), 0)

    def test_store_error_reaches_the_webhook(self) -> None:
        """Nobody is let in on a guess."""
        self.store.failing = True
        self.failureResultOf(self.ask(), StoreError)
        self.assertEqual(self.admission.reserved, 0)


class ClaimTests(AdmissionTestCase):
    """A stream is let in once, by its own token."""

    def test_good_token_gives_the_reservation(self) -> None:
        """What the webhook knew of the call comes with the stream."""
        reservation = self.reserve()
        self.assertEqual(self.claim(), reservation)
        self.assertEqual(self.admission.claimed, 1)

    def test_replayed_unknown_expired_and_swapped_tokens(self) -> None:
        """Each wrong token is refused with the same word, and counted."""
        self.reserve("CA1")
        self.reserve("CA2")
        self.claim("node-a-token-1", "CA1")
        claim = self.admission.claim
        self.assert_refused("token", claim("node-a-token-1", "CA1", "AC1"))
        self.assert_refused("token", claim("made-up", "CA2", "AC1"))
        self.assert_refused("token", claim("node-a-token-2", "CA3", "AC1"))
        self.advance(15)
        self.assert_refused("token", claim("node-a-token-2", "CA2", "AC1"))
        self.assertEqual(self.admission.refused_token, 4)
        self.assertEqual(self.admission.claimed, 1)

    def test_other_account_is_refused(self) -> None:
        """A token shown for another account stays good for its own."""
        reservation = self.reserve()
        claim = self.admission.claim
        self.assert_refused("token", claim("node-a-token-1", "CA1", "AC2"))
        self.assertEqual(self.claim(), reservation)

    def test_other_account_does_not_cost_a_live_call_its_place(self) -> None:
        """A wrong rejoin leaves the stream that is already in alone."""
        self.reserve()
        self.claim()
        self.reserve(idempotency="rejoin")
        claim = self.admission.claim
        self.assert_refused("token", claim("node-a-token-2", "CA1", "AC2"))
        self.assertEqual(self.places(), 1)

    def test_store_error_reaches_the_stream(self) -> None:
        """A stream is not let in while the store cannot say yes."""
        self.reserve()
        self.store.failing = True
        asked = self.admission.claim("node-a-token-1", "CA1", "AC1")
        self.failureResultOf(asked, StoreError)
        self.assertEqual(self.admission.refused_token, 0)

    def test_trusted_call_takes_a_place(self) -> None:
        """A call without a webhook is let in while there is room."""
        self.take("CA1")
        self.take("CA2")
        self.assert_refused("full", self.admission.take("CA3"))
        self.assertEqual(self.places(), 2)
        self.assertEqual((self.admission.taken, self.admission.refused_full), (2, 1))


class GateTests(AdmissionTestCase):
    """A closed gate lets no new call in."""

    def test_closed_gate_refuses_new_calls(self) -> None:
        """Webhooks get none and trusted calls are refused, whatever the room."""
        self.assertTrue(self.admission.open)
        self.admission.close_gate()
        self.assertFalse(self.admission.open)
        self.assert_refused("closed", self.ask())
        self.assert_refused("closed", self.admission.take("CA1"))
        self.assertEqual(self.places(), 0)
        self.assertEqual(self.admission.refused_closed, 2)
        self.assertEqual(self.admission.refused_full, 0)

    def test_closed_gate_keeps_its_promises(self) -> None:
        """A stream whose webhook was answered before is still let in."""
        reservation = self.reserve()
        self.admission.close_gate()
        self.assertEqual(self.claim(), reservation)


class LateTests(AdmissionTestCase):
    """A process that is late on its ticks takes no new call."""

    def test_new_calls_are_refused(self) -> None:
        """Webhooks and trusted calls get no place, and are counted by this reason."""
        self.is_late = True
        self.assert_refused("late", self.ask())
        self.assert_refused("late", self.admission.take("CA1"))
        self.assertEqual(self.places(), 0)
        counts = self.admission.refused_late, self.admission.refused_full
        self.assertEqual(counts, (2, 0))

    def test_same_status_as_full(self) -> None:
        """Whoever asks by HTTP is told to come again."""
        self.is_late = True
        refused = self.failureResultOf(self.admission.take("CA1"), RequestRefused)
        self.assertEqual(refused.value.status, 503)

    def test_retried_webhook(self) -> None:
        """A call that has its answer gets the same again, claimed or not."""
        first = self.reserve(idempotency="retry")
        self.is_late = True
        self.assertEqual(self.reserve(idempotency="retry"), first)
        self.assertEqual(self.claim(), first)
        self.assertEqual(self.reserve(idempotency="retry"), first)
        self.assertEqual(self.admission.refused_late, 0)

    def test_live_calls_keep_their_places(self) -> None:
        """A call that has a place may get it again, by a webhook or on its own."""
        self.admission.max_calls = None
        self.take("CA1")
        self.is_late = True
        self.take("CA1")
        self.assertEqual(self.reserve("CA1").token, "node-a-token-1")
        self.assertEqual(self.places(), 1)

    def test_over(self) -> None:
        """As soon as it is in time again, places are given as before."""
        self.is_late = True
        self.assert_refused("late", self.ask())
        self.is_late = False
        self.reserve("CA1")
        self.take("CA2")
        self.assert_refused("full", self.ask("CA3"))

    def test_draining_comes_first(self) -> None:
        """A process that drains says so, late or not."""
        self.is_late = True
        self.admission.close_gate()
        self.assert_refused("closed", self.ask())
        self.assertEqual(self.admission.refused_late, 0)


class ReleaseTests(AdmissionTestCase):
    """The end of a call gives its place back."""

    def release(self, call_id: str = "CA1") -> None:
        self.assertIsNone(self.successResultOf(self.admission.release(call_id)))

    def test_release_frees_the_place_once(self) -> None:
        """Every way a call ends may release; the first one counts."""
        self.reserve()
        self.claim()
        self.release()
        self.release()
        self.release("CA9")
        self.assertEqual(self.places(), 0)
        self.assertEqual(self.admission.released, 1)

    def test_call_of_another_process_is_not_released(self) -> None:
        """A call that rejoined elsewhere keeps its place when it ends here."""
        self.reserve()
        self.claim()
        self.reserve(idempotency="rejoin")
        elsewhere = self.make("node-b")
        self.successResultOf(elsewhere.claim("node-a-token-2", "CA1", "AC1"))
        self.release()
        self.assertEqual(self.places(), 1)

    def test_failed_release_is_logged_and_expires(self) -> None:
        """Whoever ends a call need not mind the store."""
        self.take()
        self.store.failing = True
        self.release()
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.store.failing = False
        self.advance(30)
        self.assertEqual(self.places(), 0)

    def test_failed_cancel_is_logged(self) -> None:
        """Whoever takes the carrier's status need not mind the store."""
        self.store.failing = True
        self.assertIsNone(self.successResultOf(self.admission.cancel("CA1", "AC1")))
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)


class RenewalTests(AdmissionTestCase):
    """Leases live as long as their process."""

    def test_all_leases_are_renewed_in_one_batch(self) -> None:
        """Three times a lease, all that is held goes to the store at once."""
        self.take("CA2")
        self.reserve("CA1")
        self.claim()
        self.advance(20)
        self.assertEqual(
            self.store.renewed,
            [(["CA1", "CA2"], "node-a", 40.0), (["CA1", "CA2"], "node-a", 50.0)],
        )

    def test_long_call_keeps_its_place(self) -> None:
        """A call that outlives many leases is never without one."""
        self.take()
        for _ in range(60):
            self.advance(60)
            self.assertEqual(self.places(), 1)

    def test_nothing_held_asks_nothing(self) -> None:
        """Without a call the store is left in peace."""
        self.take()
        self.successResultOf(self.admission.release("CA1"))
        self.advance(60)
        self.assertEqual(self.store.renewed, [])

    def test_failed_renewal_is_tried_again(self) -> None:
        """A renewal that fails is logged, and the next one saves the lease."""
        self.take()
        self.store.failing = True
        self.advance(20)
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 2)
        self.store.failing = False
        self.advance(9)
        self.assertEqual(self.places(), 1)
        self.advance(6)
        self.assertEqual(self.places(), 1)

    def test_slow_renewal_is_not_overtaken(self) -> None:
        """While the store has not answered it is not asked to renew again."""
        self.take()
        self.store.held_back = []
        self.advance(35)
        self.assertEqual(len(self.store.renewed), 1)
        [answer] = self.store.held_back
        answer()
        self.advance(5)
        self.assertEqual(len(self.store.renewed), 2)

    def test_stop_leaves_nothing_on_the_clock(self) -> None:
        """After stop nothing is renewed, and a second stop is nothing."""
        self.take()
        self.admission.stop()
        self.admission.stop()
        self.assertEqual(self.clock.calls, [])
        self.advance(30)
        self.assertEqual(self.store.renewed, [])

    def test_starts_again_after_stop(self) -> None:
        """A gate that was stopped can be started as if new."""
        self.admission.stop()
        self.admission.start()
        self.take()
        self.advance(10)
        self.assertEqual(len(self.store.renewed), 1)
