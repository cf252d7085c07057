# -*- test-case-name: tests.doubles.openai.test_service -*-
"""The door of the double: who may open a session, and all that were opened.

It is a :data:`~..network.Service`: give it to a :class:`~..network.MemoryNetwork` in
virtual time, or to a :class:`~..server.ServiceFactory` on a real port.
"""

from __future__ import annotations

from collections import deque
from urllib.parse import parse_qs, urlsplit

from twisted.internet.interfaces import IReactorTime

from ...errors import SocketRefused
from ...sockets import SocketReceiver, SocketRequest
from ..network import ServiceSocket
from .plan import Plan
from .session import Session

__all__ = ["OpenAiDouble"]

_PATH = "/v1/realtime"
#: A double may run for days.
_MOST_KEPT = 100


class OpenAiDouble:
    """OpenAI's Realtime API for tests: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        #: The sessions that were opened, the newest last.
        self.sessions: deque[Session] = deque(maxlen=_MOST_KEPT)
        #: The statuses of all that were not let in.
        self.refused: list[int] = []
        self._clock = clock

    def __call__(self, request: SocketRequest, socket: ServiceSocket) -> SocketReceiver:
        """
        Let a client in.

        :raises SocketRefused: with the status that the API would answer.
        """
        status = self._status(request)
        if status:
            self.refused.append(status)
            raise SocketRefused("the API says no", status=status)
        [model] = parse_qs(urlsplit(request.url).query)["model"]
        session = Session(self._clock, self.plan, socket, model)
        self.sessions.append(session)
        return session

    @property
    def session(self) -> Session:
        """The newest session."""
        return self.sessions[-1]

    def _status(self, request: SocketRequest) -> int:
        """:returns: the HTTP status of a refusal, or 0."""
        if self.plan.refusals:
            return self.plan.refusals.pop(0)
        url, headers = urlsplit(request.url), request.headers
        named = {name.lower(): value for name, value in headers.items()}
        if url.path != _PATH:
            return 404
        if named.get("authorization") != f"Bearer {self.plan.key}":
            return 401
        # The beta speaks another dialect, and a session needs a model.
        if "openai-beta" in named or "model" not in parse_qs(url.query):
            return 400
        return 0
