# -*- test-case-name: tests.test_interfaces tests.outbox.test_outbox -*-
"""What is to be done after a call, and what keeps it until it is done.

An errand is a row in the store before any of it is done, so that it is done at least
once whatever dies meanwhile, and never again once its success is recorded. Who does it
is ``outbox/``; the rules of the rows are ``store/errand_rules``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred

__all__ = [
    "Errand",
    "ErrandState",
    "ErrandStore",
    "KeptErrand",
    "Performer",
    "Tally",
]


@frozen(kw_only=True)
class Errand:
    """Something to do after a call, at least once, whatever dies meanwhile."""

    #: The same for the same work, however often it is asked for; receivers see it.
    id: str
    #: Says who performs it.
    kind: str
    session_id: str
    #: What its performer must know; plain JSON without secrets or numbers.
    details: Mapping[str, object] = field(factory=dict)
    #: The id of the errand that must be done before; empty when there is none.
    after: str = ""
    #: What those before it came back with, the nearest last to have its say.
    found: Mapping[str, object] = field(factory=dict)
    #: How often it was begun before.
    attempts: int = 0


#: Does one kind of errand. The Deferred fires with what it came back with, plain JSON,
#: or fails: with :class:`~twistedvoice.errors.ErrandRefused` for good, else to be tried
#: again later, :class:`~twistedvoice.errors.ErrandPostponed` saying when at the
#: earliest. The words of the error are kept and shown: no secrets or numbers in it.
#: What it did may be done once more, after a crash. It can be cancelled.
Performer = Callable[[Errand], Deferred[Mapping[str, object]]]

#: ``waiting`` is to be done when it is due, ``blocked`` when the one before it is done,
#: ``parked`` when somebody says so, and ``done`` never again.
ErrandState = Literal["waiting", "blocked", "parked", "done"]


@frozen(kw_only=True)
class KeptErrand:
    """An errand as the store keeps it. Times are seconds since the epoch."""

    errand: Errand
    state: ErrandState
    posted_at: float
    #: When it may be begun: while somebody is at it, when the lease on it ends. Of one
    #: that is done, when that was.
    due_at: float
    #: The node id of the process that is at it, empty for none.
    holder: str = ""
    #: Why it failed the last time.
    reason: str = ""
    #: What it came back with, on top of what was found before.
    result: Mapping[str, object] = field(factory=dict)


@frozen(kw_only=True)
class Tally:
    """How many errands there are to do."""

    #: Those blocked by others among them.
    waiting: int = 0
    parked: int = 0
    #: When the oldest of those that nothing blocks was posted, seconds since the epoch.
    oldest_at: float | None = None


class ErrandStore(Protocol):
    """
    Where errands are kept; a part of :class:`twistedvoice.interfaces.Store`.

    Each method is atomic across processes. ``now`` is seconds since the epoch.
    Failures arrive through the Deferred as :class:`~twistedvoice.errors.StoreError`.
    """

    def add_errands(self, errands: Sequence[Errand], *, now: float) -> Deferred[None]:
        """Keep all of these, or none; one whose id is known already stays as it is."""

    def take_errands(
        self,
        kinds: Collection[str],
        holder: str,
        *,
        limit: int,
        expires_at: float,
        now: float,
    ) -> Deferred[Sequence[Errand]]:
        """
        Take what is due, the longest due first, and count it as begun.

        What was taken and not reported when its lease ends is due again.

        :param limit: the most to take.
        """

    def hold_errands(
        self, ids: Sequence[str], holder: str, *, expires_at: float
    ) -> Deferred[None]:
        """Move the end of the leases on these, as far as ``holder`` has them."""

    def release_errands(
        self, ids: Sequence[str], holder: str, *, now: float
    ) -> Deferred[None]:
        """Give these back as if never begun, as far as ``holder`` has them."""

    def errand_done(
        self, errand_id: str, result: Mapping[str, object], *, now: float
    ) -> Deferred[None]:
        """
        Record a success, whoever has it taken: it is never due again.

        What was blocked by it is due now. Nothing happens when it was dropped.
        """

    def errand_failed(
        self, errand_id: str, holder: str, reason: str, *, due_at: float | None
    ) -> Deferred[None]:
        """
        Record a failure, unless ``holder`` has it no more.

        :param due_at: when it may be tried again; None parks it.
        """

    def errands(
        self, *, state: ErrandState | None = None, limit: int = 1000
    ) -> Deferred[Sequence[KeptErrand]]:
        """:returns: those in this state, else all that are not done, oldest first."""

    def sessions_to_do(self) -> Deferred[Collection[str]]:
        """:returns: the ids of all sessions with errands that are not done."""

    def retry_errands(
        self, ids: Sequence[str] | None, *, now: float
    ) -> Deferred[Sequence[str]]:
        """
        Let those be due now, begun never, that are parked or wait for a later attempt.

        :param ids: which ones; None for all.
        :returns: the ids of those that were put off so.
        """

    def drop_errand(self, errand_id: str) -> Deferred[Sequence[str]]:
        """
        Forget one that is not done, and all that waits for it.

        :returns: the ids of what was forgotten.
        """

    def tally_errands(self) -> Deferred[Tally]:
        """:returns: how many there are to do."""

    def sweep_errands(self, *, before: float) -> Deferred[None]:
        """
        Forget what was done before this time, some hundreds at a go.

        One that another still waits for stays.
        """
