# -*- test-case-name: tests.carriers.test_twilio_rest -*-
"""Twilio's REST API: requests as values, and what the answers mean.

Nothing here does I/O; :mod:`twistedvoice.web.client` performs the requests. What an
error of the API says about the request - carried out, not carried out, nobody knows -
is decided here alone. Twilio has no idempotency key, so whoever repeats a request that
creates something must ask :func:`in_doubt` first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from ...errors import CarrierApiError
from ...interfaces import HttpRequest, HttpResponse

__all__ = [
    "Recording",
    "TwilioRest",
    "has_ended",
    "in_doubt",
    "read",
    "read_recording",
    "read_recordings",
    "retry_after",
]

#: "Too many concurrent requests": the request was not processed.
_TOO_MANY = 20429
#: The call is not known (any more), and the call is not in progress.
_ENDED = frozenset({20404, 21220})


@frozen
class TwilioRest:
    """
    Makes the requests for the calls of one account and of its subaccounts.

    A subaccount's calls live under its own id and take the parent's credentials:
    ``account_id`` of a method names it, and stands for ``account_sid`` when empty.
    """

    account_sid: str
    #: Account id and auth token, or API key id and its secret.
    auth: tuple[str, str] = field(repr=False)
    base_url: str = "https://api.twilio.com"

    def hang_up(self, call_id: str, *, account_id: str = "") -> HttpRequest:
        """End the call; may be repeated. See :func:`has_ended` for one that is over."""
        return self._post(self._call(call_id, account_id), Status="completed")

    def update_twiml(
        self, call_id: str, twiml: str, *, account_id: str = ""
    ) -> HttpRequest:
        """Replace what the call is doing at once; this ends its stream."""
        return self._post(self._call(call_id, account_id), Twiml=twiml)

    def start_recording(
        self, call_id: str, *, callback_url: str, account_id: str = ""
    ) -> HttpRequest:
        """
        Record both sides on a channel each, untrimmed. Never to be repeated blindly.

        Everything is said explicitly: Twilio's pages disagree about the defaults.
        """
        return self._post(
            self._call(call_id, account_id, "Recordings"),
            RecordingChannels="dual",
            RecordingTrack="both",
            RecordingStatusCallback=callback_url,
            RecordingStatusCallbackMethod="POST",
            RecordingStatusCallbackEvent="in-progress completed absent",
            Trim="do-not-trim",
        )

    def list_recordings(self, call_id: str, *, account_id: str = "") -> HttpRequest:
        """Ask for the recordings of the call, the newest first."""
        url = self._call(call_id, account_id, "Recordings")
        return HttpRequest(method="GET", url=url, auth=self.auth)

    def pause_recording(
        self, call_id: str, recording_id: str, *, account_id: str = ""
    ) -> HttpRequest:
        """Record silence until it is resumed; may be repeated."""
        url = self._call(call_id, account_id, "Recordings", recording_id)
        return self._post(url, Status="paused", PauseBehavior="silence")

    def resume_recording(
        self, call_id: str, recording_id: str, *, account_id: str = ""
    ) -> HttpRequest:
        """Go on with a paused recording; may be repeated."""
        url = self._call(call_id, account_id, "Recordings", recording_id)
        return self._post(url, Status="in-progress")

    def stop_recording(self, call_id: str, *, account_id: str = "") -> HttpRequest:
        """Stop the recording that is running; may be repeated."""
        url = self._call(call_id, account_id, "Recordings", "Twilio.CURRENT")
        return self._post(url, Status="stopped")

    def look_at_recording(
        self, recording_id: str, *, account_id: str = ""
    ) -> HttpRequest:
        """Ask how the recording fares."""
        url = self._url(account_id, "Recordings", recording_id) + ".json"
        return HttpRequest(method="GET", url=url, auth=self.auth)

    def fetch_recording(
        self, recording_id: str, *, account_id: str = ""
    ) -> HttpRequest:
        """Ask for the sound of a completed recording: a WAV file of two channels."""
        url = self._url(account_id, "Recordings", recording_id)
        url += ".wav?RequestedChannels=2"
        return HttpRequest(method="GET", url=url, auth=self.auth)

    def _call(self, call_id: str, account_id: str, *below: str) -> str:
        return self._url(account_id, "Calls", call_id, *below) + ".json"

    def _url(self, account_id: str, *below: str) -> str:
        account = account_id or self.account_sid
        parts = ("2010-04-01", "Accounts", account, *below)
        path = "/".join(quote(part, safe="") for part in parts)
        return f"{self.base_url.rstrip('/')}/{path}"

    def _post(self, url: str, **form: str) -> HttpRequest:
        return HttpRequest(
            method="POST", url=url, form=tuple(form.items()), auth=self.auth
        )


def read(response: HttpResponse) -> dict[str, Any]:
    """
    :returns: the resource that the answer holds.
    :raises CarrierApiError: when the answer is an error, or is a success that cannot
        be read. Its text has no word of the carrier's message, which may hold numbers.
    """
    body = _json_object(response.body)
    if 200 <= response.status < 300 and body is not None:
        return body
    code = (body or {}).get("code")
    code = code if type(code) is int else None
    raise CarrierApiError(
        f"Twilio answered {response.status} with error number {code or 'none'}",
        status=response.status,
        code=code,
        retryable=response.status == 429 or code == _TOO_MANY,
    )


def retry_after(response: HttpResponse) -> float:
    """:returns: the seconds that the server asks to wait, 0 when it does not say."""
    for name, value in response.headers.items():
        if name.lower() == "retry-after" and value.strip().isdecimal():
            return float(value)
    return 0.0


def has_ended(error: CarrierApiError) -> bool:
    """Tell whether the request failed because the call is over."""
    return error.code in _ENDED


def in_doubt(error: CarrierApiError) -> bool:
    """
    Tell whether the request may have been carried out although it failed.

    So after no answer, a server's failure, and a success that could not be read.
    """
    if error.retryable:
        return False
    return error.status is None or not 300 <= error.status < 500


@frozen
class Recording:
    """A recording as the API shows it; ``status`` is Twilio's word."""

    recording_id: str
    status: str


def read_recording(response: HttpResponse) -> Recording:
    """
    :returns: the recording that was started, or looked at.
    :raises CarrierApiError: as :func:`read`; also when the answer names no recording.
    """
    found = _recording(read(response))
    if found is None:
        raise _unreadable(response)
    return found


def read_recordings(response: HttpResponse) -> Sequence[Recording]:
    """
    :returns: the recordings of a list, in its order.
    :raises CarrierApiError: as :func:`read`; also when the answer is no list.
    """
    listed = read(response).get("recordings")
    if not isinstance(listed, list):
        raise _unreadable(response)
    found = [_recording(item) for item in listed if isinstance(item, dict)]
    return [item for item in found if item is not None]


def _recording(body: Mapping[str, Any]) -> Recording | None:
    sid, status = body.get("sid"), body.get("status")
    if not isinstance(sid, str) or not sid:
        return None
    return Recording(sid, status if isinstance(status, str) else "")


def _unreadable(response: HttpResponse) -> CarrierApiError:
    return CarrierApiError(
        f"Twilio answered {response.status} without what was asked for",
        status=response.status,
        code=None,
        retryable=False,
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
