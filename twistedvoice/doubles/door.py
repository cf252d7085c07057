# -*- test-case-name: tests.doubles.openai.test_service tests.doubles.test_deepgram -*-
"""The door of a double: who may open a socket, and the sessions of all who did.

A double derives from it and is then a :data:`~.network.Service`: give it to a
:class:`~.network.MemoryNetwork` in virtual time, or to a
:class:`~.server.ServiceFactory` on a real port.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from ..errors import SocketRefused
from ..sockets import SocketReceiver, SocketRequest
from .network import ServiceSocket

__all__ = ["Door", "Visitor"]

#: A double may run for days.
_MOST_KEPT = 100


@frozen(kw_only=True)
class Visitor:
    """Who wants to come in."""

    path: str
    #: What stands in the URL, each name once.
    query: Mapping[str, str]
    #: By their names in lower case.
    headers: Mapping[str, str] = field(repr=False)


class _Plan(Protocol):
    #: The HTTP statuses that the next sockets are refused with, in order.
    refusals: list[int]


_AnyPlan = TypeVar("_AnyPlan", bound=_Plan)
_Session = TypeVar("_Session", bound=SocketReceiver)


class Door(Generic[_AnyPlan, _Session]):
    """Lets in who has the key, unless the plan says otherwise."""

    def __init__(self, clock: IReactorTime, plan: _AnyPlan) -> None:
        self.plan = plan
        #: The sessions that were opened, the newest last.
        self.sessions: deque[_Session] = deque(maxlen=_MOST_KEPT)
        #: The statuses of all that were not let in.
        self.refused: list[int] = []
        self._clock = clock

    def __call__(self, request: SocketRequest, socket: ServiceSocket) -> SocketReceiver:
        """
        Let a client in.

        :raises SocketRefused: with the status that the API would answer.
        """
        url = urlsplit(request.url)
        visitor = Visitor(
            path=url.path,
            query={name: values[-1] for name, values in parse_qs(url.query).items()},
            headers={name.lower(): text for name, text in request.headers.items()},
        )
        refusals = self.plan.refusals
        status = refusals.pop(0) if refusals else self._status(visitor)
        if status:
            self.refused.append(status)
            raise SocketRefused("the API says no", status=status)
        session = self._seat(visitor, socket)
        self.sessions.append(session)
        return session

    @property
    def session(self) -> _Session:
        """The newest session."""
        return self.sessions[-1]

    def _status(self, visitor: Visitor) -> int:
        """:returns: the HTTP status of a refusal, or 0."""
        raise NotImplementedError

    def _seat(self, visitor: Visitor, socket: ServiceSocket) -> _Session:
        """:returns: a session for who was let in."""
        raise NotImplementedError
