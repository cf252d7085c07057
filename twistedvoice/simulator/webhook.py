# -*- test-case-name: tests.simulator.test_webhook -*-
"""Posts the carrier's webhooks, signed.

The voice webhook asks what to do with a call; the status callback tells how it ended.
Each request has a connection of its own, closed when the request is done.
"""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import urlencode

from attrs import define
from twisted.internet.defer import Deferred, succeed
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IConsumer
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseFailed,
    readBody,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from .line import CONNECT_ERRORS, Line, refused, unreachable
from .plan import CallPlan
from .signature import HEADER, sign

__all__ = ["ask_for_markup", "tell_status"]

#: The carrier's patience with a webhook.
_ANSWER_SECONDS = 15.0


async def ask_for_markup(reactor: Any, plan: CallPlan) -> bytes:
    """
    Tell the service that a call comes in.

    :returns: the markup it answers with.
    :raises SimulationError: when it refuses, or cannot be reached.
    """
    return await _post(reactor, plan, plan.webhook_url, _form(plan, "ringing"))


async def tell_status(
    reactor: Any, plan: CallPlan, status: str, duration_ms: float
) -> None:
    """
    Tell the service how the call ended.

    :param status: the carrier's word for it: ``completed``, ``busy`` and the like.
    :raises SimulationError: as for :func:`ask_for_markup`.
    """
    seconds = str(round(duration_ms / 1000))
    form = [*_form(plan, status), ("CallDuration", seconds)]
    await _post(reactor, plan, plan.status_url, form)


def _form(plan: CallPlan, status: str) -> list[tuple[str, str]]:
    return [
        ("AccountSid", plan.account_id),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", plan.call_id),
        ("CallStatus", status),
        ("Called", plan.to_number),
        ("Caller", plan.from_number),
        ("Direction", "inbound"),
        ("From", plan.from_number),
        ("To", plan.to_number),
    ]


async def _post(
    reactor: Any, plan: CallPlan, url: str, form: list[tuple[str, str]]
) -> bytes:
    pool: Any = HTTPConnectionPool(reactor)
    line = Line(reactor, url, plan.connect_to)
    agent = Agent.usingEndpointFactory(reactor, _SameLine(line), pool)
    exchange = Deferred.fromCoroutine(_exchange(agent, plan, url, form))
    try:
        return await exchange.addTimeout(_ANSWER_SECONDS, reactor, _give_up)
    except (*CONNECT_ERRORS, ResponseFailed, RequestTransmissionFailed) as error:
        raise unreachable(error, url) from error
    finally:
        await pool.closeCachedConnections()


def _give_up(result: object, seconds: float) -> NoReturn:
    """The usual way keeps what a connection attempt fails with when cancelled."""
    raise TookTooLong(f"no answer within {seconds:.0f} s")


async def _exchange(
    agent: Agent, plan: CallPlan, url: str, form: list[tuple[str, str]]
) -> bytes:
    response = await agent.request(
        b"POST", url.encode("ascii"), _headers(plan, url, form), _Body(form)
    )
    body = await readBody(response)
    if not 200 <= response.code < 300:
        raise refused(response.code, url)
    return body


def _headers(plan: CallPlan, url: str, form: list[tuple[str, str]]) -> Headers:
    headers = Headers(
        {
            "Content-Type": ["application/x-www-form-urlencoded; charset=UTF-8"],
            "I-Twilio-Idempotency-Token": [plan.idempotency_token],
        }
    )
    if plan.auth_token is not None:
        headers.addRawHeader(HEADER, sign(plan.auth_token, url, form))
    return headers


@implementer(IAgentEndpointFactory)
@define
class _SameLine:
    """Reaches the service by one line, whatever URL is asked for."""

    line: Line

    def endpointForURI(self, uri: object) -> Any:
        return self.line.endpoint()


@implementer(IBodyProducer)
class _Body:
    """A form, written in one piece: the usual producer needs the global reactor."""

    def __init__(self, form: list[tuple[str, str]]) -> None:
        self._data = urlencode(form).encode("ascii")
        self.length = len(self._data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass
