# -*- test-case-name: tests.doubles.gemini.test_service -*-
"""The double of Gemini: who may open a connection, and what outlasts one."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from ..door import Door, Visitor
from ..network import ServiceSocket
from .memory import Memories
from .plan import Plan
from .session import Session

__all__ = ["PATH", "GeminiDouble"]

_SERVICE = "google.ai.generativelanguage.v1beta.GenerativeService"
PATH = f"/ws/{_SERVICE}.BidiGenerateContent"


class GeminiDouble(Door[Plan, Session]):
    """The Gemini Live API for tests: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: Plan | None = None) -> None:
        super().__init__(clock, plan or Plan())
        self._memories = Memories(clock)

    def _status(self, visitor: Visitor) -> int:
        # Whether its key is right a client is told after its set-up.
        return 0 if visitor.path == PATH else 404

    def _seat(self, visitor: Visitor, socket: ServiceSocket) -> Session:
        key = visitor.headers.get("x-goog-api-key") or visitor.query.get("key", "")
        return Session(self._clock, self.plan, socket, self._memories, key)
