# -*- test-case-name: tests.outbox.test_outbox tests.outbox.test_faults -*-
"""Takes errands from the store, has them performed, and notes how it went.

Several processes may work on one store: what one has taken is leased to it, and due
again when the process dies. Knows nothing of what the errands are; performers do, and
whoever posts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredList,
    TimeoutError,  # noqa: A004
    maybeDeferred,
)
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errands import Errand, ErrandStore, Performer, Tally
from ..errors import StoreError, TwistedVoiceError
from .outcome import MOST_ATTEMPTS, Done, Failed, failed, succeeded

__all__ = ["Outbox"]

#: How often it looks for what is due, besides when it is poked.
_LOOK_SECONDS = 5.0
#: How long a dead process keeps an errand from the others, and how often a live one
#: says that it lives.
_LEASE_SECONDS = 60.0
_UPKEEP_SECONDS = 15.0
#: The longest that one attempt may take.
_LONGEST_SECONDS = 3600.0
#: What is under way when the service stops may take this much longer.
_GRACE_SECONDS = 10.0
#: So long a success is kept: what is posted again by then is not done again.
_KEPT_SECONDS = 7 * 24 * 3600.0

#: What goes wrong outside; everything else is a bug of a performer's.
_EXPECTED = (TwistedVoiceError, TimeoutError, OSError)

_log = Logger()


class Outbox(Service):
    """
    The errands of one process.

    :param wall: seconds since the epoch.
    :param performers: by the kind of errand; other kinds are left alone.
    :param holder: the node id of this process.
    :param random: gives anything from 0 to 1.
    :param at_once: how many of a kind are performed at the same time: where one kind
        waits for somebody who does not answer, the others need not.
    :param attempts: how often one may be begun before it is parked.
    """

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], float],
        store: ErrandStore,
        performers: Mapping[str, Performer],
        *,
        holder: str,
        random: Callable[[], float],
        at_once: int = 4,
        attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._store = store
        self._performers = performers
        self._holder = holder
        self._random = random
        self._at_once = at_once
        self._attempts = attempts
        #: What came of attempts, for the metrics.
        self.counts: Counter[str] = Counter(done=0, failed=0, parked=0)
        #: What there was to do at the last look.
        self.tally = Tally()
        self._looks = LoopingCall(self.poke)
        self._upkeep = LoopingCall(lambda: self._begin(self._keep_up()))
        self._looks.clock = self._upkeep.clock = clock
        #: What is under way: looks, upkeep and attempts.
        self._under_way: set[Deferred[None]] = set()
        #: What the store has leased to us: the kinds by id.
        self._held: dict[str, str] = {}
        self._is_looking = self._look_again = False
        self._store_fails = False

    # from the service

    def startService(self) -> None:
        """Begin to look for errands."""
        super().startService()
        self._looks.start(_LOOK_SECONDS).addErrback(_log_bug)
        self._upkeep.start(_UPKEEP_SECONDS).addErrback(_log_bug)

    def stopService(self) -> Deferred[None]:
        """
        Take nothing more, and give what is under way a little time.

        :returns: fires when nothing is under way. What was broken off stays in the
            store for the next start.
        """
        super().stopService()
        for each in (self._looks, self._upkeep):
            if each.running:
                each.stop()
        # Cancelling the list cancels all that is in it.
        ending: Deferred[Any] = DeferredList(list(self._under_way))
        ending.addTimeout(_GRACE_SECONDS, self._clock)
        return ending.addBoth(lambda _: self._give_back())

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest errand that nothing blocks has been waiting."""
        if self.tally.oldest_at is None:
            return 0.0
        return max(0.0, self._wall() - self.tally.oldest_at)

    # from those who post

    def post(self, errands: Sequence[Errand]) -> Deferred[None]:
        """
        Have these done; those that were posted before are not done twice.

        :raises StoreError: through the Deferred; then none was posted.
        """
        added = self._store.add_errands(errands, now=self._wall())
        return added.addCallback(lambda _: self.poke())

    def poke(self) -> None:
        """Look at once for what is due."""
        self._look_again = True
        if self.running and not self._is_looking:
            self._begin(self._look_while_asked())

    # what is under way

    def _begin(self, work: Coroutine[Deferred[Any], Any, None]) -> Deferred[None]:
        doing = Deferred.fromCoroutine(work)
        self._under_way.add(doing)
        doing.addErrback(_log_bug)
        return doing.addBoth(lambda _: self._under_way.discard(doing))

    async def _look_while_asked(self) -> None:
        self._is_looking = True
        try:
            while self._look_again and self.running:
                self._look_again = False
                await self._look()
        finally:
            self._is_looking = False

    async def _look(self) -> None:
        try:
            for kind in self._performers:
                room = self._at_once - list(self._held.values()).count(kind)
                if room > 0:
                    await self._take(kind, room)
        except StoreError as error:
            self._store_failed(error)

    async def _take(self, kind: str, room: int) -> None:
        now = self._wall()
        taken = await self._store.take_errands(
            [kind],
            self._holder,
            limit=room,
            expires_at=now + _LEASE_SECONDS,
            now=now,
        )
        self._store_fails = False
        # One whose lease ended while the store stalled is still at work here.
        fresh = [errand for errand in taken if errand.id not in self._held]
        self._held.update((errand.id, kind) for errand in fresh)
        if self.running:
            for errand in fresh:
                self._begin(self._do(errand))

    async def _do(self, errand: Errand) -> None:
        outcome = await self._attempt(errand)
        await self._note(errand, outcome)
        del self._held[errand.id]
        self.poke()

    async def _attempt(self, errand: Errand) -> Done | Failed:
        if errand.attempts >= self._attempts:
            # It takes its process with it, each time.
            return Failed(f"begun {errand.attempts} times, and never ended", None)
        try:
            working = maybeDeferred(self._performers[errand.kind], errand)
            return succeeded(await working.addTimeout(_LONGEST_SECONDS, self._clock))
        except Exception as error:  # a performer's trouble is not the outbox's
            if isinstance(error, CancelledError) and not self.running:
                raise
            _log_attempt(errand, error)
            return failed(errand, error, self._attempts, self._random())

    async def _note(self, errand: Errand, outcome: Done | Failed) -> None:
        """Tell the store how it went, as often as that takes."""
        while True:
            try:
                await self._tell(errand, outcome)
            except StoreError as error:
                self._store_failed(error)
                await deferLater(self._clock, _LOOK_SECONDS)
            else:
                break
        self._count(outcome)

    def _tell(self, errand: Errand, outcome: Done | Failed) -> Deferred[None]:
        now = self._wall()
        if isinstance(outcome, Done):
            return self._store.errand_done(errand.id, outcome.result, now=now)
        due_at = None if outcome.pause is None else now + outcome.pause
        return self._store.errand_failed(
            errand.id, self._holder, outcome.reason, due_at=due_at
        )

    def _count(self, outcome: Done | Failed) -> None:
        if isinstance(outcome, Done):
            self.counts["done"] += 1
            return
        self.counts["failed"] += 1
        if outcome.pause is None:
            self.counts["parked"] += 1

    async def _keep_up(self) -> None:
        """Say that we live, count what waits, and forget what was done long ago."""
        store, now = self._store, self._wall()
        try:
            if self._held:
                until = now + _LEASE_SECONDS
                await store.hold_errands(
                    list(self._held), self._holder, expires_at=until
                )
            self.tally = await store.tally_errands()
            await store.sweep_errands(before=now - _KEPT_SECONDS)
        except StoreError as error:
            self._store_failed(error)

    async def _return_held(self) -> None:
        if self._held:
            await self._store.release_errands(
                list(self._held), self._holder, now=self._wall()
            )

    def _give_back(self) -> Deferred[None]:
        """Leave what was broken off to the next start, which need not wait."""
        returned = Deferred.fromCoroutine(self._return_held())
        return returned.addErrback(self._store_kept)

    def _store_kept(self, failure: Failure) -> None:
        failure.trap(StoreError)
        _log.warn("errands that were begun wait until their leases end")

    def _store_failed(self, error: Exception) -> None:
        if not self._store_fails:
            _log.error("the outbox waits for its store: {error}", error=str(error))
        self._store_fails = True


def _log_attempt(errand: Errand, error: Exception) -> None:
    if isinstance(error, _EXPECTED):
        _log.warn(
            "errand {errand_id} failed: {error}", errand_id=errand.id, error=str(error)
        )
    else:
        _log.failure("while performing errand {errand_id}", errand_id=errand.id)


def _log_bug(failure: Failure) -> None:
    if not failure.check(CancelledError):
        _log.failure("while looking after the outbox", failure)
