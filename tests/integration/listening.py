"""Listens to a session of a model, for the tests on APIs themselves."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from twistedvoice.agents.model.events import Event, ResponseEnded, SoundCame
from twistedvoice.agents.model.session import Session

__all__ = ["Listening"]


class Listening:
    """Notes what a session says, and tells when an answer is whole."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ready: Deferred[None] = Deferred()
        self.answers: list[Deferred[ResponseEnded]] = [Deferred(), Deferred()]

    def session_ready(self, session: Session) -> None:
        self.ready.callback(None)

    def session_told(self, session: Session, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ResponseEnded):
            self.answers.pop(0).callback(event)

    def session_over(self, session: Session, reason: str, *, hopeless: bool) -> None:
        raise AssertionError(reason)

    def sound(self) -> list[SoundCame]:
        """:returns: all that was said."""
        return [event for event in self.events if isinstance(event, SoundCame)]
