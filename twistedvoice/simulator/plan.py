# -*- test-case-name: tests.simulator.test_place -*-
"""The plan of one simulated call: whom to call, who calls, and what the caller does.

A plain value. Everything random in a call, its ids, is in its plan, so that a plan
with fixed ids makes the same call again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from attrs import Factory, field, frozen

from .script import Step

__all__ = ["CallPlan"]


def _sid(prefix: str) -> Callable[[], str]:
    return lambda: prefix + uuid4().hex


@frozen(kw_only=True)
class CallPlan:
    """One call; give ``webhook_url``, or ``stream_url`` to skip the webhook."""

    #: The voice webhook, as the service knows itself: this is what is signed.
    webhook_url: str = ""
    #: Open this stream at once, for services that need no token.
    stream_url: str = ""
    #: Host and port to reach the service at over plain TCP, whatever URLs say: for a
    #: service behind no proxy that believes in its public URL.
    connect_to: tuple[str, int] | None = None
    #: Where to tell of the call's end, as a carrier with a status callback does.
    status_url: str = ""
    #: None leaves everything unsigned.
    auth_token: str | None = field(default=None, repr=False)
    steps: Sequence[Step] = ()
    #: The carrier ends the call when its stream is that old.
    max_seconds: float = 120.0
    #: What the carrier's playout buffer holds back; 0 is a link without delay.
    jitter_ms: int = 60
    from_number: str = field(default="+15550100001", repr=False)
    to_number: str = field(default="+15550100002", repr=False)
    #: Given to the service in ``start`` when there is no markup to say so.
    params: Mapping[str, str] = field(factory=dict, repr=False)
    account_id: str = Factory(_sid("AC"))
    call_id: str = Factory(_sid("CA"))
    stream_id: str = Factory(_sid("MZ"))
    #: The same on each attempt of one webhook.
    idempotency_token: str = Factory(_sid(""))
