# -*- test-case-name: tests.test_routing tests.agents.model.test_warm -*-
"""What agents may need beside their call: other services, and the time before a call.

An agent class whose :meth:`~.agent.Agent.configure` returns a :class:`RemoteFactory`
gets it; any other factory is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from attrs import field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime

from ..errors import CarrierApiError
from ..interfaces import Agent, HttpFetch, HttpRequest, HttpResponse
from ..sockets import Dialer

__all__ = ["Outside", "RemoteFactory"]


def _no_http(
    request: HttpRequest, write: Callable[[bytes], Deferred[None]], limit: int
) -> Deferred[HttpResponse]:
    refusal = CarrierApiError("no HTTP here", status=None, code=None, retryable=False)
    return fail(refusal)


@frozen(kw_only=True)
class Outside:
    """What the process lends to agents."""

    clock: IReactorTime
    dial: Dialer
    #: What the configuration says of accounts elsewhere, by key; keys are among it.
    accounts: Mapping[str, str] = field(repr=False)
    #: Streams answers over HTTP; for tests of agents that need none it may be left out.
    fetch: HttpFetch = _no_http


@runtime_checkable
class RemoteFactory(Protocol):
    """Makes agents that talk with a service elsewhere."""

    def __call__(self) -> Agent:
        """:returns: the agent of one call; only after :meth:`connect`."""

    def missing(self, accounts: Mapping[str, str]) -> list[str]:
        """:returns: a problem for each account that it needs and that is not there."""

    def connect(self, outside: Outside) -> None:
        """The process is there; told once, before the first call."""

    def expect(self, call_id: str) -> None:
        """A call is about to come, or not: its phone still rings."""

    def close(self) -> None:
        """No call comes any more: let go of what waits for one."""
