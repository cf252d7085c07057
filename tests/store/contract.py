# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""What every store must do, run on each of them."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from attrs import evolve
from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase

from twistedvoice.errors import StoreError
from twistedvoice.interfaces import Lease, Reservation, Store

__all__ = ["NOW", "StoreContract", "lease", "wanted"]

NOW = 1_700_000_000.0


def wanted(
    call_id: str = "CA1",
    token: str = "secret-1",
    *,
    idempotency: str = "",
    expires_at: float = NOW + 15,
) -> Reservation:
    """:returns: what a webhook asks for."""
    return Reservation(
        call_id=call_id,
        account_id="AC1",
        token=token,
        idempotency=idempotency,
        from_number="+15550001",
        to_number="+15550002",
        expires_at=expires_at,
    )


def lease(
    call_id: str = "CA1", holder: str = "node-a", *, expires_at: float = NOW + 30
) -> Lease:
    """:returns: what a process that carries the call asks for."""
    return Lease(call_id=call_id, holder=holder, expires_at=expires_at)


if TYPE_CHECKING:
    Base = TestCase
else:
    Base = object


class StoreContract(Base):
    """
    The contract of :class:`twistedvoice.interfaces.Store`.

    A test case that mixes this in says in ``make_store`` which store it is about.
    """

    store: Store
    #: The module that says how many records are kept.
    kept: ModuleType

    def make_store(self) -> Store:
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make_store()
        # Closing is part of the contract, so it may have happened already.
        self.addCleanup(self.store.close)

    # -- reserve

    async def test_reserve_gives_what_was_wanted(self) -> None:
        """The first webhook of a call gets its own reservation and a place."""
        given = await self.store.reserve(wanted(), limit=1, now=NOW)
        self.assertEqual(given, wanted())
        self.assertEqual(await self.store.places_taken(now=NOW), 1)

    async def test_reserve_stops_at_the_limit(self) -> None:
        """When every place is taken the next call gets none."""
        await self.store.reserve(wanted("CA1"), limit=2, now=NOW)
        await self.store.reserve(wanted("CA2"), limit=2, now=NOW)
        given = await self.store.reserve(wanted("CA3"), limit=2, now=NOW)
        self.assertIsNone(given)
        self.assertEqual(await self.store.places_taken(now=NOW), 2)

    async def test_limit_of_zero_takes_no_call(self) -> None:
        """A limit of zero is no place, not no limit."""
        self.assertIsNone(await self.store.reserve(wanted(), limit=0, now=NOW))
        self.assertFalse(await self.store.take(lease(), limit=0, now=NOW))

    async def test_no_limit_takes_every_call(self) -> None:
        """Without a limit there is always a place."""
        for number in range(50):
            asked = wanted(f"CA{number}")
            given = await self.store.reserve(asked, limit=None, now=NOW)
            self.assertEqual(given, asked)
        self.assertEqual(await self.store.places_taken(now=NOW), 50)

    async def test_same_call_gets_its_unclaimed_reservation_back(self) -> None:
        """A second webhook before the stream gets the first token again."""
        await self.store.reserve(wanted(token="first"), limit=1, now=NOW)
        again = wanted(token="second", idempotency="other", expires_at=NOW + 20)
        given = await self.store.reserve(again, limit=1, now=NOW + 5)
        self.assertEqual(given, wanted(token="first"))
        self.assertIsNone(
            await self.store.claim("second", lease(), account_id="AC1", now=NOW + 5)
        )

    async def test_retried_webhook_gets_the_claimed_reservation_back(self) -> None:
        """Equal idempotency gets the old answer after the claim, though used."""
        first = wanted(token="first", idempotency="retry")
        await self.store.reserve(first, limit=1, now=NOW)
        await self.store.claim("first", lease(), account_id="AC1", now=NOW)
        again = wanted(token="second", idempotency="retry")
        given = await self.store.reserve(again, limit=1, now=NOW + 5)
        self.assertEqual(given, first)
        self.assertIsNone(
            await self.store.claim("first", lease(), account_id="AC1", now=NOW + 5)
        )

    async def test_retried_webhook_is_new_once_the_reservation_expired(self) -> None:
        """An answer is repeated no longer than its token was good for."""
        first = wanted(token="first", idempotency="retry")
        await self.store.reserve(first, limit=1, now=NOW)
        await self.store.claim("first", lease(), account_id="AC1", now=NOW)
        again = wanted(token="second", idempotency="retry", expires_at=NOW + 30)
        given = await self.store.reserve(again, limit=1, now=NOW + 15)
        self.assertEqual(given, again)

    async def test_empty_idempotency_equals_nothing(self) -> None:
        """Two webhooks without an idempotency token are two webhooks."""
        await self.store.reserve(wanted(token="first"), limit=1, now=NOW)
        await self.store.claim("first", lease(), account_id="AC1", now=NOW)
        given = await self.store.reserve(wanted(token="second"), limit=1, now=NOW)
        self.assertEqual(given, wanted(token="second"))

    async def test_rejoin_keeps_its_place_and_gets_a_new_token(self) -> None:
        """A call whose stream died may come back while its lease is live."""
        await self.store.reserve(wanted(token="first"), limit=1, now=NOW)
        await self.store.claim("first", lease(), account_id="AC1", now=NOW)
        again = wanted(token="second", idempotency="rejoin")
        self.assertEqual(await self.store.reserve(again, limit=1, now=NOW), again)
        self.assertEqual(await self.store.places_taken(now=NOW), 1)
        rejoined = await self.store.claim(
            "second", lease(holder="node-b"), account_id="AC1", now=NOW
        )
        self.assertEqual(rejoined, again)
        self.assertEqual(await self.store.places_taken(now=NOW), 1)

    async def test_old_holder_cannot_end_a_call_that_rejoined(self) -> None:
        """After a rejoin elsewhere the first process has nothing to release."""
        await self.store.take(lease(holder="node-a"), limit=1, now=NOW)
        await self.store.reserve(wanted(), limit=1, now=NOW)
        await self.store.claim(
            "secret-1", lease(holder="node-b"), account_id="AC1", now=NOW
        )
        await self.store.release("CA1", "node-a")
        self.assertEqual(await self.store.places_taken(now=NOW), 1)

    async def test_place_of_a_reservation_comes_back_when_it_expires(self) -> None:
        """A webhook that no stream follows holds its place for so long only."""
        await self.store.reserve(wanted("CA1"), limit=1, now=NOW)
        self.assertEqual(await self.store.places_taken(now=NOW + 14.9), 1)
        self.assertEqual(await self.store.places_taken(now=NOW + 15), 0)
        late = wanted("CA2", expires_at=NOW + 30)
        given = await self.store.reserve(late, limit=1, now=NOW + 15)
        self.assertEqual(given, late)

    async def test_released_call_leaves_no_place_behind(self) -> None:
        """What stays of a claimed reservation for retries counts as no place."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
        await self.store.release("CA1", "node-a")
        self.assertEqual(await self.store.places_taken(now=NOW), 0)

    # -- claim

    async def test_claim_turns_the_reservation_into_a_lease(self) -> None:
        """A good token gives the reservation, and its place lives on as a lease."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        given = await self.store.claim(
            "secret-1", lease(), account_id="AC1", now=NOW + 1
        )
        self.assertEqual(given, wanted())
        self.assertEqual(await self.store.places_taken(now=NOW + 29), 1)
        self.assertEqual(await self.store.places_taken(now=NOW + 30), 0)

    async def test_token_is_good_once(self) -> None:
        """A replayed token opens nothing."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
        self.assertIsNone(
            await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
        )

    async def test_unknown_token_is_refused(self) -> None:
        """A made-up token opens nothing, and the right one stays good."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        for token in ("", "made-up", "secret-1x", "\u00e9", "\ud800"):
            self.assertIsNone(
                await self.store.claim(token, lease(), account_id="AC1", now=NOW)
            )
        self.assertEqual(
            await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW),
            wanted(),
        )

    async def test_expired_token_is_refused(self) -> None:
        """From its last moment on a token opens nothing."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        self.assertIsNone(
            await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW + 15)
        )

    async def test_other_account(self) -> None:
        """A call belongs to one account; another neither gets nor uses its token."""
        await self.store.reserve(wanted(), limit=None, now=NOW)
        other = evolve(wanted(token="other"), account_id="AC2")
        self.assertIsNone(await self.store.reserve(other, limit=None, now=NOW))
        refused = await self.store.claim("secret-1", lease(), account_id="AC2", now=NOW)
        self.assertIsNone(refused)
        given = await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
        self.assertEqual(given, wanted())

    async def test_swapped_token_is_refused_and_stays_good_for_its_call(self) -> None:
        """A token opens its own call alone; showing it elsewhere cuts nobody off."""
        await self.store.reserve(wanted("CA1", "one"), limit=None, now=NOW)
        await self.store.reserve(wanted("CA2", "two"), limit=None, now=NOW)
        self.assertIsNone(
            await self.store.claim("one", lease("CA2"), account_id="AC1", now=NOW)
        )
        self.assertIsNone(
            await self.store.claim("one", lease("CA3"), account_id="AC1", now=NOW)
        )
        given = await self.store.claim("one", lease("CA1"), account_id="AC1", now=NOW)
        self.assertEqual(given, wanted("CA1", "one"))
        self.assertEqual(await self.store.places_taken(now=NOW), 2)

    async def test_claims_at_once_give_one_winner(self) -> None:
        """Of many claims that wait for each other exactly one is let in."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        asked = [
            self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
            for _ in range(8)
        ]
        given = await gatherResults(asked)
        self.assertEqual([answer for answer in given if answer], [wanted()])

    # -- take, renew, release, cancel

    async def test_take_stops_at_the_limit(self) -> None:
        """A call without a webhook needs a free place too."""
        self.assertTrue(await self.store.take(lease("CA1"), limit=1, now=NOW))
        self.assertFalse(await self.store.take(lease("CA2"), limit=1, now=NOW))
        self.assertEqual(await self.store.places_taken(now=NOW), 1)

    async def test_take_of_ones_own_lease_prolongs_it(self) -> None:
        """Taking again what is ours is allowed, and counts once."""
        await self.store.take(lease(), limit=1, now=NOW)
        longer = lease(expires_at=NOW + 60)
        self.assertTrue(await self.store.take(longer, limit=1, now=NOW))
        self.assertEqual(await self.store.places_taken(now=NOW + 59), 1)

    async def test_take_uses_the_place_that_the_call_reserved(self) -> None:
        """A call with a reservation already has the place that it takes."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        self.assertTrue(await self.store.take(lease(), limit=1, now=NOW))
        self.assertEqual(await self.store.places_taken(now=NOW), 1)

    async def test_take_does_not_rob_another_process(self) -> None:
        """Without a token a call that someone carries stays with him."""
        await self.store.take(lease(holder="node-a"), limit=None, now=NOW)
        stolen = lease(holder="node-b")
        self.assertFalse(await self.store.take(stolen, limit=None, now=NOW))
        late = lease(holder="node-b", expires_at=NOW + 60)
        self.assertTrue(await self.store.take(late, limit=None, now=NOW + 30))

    async def test_renew_moves_only_what_the_holder_holds(self) -> None:
        """One batch prolongs ours, and not another's."""
        await self.store.take(lease("CA1", "node-a"), limit=None, now=NOW)
        await self.store.take(lease("CA2", "node-a"), limit=None, now=NOW)
        await self.store.take(lease("CA3", "node-b"), limit=None, now=NOW)
        names = ["CA1", "CA2", "CA3"]
        await self.store.renew(names, "node-a", expires_at=NOW + 60)
        self.assertEqual(await self.store.places_taken(now=NOW + 29), 3)
        self.assertEqual(await self.store.places_taken(now=NOW + 59), 2)

    async def test_expired_lease_gives_its_place_to_another_call(self) -> None:
        """What a dead process held is free once it expired."""
        await self.store.take(lease("CA1", "dead"), limit=1, now=NOW)
        late = lease("CA2", expires_at=NOW + 60)
        self.assertTrue(await self.store.take(late, limit=1, now=NOW + 30))
        self.assertEqual(await self.store.places_taken(now=NOW + 31), 1)

    async def test_renew_puts_back_what_expired(self) -> None:
        """A live call whose lease was swept counts again, though all is taken."""
        await self.store.take(lease("CA1", "stalled"), limit=1, now=NOW)
        late = lease("CA2", expires_at=NOW + 60)
        self.assertTrue(await self.store.take(late, limit=1, now=NOW + 30))
        await self.store.renew(["CA1"], "stalled", expires_at=NOW + 90)
        self.assertEqual(await self.store.places_taken(now=NOW + 31), 2)
        self.assertEqual(await self.store.places_taken(now=NOW + 61), 1)

    async def test_renew_robs_nobody(self) -> None:
        """A call that came back elsewhere meanwhile stays there."""
        await self.store.take(lease("CA1", "stalled"), limit=1, now=NOW)
        late = lease("CA1", "node-b", expires_at=NOW + 60)
        self.assertTrue(await self.store.take(late, limit=1, now=NOW + 30))
        await self.store.renew(["CA1"], "stalled", expires_at=NOW + 90)
        self.assertEqual(await self.store.places_taken(now=NOW + 61), 0)

    async def test_release_gives_the_place_back_once(self) -> None:
        """A second release, or one of a call never held, changes nothing."""
        await self.store.take(lease("CA1"), limit=None, now=NOW)
        await self.store.take(lease("CA2"), limit=None, now=NOW)
        await self.store.release("CA1", "node-a")
        await self.store.release("CA1", "node-a")
        await self.store.release("CA9", "node-a")
        self.assertEqual(await self.store.places_taken(now=NOW), 1)

    async def test_release_keeps_the_place_that_a_rejoin_reserved(self) -> None:
        """The old stream's end does not cost the call its new reservation."""
        await self.store.take(lease(), limit=1, now=NOW)
        await self.store.reserve(wanted(), limit=1, now=NOW)
        await self.store.release("CA1", "node-a")
        self.assertEqual(await self.store.places_taken(now=NOW), 1)
        self.assertEqual(
            await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW),
            wanted(),
        )

    async def test_cancel_drops_an_unclaimed_reservation(self) -> None:
        """A caller who hung up early leaves no place and no token."""
        await self.store.reserve(wanted(), limit=1, now=NOW)
        await self.store.cancel("CA1", "AC2")
        self.assertEqual(await self.store.places_taken(now=NOW), 1)
        await self.store.cancel("CA1", "AC1")
        await self.store.cancel("CA1", "AC1")
        self.assertEqual(await self.store.places_taken(now=NOW), 0)
        self.assertIsNone(
            await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
        )

    async def test_cancel_leaves_a_live_call_alone(self) -> None:
        """A claimed reservation is not cancelled, nor is its lease."""
        first = wanted(idempotency="retry")
        await self.store.reserve(first, limit=1, now=NOW)
        await self.store.claim("secret-1", lease(), account_id="AC1", now=NOW)
        await self.store.cancel("CA1", "AC1")
        self.assertEqual(await self.store.places_taken(now=NOW), 1)
        again = wanted(token="second", idempotency="retry")
        self.assertEqual(await self.store.reserve(again, limit=1, now=NOW), first)

    # -- CDRs, close

    async def test_newest_cdr_comes_first(self) -> None:
        """Records are given newest first, as many as asked for."""
        for name in ("S1", "S2", "S3"):
            await self.store.add_cdr(name, {"session": name, "frames": [1, None]})
        given = await self.store.cdrs(limit=2)
        self.assertEqual(
            given,
            [
                {"session": "S3", "frames": [1, None]},
                {"session": "S2", "frames": [1, None]},
            ],
        )
        self.assertEqual(len(await self.store.cdrs()), 3)

    async def test_oldest_cdrs_go(self) -> None:
        """Only so many are kept; a record that is replaced costs no other its place."""
        self.patch(self.kept, "_MOST_CDRS", 3)
        for name in ("S1", "S2", "S3", "S3", "S3", "S4"):
            await self.store.add_cdr(name, {"session": name})
        given = [cdr["session"] for cdr in await self.store.cdrs()]
        self.assertEqual(given, ["S4", "S3", "S2"])

    async def test_cdr_of_the_same_session_replaces(self) -> None:
        """A session has one record, in the place of its first."""
        await self.store.add_cdr("S1", {"outcome": "open"})
        await self.store.add_cdr("S2", {"outcome": "played"})
        await self.store.add_cdr("S1", {"outcome": "lost"})
        given = await self.store.cdrs()
        self.assertEqual(given, [{"outcome": "played"}, {"outcome": "lost"}])

    async def test_cdr_is_amended(self) -> None:
        """A record keeps its place and what it had, and has what was added."""
        await self.store.add_cdr("S1", {"outcome": "played", "copy": None})
        await self.store.add_cdr("S2", {"outcome": "lost"})
        await self.store.amend_cdr("S1", {"copy": {"verdict": "alike"}})
        amended = {"outcome": "played", "copy": {"verdict": "alike"}}
        self.assertEqual(await self.store.cdrs(), [{"outcome": "lost"}, amended])

    async def test_unknown_cdr_is_not_amended(self) -> None:
        """What is added to a record that is not kept makes no record."""
        await self.store.amend_cdr("S1", {"copy": {"verdict": "alike"}})
        self.assertEqual(await self.store.cdrs(), [])

    async def test_cdr_is_kept_as_it_was_given(self) -> None:
        """What the caller does to its mapping afterwards changes no record."""
        cdr: dict[str, object] = {"outcome": "played"}
        added = self.store.add_cdr("S1", cdr)
        cdr["outcome"] = "changed"
        await added
        self.assertEqual(await self.store.cdrs(), [{"outcome": "played"}])

    async def test_cdr_must_be_json(self) -> None:
        """A record that cannot be written fails its own request."""
        added = self.store.add_cdr("S1", {"audio": b"\xff"})
        with self.assertRaisesRegex(StoreError, "plain JSON"):
            await added
        self.assertEqual(await self.store.cdrs(), [])

    async def test_close_finishes_what_was_asked(self) -> None:
        """Whoever asked before the close is still answered."""
        asked = self.store.reserve(wanted(), limit=1, now=NOW)
        await self.store.close()
        self.assertEqual(await asked, wanted())

    async def test_close_twice_is_one_close(self) -> None:
        """Every caller of close is told when it is done."""
        await self.store.places_taken(now=NOW)
        await gatherResults([self.store.close(), self.store.close()])
        await self.store.close()

    async def test_closed_store_answers_with_an_error(self) -> None:
        """After close there is nothing to ask."""
        await self.store.close()
        with self.assertRaisesRegex(StoreError, "closed"):
            await self.store.take(lease(), limit=None, now=NOW)
