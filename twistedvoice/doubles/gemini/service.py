# -*- test-case-name: tests.doubles.gemini.test_service -*-
"""The door of the double: who may open a connection, and all that were opened.

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
from .memory import Memories
from .plan import Plan
from .session import Session

__all__ = ["PATH", "GeminiDouble"]

_SERVICE = "google.ai.generativelanguage.v1beta.GenerativeService"
PATH = f"/ws/{_SERVICE}.BidiGenerateContent"
#: A double may run for days.
_MOST_KEPT = 100


class GeminiDouble:
    """The Gemini Live API for tests: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        #: The connections that were opened, the newest last.
        self.sessions: deque[Session] = deque(maxlen=_MOST_KEPT)
        self._memories = Memories(clock)
        self._clock = clock

    def __call__(self, request: SocketRequest, socket: ServiceSocket) -> SocketReceiver:
        """
        Let a client in; whether its key is right it is told after its set-up.

        :raises SocketRefused: with the status that the API would answer.
        """
        url = urlsplit(request.url)
        status = 0 if url.path == PATH else 404
        if self.plan.refusals:
            status = self.plan.refusals.pop(0)
        if status:
            raise SocketRefused("the API says no", status=status)
        named = {name.lower(): value for name, value in request.headers.items()}
        key = named.get("x-goog-api-key") or parse_qs(url.query).get("key", [""])[0]
        session = Session(self._clock, self.plan, socket, self._memories, key)
        self.sessions.append(session)
        return session

    @property
    def session(self) -> Session:
        """The newest connection."""
        return self.sessions[-1]
