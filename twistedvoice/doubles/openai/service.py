# -*- test-case-name: tests.doubles.openai.test_service -*-
"""The double of OpenAI: who may open a session with it."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from ..door import Door, Visitor
from ..network import ServiceSocket
from .plan import Plan
from .session import Session

__all__ = ["PATH", "OpenAiDouble"]

PATH = "/v1/realtime"


class OpenAiDouble(Door[Plan, Session]):
    """OpenAI's Realtime API for tests: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: Plan | None = None) -> None:
        super().__init__(clock, plan or Plan())

    def _status(self, visitor: Visitor) -> int:
        if visitor.path != PATH:
            return 404
        if visitor.headers.get("authorization") != f"Bearer {self.plan.key}":
            return 401
        # The beta speaks another dialect, and a session needs a model.
        is_beta = "openai-beta" in visitor.headers
        return 400 if is_beta or "model" not in visitor.query else 0

    def _seat(self, visitor: Visitor, socket: ServiceSocket) -> Session:
        return Session(self._clock, self.plan, socket, visitor.query["model"])
