"""An outbox in virtual time, and a performer that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errands import Errand
from twistedvoice.errors import StoreError
from twistedvoice.outbox.outbox import Outbox
from twistedvoice.store.memory import MemoryStore

__all__ = ["NOW", "Clerk", "LockableStore", "OutboxTestCase", "errand"]

#: The wall clock when the clock of a test shows zero.
NOW = 1_700_000_000.0


def errand(kind: str = "paint", session: str = "S1", after: str = "") -> Errand:
    """:returns: an errand of a call."""
    return Errand(
        id=f"{session}/{kind}",
        kind=kind,
        session_id=session,
        details={"path": "a.wav"},
        after=after,
    )


class Clerk:
    """A performer that notes what it was asked to do, and ends when it is told."""

    def __init__(self) -> None:
        self.asked: list[Errand] = []
        self.working: list[Deferred[Mapping[str, object]]] = []
        self.cancelled = 0

    def __call__(self, errand: Errand) -> Deferred[Mapping[str, object]]:
        self.asked.append(errand)
        self.working.append(Deferred(self._cancel))
        return self.working[-1]

    def succeed(self, **result: object) -> None:
        """End the oldest work well."""
        self.working.pop(0).callback(result)

    def fail(self, error: Exception | None = None) -> None:
        """End the oldest work badly."""
        self.working.pop(0).errback(error or OSError("the disk is away"))

    def _cancel(self, work: Deferred[Mapping[str, object]]) -> None:
        self.working.remove(work)
        self.cancelled += 1


class LockableStore(MemoryStore):
    """A store that can be made to fail, as one does that somebody has locked."""

    is_locked = False

    def _perform(self, step: Callable[..., Any]) -> Deferred[Any]:
        if self.is_locked:
            return fail(StoreError("locked"))
        return super()._perform(step)


class OutboxTestCase(SynchronousTestCase):
    """One store, and the outboxes of processes that come and go."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = LockableStore()
        self.clerk = Clerk()
        #: What the wall clock was set forward by.
        self.step = 0.0

    def start(self, node: str = "n-1", **named: Any) -> Outbox:
        """:returns: the outbox of a process, at work."""
        performers = {"paint": self.clerk, "frame": self.clerk}
        outbox = Outbox(
            self.clock,
            lambda: NOW + self.step + self.clock.seconds(),
            self.store,
            named.pop("performers", performers),
            holder=node,
            random=lambda: 0.0,
            **named,
        )
        outbox.startService()
        return outbox

    def kill(self, outbox: Outbox) -> None:
        """Let the process of an outbox die: nothing of it is ever called again."""
        for call in list(self.clock.getDelayedCalls()):
            call.cancel()
        self.clerk.working.clear()

    def post(self, outbox: Outbox, *errands: Errand) -> None:
        """Post them, and have it succeed."""
        self.successResultOf(outbox.post(errands or [errand()]))

    def wait(self, seconds: float) -> None:
        """Let time pass, in steps of a second."""
        for _ in range(int(seconds)):
            self.clock.advance(1)

    def state(self, errand_id: str = "S1/paint") -> str:
        """:returns: the state of an errand, empty when there is none."""
        kept = [
            *self.successResultOf(self.store.errands()),
            *self.successResultOf(self.store.errands(state="done")),
        ]
        return next((k.state for k in kept if k.errand.id == errand_id), "")
