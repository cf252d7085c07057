# -*- test-case-name: tests.outbox.test_webhook -*-
"""Performs ``webhook``: tells a receiver that a recording is ready.

Signed as the Standard Webhooks specification says (standardwebhooks.com, version 1):
an id that stays the same however often it is sent, the time of this attempt, and an
HMAC of both and the body for each secret there is.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..errands import Errand
from ..errors import ErrandFailed, ErrandPostponed, ErrandRefused
from ..interfaces import HttpClient, HttpRequest, HttpResponse

__all__ = ["Webhook", "signature", "signing_key"]

_MARK_OF_SECRETS = "whsec_"
#: What the receiver is told of the recording.
_TOLD = ("call_id", "path", "key", "started_at", "duration_ms", "degraded")
_GONE = 410
#: The specification asks for 24 to 64.
_LEAST_KEY_BYTES = 24


class Webhook:
    """
    A performer that posts to one receiver.

    :param wall: seconds since the epoch.
    :param keys: as :func:`signing_key` gives them; two while one is rotated.
    """

    def __init__(
        self,
        client: HttpClient,
        wall: Callable[[], float],
        url: str,
        keys: Sequence[bytes],
    ) -> None:
        self._client = client
        self._wall = wall
        self._url = url
        self._keys = keys

    def perform(self, errand: Errand) -> Deferred[Mapping[str, object]]:
        """
        Implement :data:`~twistedvoice.interfaces.Performer`.

        :returns: fires with the ``status`` of an answer that says it was taken.
        """
        body = _body(errand)
        timestamp = int(self._wall())
        signatures = (signature(k, errand.id, timestamp, body) for k in self._keys)
        request = HttpRequest(
            method="POST",
            url=self._url,
            body=body,
            headers={
                "content-type": "application/json",
                "webhook-id": errand.id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": " ".join(signatures),
            },
        )
        return self._client.perform(request).addCallbacks(self._judged, _untold)

    def _judged(self, answer: HttpResponse) -> Mapping[str, object]:
        if 200 <= answer.status < 300:
            return {"status": answer.status}
        if answer.status == _GONE:
            raise ErrandRefused("the receiver wants no more (410)")
        reason = f"the receiver answered {answer.status}"
        seconds = _seconds(answer.headers.get("retry-after", ""), self._wall())
        if seconds > 0:
            raise ErrandPostponed(reason, seconds)
        raise ErrandFailed(reason)


def signing_key(text: str) -> bytes:
    """
    Read a secret.

    :param text: ``whsec_`` and base64.
    :raises ValueError: when it is none. It is not quoted.
    """
    if not text.startswith(_MARK_OF_SECRETS):
        raise ValueError("it does not begin with whsec_")
    key = b64decode(text.removeprefix(_MARK_OF_SECRETS), validate=True)
    if len(key) < _LEAST_KEY_BYTES:
        raise ValueError(f"it has fewer than {_LEAST_KEY_BYTES} bytes")
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """:returns: one signature, with its version."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")


def _body(errand: Errand) -> bytes:
    """:returns: the same bytes at every attempt."""
    details = errand.details
    ready_at = details.get("finished_at")
    assert isinstance(ready_at, int | float), "every recording has it"
    message = {
        "type": "recording.ready",
        "timestamp": datetime.fromtimestamp(ready_at, UTC).isoformat(),
        "data": {
            "session_id": errand.session_id,
            **{name: details.get(name) for name in _TOLD},
            "results": dict(errand.found),
        },
    }
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def _seconds(retry_after: str, now: float) -> float:
    """:returns: what a ``Retry-After`` asks for: a number, or a date; 0 for none."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return parsedate_to_datetime(retry_after).timestamp() - now
    except (ValueError, OverflowError):
        return 0.0


def _untold(failure: Failure) -> Mapping[str, object] | Failure:
    """:returns: that it was taken, though the answer was too long to read."""
    status = getattr(failure.value, "status", None)
    return {"status": status} if status in range(200, 300) else failure
