# -*- test-case-name: tests.store.test_memory tests.store.test_sqlite -*-
"""What every store must do with errands, run on each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.trial.unittest import TestCase

from twistedvoice.errands import Errand, ErrandState, Tally
from twistedvoice.errors import StoreError
from twistedvoice.interfaces import Store

from .contract import NOW

__all__ = ["ErrandsContract", "errand"]


def errand(kind: str = "export", *, session: str = "S1", after: str = "") -> Errand:
    """:returns: an errand of a call; ``after`` names the kind before it."""
    return Errand(
        id=f"{session}/{kind}",
        kind=kind,
        session_id=session,
        details={"path": f"/rec/{session}.wav", "degraded": False},
        after=after and f"{session}/{after}",
    )


CHAIN = (errand(), errand("upload", after="export"), errand("webhook", after="upload"))
KINDS = ("export", "upload", "webhook")

if TYPE_CHECKING:
    Base = TestCase
else:
    Base = object


class ErrandsContract(Base):
    """The contract of :class:`twistedvoice.errands.ErrandStore`."""

    store: Store

    async def take(
        self,
        now: float = NOW,
        *,
        kinds: Sequence[str] = KINDS,
        holder: str = "node-a",
        limit: int = 10,
    ) -> Sequence[Errand]:
        """:returns: what is due, for a minute."""
        return await self.store.take_errands(
            kinds, holder, limit=limit, expires_at=now + 60, now=now
        )

    async def taken_ids(self, now: float = NOW, holder: str = "node-a") -> list[str]:
        return [each.id for each in await self.take(now, holder=holder)]

    async def ids(self, state: ErrandState | None = None) -> list[str]:
        return [kept.errand.id for kept in await self.store.errands(state=state)]

    async def test_errand_is_taken_as_it_was_posted(self) -> None:
        """All of it comes back, once; whoever looks next finds nothing."""
        await self.store.add_errands([errand()], now=NOW)
        self.assertEqual(await self.take(), [errand()])
        self.assertEqual(await self.take(holder="node-b"), [])

    async def test_errand_posted_twice_is_one(self) -> None:
        """In the same request or another, while it waits and when it is done."""
        await self.store.add_errands([errand(), errand()], now=NOW)
        await self.store.add_errands([errand()], now=NOW + 1)
        self.assertEqual(await self.taken_ids(), ["S1/export"])
        await self.store.errand_done("S1/export", {}, now=NOW)
        await self.store.add_errands([errand()], now=NOW)
        self.assertEqual(await self.taken_ids(NOW + 9999), [])

    async def test_sessions_to_do(self) -> None:
        """A session counts while any of its errands is not done, parked or not."""
        posted = [
            errand(),
            errand("upload"),
            *(errand(session=s) for s in ("S2", "S3")),
        ]
        await self.store.add_errands(
            [*posted, errand("webhook", after="upload")], now=NOW
        )
        self.assertEqual({*await self.store.sessions_to_do()}, {"S1", "S2", "S3"})
        await self.take()
        await self.store.errand_done("S1/export", {}, now=NOW)
        await self.store.errand_done("S2/export", {}, now=NOW)
        await self.store.errand_failed("S3/export", "node-a", "no", due_at=None)
        self.assertEqual({*await self.store.sessions_to_do()}, {"S1", "S3"})

    async def test_errands_are_posted_all_or_none(self) -> None:
        """One that cannot be written takes the others back with it."""
        bad = Errand(id="S2/x", kind="x", session_id="S2", details={"sound": b"\xff"})
        with self.assertRaisesRegex(StoreError, "plain JSON"):
            await self.store.add_errands([errand(), bad], now=NOW)
        self.assertEqual(await self.ids(), [])

    async def test_dead_holder_leaves_its_errands(self) -> None:
        """When the lease ends another takes it, and it counts as begun before."""
        await self.store.add_errands([errand()], now=NOW)
        await self.take(NOW)
        self.assertEqual(await self.taken_ids(NOW + 59, "node-b"), [])
        [again] = await self.take(NOW + 60, holder="node-b")
        self.assertEqual(again.attempts, 1)

    async def test_held_errand_stays(self) -> None:
        """A live holder keeps it; nobody holds what is another's."""
        await self.store.add_errands([errand()], now=NOW)
        await self.take(NOW)
        await self.store.hold_errands(["S1/export"], "node-a", expires_at=NOW + 90)
        await self.store.hold_errands(["S1/export"], "node-b", expires_at=NOW + 900)
        self.assertEqual(await self.taken_ids(NOW + 89, "node-b"), [])
        self.assertEqual(await self.taken_ids(NOW + 90, "node-b"), ["S1/export"])

    async def test_released_errand_was_never_begun(self) -> None:
        """What was given back is due at once; nobody gives back another's."""
        await self.store.add_errands([errand()], now=NOW)
        await self.take(NOW)
        await self.store.release_errands(["S1/export"], "node-b", now=NOW)
        self.assertEqual(await self.take(NOW), [])
        await self.store.release_errands(["S1/export"], "node-a", now=NOW)
        self.assertEqual(await self.take(NOW), [errand()])

    async def test_one_after_the_other(self) -> None:
        """Each is due when the one before it is done, and gets what all found."""
        await self.store.add_errands(reversed_chain(), now=NOW)
        self.assertEqual(await self.taken_ids(), ["S1/export"])
        found = {"path": "/rec/S1.flac", "format": "flac"}
        await self.store.errand_done("S1/export", found, now=NOW)
        [upload] = await self.take()
        self.assertEqual((upload.kind, upload.found), ("upload", found))
        await self.store.errand_done("S1/upload", {"path": "s3"}, now=NOW)
        [webhook] = await self.take()
        self.assertEqual(webhook.found, {"path": "s3", "format": "flac"})

    async def test_follower_posted_later(self) -> None:
        """One that comes when the one before it is done need not wait."""
        await self.store.add_errands([CHAIN[0]], now=NOW)
        await self.take()
        await self.store.errand_done("S1/export", {"path": "x"}, now=NOW)
        await self.store.add_errands([CHAIN[1]], now=NOW)
        [upload] = await self.take()
        self.assertEqual(upload.found, {"path": "x"})

    async def test_late_success_counts(self) -> None:
        """Done is done, though the lease is another's by now; once."""
        await self.store.add_errands([errand()], now=NOW)
        await self.take(NOW)
        await self.take(NOW + 60, holder="node-b")
        await self.store.errand_done("S1/export", {"path": "a"}, now=NOW + 61)
        await self.store.errand_done("S1/export", {"path": "b"}, now=NOW + 62)
        await self.store.errand_failed("S1/export", "node-b", "no", due_at=NOW + 62)
        [kept] = await self.store.errands(state="done")
        self.assertEqual((kept.result, kept.due_at), ({"path": "a"}, NOW + 61))
        self.assertEqual(await self.taken_ids(NOW + 9999), [])

    async def test_failed_errand_is_due_when_it_was_said(self) -> None:
        """Not before; the reason is kept, and the attempt counted."""
        await self.store.add_errands([errand()], now=NOW)
        await self.take()
        await self.store.errand_failed("S1/export", "node-a", "full", due_at=NOW + 10)
        [kept] = await self.store.errands()
        self.assertEqual(
            (kept.reason, kept.state, kept.holder), ("full", "waiting", "")
        )
        self.assertEqual(await self.take(NOW + 9), [])
        [again] = await self.take(NOW + 10)
        self.assertEqual(again.attempts, 1)

    async def test_failure_of_one_who_lost_it_does_not_count(self) -> None:
        """The errand is another's now."""
        await self.store.add_errands([errand()], now=NOW)
        await self.take(NOW)
        await self.take(NOW + 60, holder="node-b")
        await self.store.errand_failed("S1/export", "node-a", "late", due_at=None)
        [kept] = await self.store.errands()
        self.assertEqual((kept.state, kept.holder), ("waiting", "node-b"))

    async def test_parked_errand_waits_for_somebody(self) -> None:
        """It is listed, never due, and holds up what comes after it until a retry."""
        await self.store.add_errands(CHAIN, now=NOW)
        await self.take()
        await self.store.errand_failed("S1/export", "node-a", "no", due_at=None)
        self.assertEqual(await self.taken_ids(NOW + 9999), [])
        self.assertEqual(await self.ids("parked"), ["S1/export"])
        self.assertEqual(await self.store.retry_errands(["S2/x"], now=NOW), [])
        retried = await self.store.retry_errands(["S1/export"], now=NOW)
        self.assertEqual(retried, ["S1/export"])
        [again] = await self.take()
        self.assertEqual(again, errand())

    async def test_late_errand_is_hurried(self) -> None:
        """One that failed and waits is due now; one that somebody is at is left."""
        await self.store.add_errands([errand(), errand(session="S2")], now=NOW)
        await self.take()
        await self.store.errand_failed("S1/export", "node-a", "no", due_at=NOW + 900)
        self.assertEqual(await self.taken_ids(NOW + 10), [])
        hurried = await self.store.retry_errands(None, now=NOW + 10)
        self.assertEqual(hurried, ["S1/export"])
        self.assertEqual(await self.taken_ids(NOW + 10), ["S1/export"])

    async def test_all_parked_are_tried_again(self) -> None:
        """Without names every one that was put off is meant, and no other."""
        await self.store.add_errands([errand(), errand(session="S2")], now=NOW)
        await self.take(limit=1)
        await self.store.errand_failed("S1/export", "node-a", "no", due_at=None)
        self.assertEqual(await self.store.retry_errands(None, now=NOW), ["S1/export"])
        self.assertEqual(await self.ids("parked"), [])

    async def test_dropped_errand_takes_its_followers_along(self) -> None:
        """They could never be due; a late success of it changes nothing."""
        await self.store.add_errands([*CHAIN, errand(session="S2")], now=NOW)
        await self.take()
        dropped = await self.store.drop_errand("S1/export")
        self.assertEqual(dropped, [each.id for each in CHAIN])
        await self.store.errand_done("S1/export", {}, now=NOW)
        self.assertEqual(await self.ids(), ["S2/export"])
        self.assertEqual(await self.store.drop_errand("S1/export"), [])

    async def test_done_errand_is_not_dropped(self) -> None:
        """It would be done again if it were posted again."""
        await self.store.add_errands([errand()], now=NOW)
        await self.store.errand_done("S1/export", {}, now=NOW)
        self.assertEqual(await self.store.drop_errand("S1/export"), [])
        self.assertEqual(await self.ids("done"), ["S1/export"])

    async def test_only_known_kinds_are_taken(self) -> None:
        """What nobody here can do is left alone, and listed."""
        await self.store.add_errands([errand(), errand("paint")], now=NOW)
        self.assertEqual(await self.taken_ids(), ["S1/export"])
        self.assertEqual(await self.take(kinds=()), [])
        self.assertEqual(await self.ids("waiting"), ["S1/export", "S1/paint"])

    async def test_longest_due_is_taken_first(self) -> None:
        """As many as are asked for."""
        for number in (3, 1, 2):
            each = errand(session=f"S{number}")
            await self.store.add_errands([each], now=NOW + number)
        taken = await self.take(NOW + 9, limit=2)
        self.assertEqual([each.session_id for each in taken], ["S1", "S2"])

    async def test_list_is_limited(self) -> None:
        """The oldest are given, as many as are asked for."""
        await self.store.add_errands(
            [errand(session=f"S{n}") for n in range(3)], now=NOW
        )
        given = await self.store.errands(limit=2)
        self.assertEqual([kept.errand.session_id for kept in given], ["S0", "S1"])

    async def test_tally(self) -> None:
        """What is to do is counted; what waits for others is not old."""
        self.assertEqual(await self.store.tally_errands(), Tally())
        await self.store.add_errands(CHAIN, now=NOW)
        await self.store.add_errands([errand(session="S2")], now=NOW + 5)
        self.assertEqual(
            await self.store.tally_errands(), Tally(waiting=4, oldest_at=NOW)
        )
        await self.take(limit=1)
        await self.store.errand_failed("S1/export", "node-a", "no", due_at=None)
        self.assertEqual(
            await self.store.tally_errands(),
            Tally(waiting=3, parked=1, oldest_at=NOW + 5),
        )

    async def test_sweep(self) -> None:
        """What was done long ago goes, unless something waits for it."""
        await self.store.add_errands([*CHAIN, errand(session="S2")], now=NOW)
        for done, at in (("S1/export", 0), ("S1/upload", 0), ("S2/export", 5)):
            await self.store.errand_done(done, {}, now=NOW + at)
        await self.store.sweep_errands(before=NOW + 5)
        self.assertEqual(await self.ids("done"), ["S1/upload", "S2/export"])
        self.assertEqual(await self.ids(), ["S1/webhook"])

    async def test_result_must_be_json(self) -> None:
        """A result that cannot be written is refused, and the errand not done."""
        await self.store.add_errands([errand()], now=NOW)
        with self.assertRaisesRegex(StoreError, "plain JSON"):
            await self.store.errand_done("S1/export", {"a": object()}, now=NOW)
        self.assertEqual(await self.ids("done"), [])


def reversed_chain() -> Sequence[Errand]:
    """:returns: the chain, the last first: a store does not count on an order."""
    return [*reversed(CHAIN)]
