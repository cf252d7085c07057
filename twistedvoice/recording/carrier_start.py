# -*- test-case-name: tests.recording.test_carrier_side -*-
"""Asks the carrier to record one call, and does not let go before that is settled.

A create may be lost, refused, or carried out without our learning of it. This is the
story of one call from the first request to a verdict: it waits, looks and asks again,
within bounds. It never asks twice while the first may have been heard.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any, Literal

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ..carriers.twilio.rest import (
    has_ended,
    in_doubt,
    read_recording,
    read_recordings,
    retry_after,
)
from ..errors import CarrierApiError
from ..interfaces import HttpClient, HttpRequest, HttpResponse

__all__ = ["RecordingStart", "StartCounts", "StartOutcome"]

#: How often it is tried before giving up.
_ATTEMPTS = 5
#: Seconds before the second attempt; doubled before each further one.
_FIRST_PAUSE = 0.5
#: The longest a server may make us wait, in seconds.
_LONGEST_PAUSE = 30.0
#: What Twilio calls a recording that goes on, and one that is or will be kept.
_LIVE = frozenset({"in-progress", "paused"})
_KEPT = _LIVE | {"stopped", "processing", "completed"}


@frozen
class StartOutcome:
    """How it came out; ``reason`` is one word for the CDR."""

    verdict: Literal["recording", "failed", "skipped"]
    reason: str
    recording_id: str | None = None


@define
class StartCounts:
    """What the starts of all calls did, for the metrics."""

    #: Requests to create a recording.
    creates: int = 0
    #: Requests for the list of a call's recordings.
    looks: int = 0
    #: Pauses before another attempt.
    pauses: int = 0


@define(kw_only=True)
class RecordingStart:
    """
    One call's recording, from the first request to the verdict.

    Only what is transient is tried again: the carrier was too busy, could not be
    reached, or did not answer. After a create of unknown fate it looks at what the
    carrier has before it creates again, and adopts what is there.
    """

    _clock: IReactorTime
    _client: HttpClient
    _create_request: HttpRequest = field(alias="create")
    _look_request: HttpRequest = field(alias="look")
    #: Between 0 and 1: spreads the pauses of many calls.
    _random: Callable[[], float]
    _counts: StartCounts
    #: There may be a recording that we do not know of: look before creating.
    _unsure: bool = field(alias="look_first")
    _over: bool = field(default=False, init=False)
    _trouble: str = field(default="call_ended", init=False)
    _asked_to_wait: float = field(default=0.0, init=False)
    _pause: Deferred[Any] | None = field(default=None, init=False)

    async def run(self) -> StartOutcome:
        """
        Start the recording; cancelling leaves nothing behind.

        :returns: the verdict, after a bounded number of requests.
        """
        for attempt in range(_ATTEMPTS):
            if self._over:
                break
            outcome = await self._attempt()
            if outcome is not None:
                return outcome
            await self._wait(attempt)
        found = await self._look_once(_KEPT) if self._unsure else None
        return found or StartOutcome("failed", self._trouble)

    def call_ended(self) -> None:
        """Stop waiting and create nothing more; what may be there is looked for."""
        self._over = True
        if self._pause is not None:
            self._pause.cancel()

    async def _attempt(self) -> StartOutcome | None:
        try:
            if self._unsure:
                found = await self._look(_KEPT)
                self._unsure = False
                if found is not None or self._over:
                    return found
            return await self._create()
        except CarrierApiError as error:
            return await self._judge(error)

    async def _judge(self, error: CarrierApiError) -> StartOutcome | None:
        if in_doubt(error):
            self._unsure = True
        elif not error.retryable:
            return await self._refused(error)
        self._trouble = _word(error)
        return None

    async def _refused(self, error: CarrierApiError) -> StartOutcome:
        """
        See whether it was refused because the call is being recorded already.

        Twilio's documents give no error number for that.
        """
        found = await self._look_once(_LIVE)
        if found is not None:
            return found
        if has_ended(error):
            return StartOutcome("skipped", "call_over")
        return StartOutcome("failed", "refused")

    async def _create(self) -> StartOutcome:
        self._counts.creates += 1
        recording = read_recording(await self._ask(self._create_request))
        return StartOutcome("recording", "created", recording.recording_id)

    async def _look(self, statuses: Set[str]) -> StartOutcome | None:
        self._counts.looks += 1
        for recording in read_recordings(await self._ask(self._look_request)):
            if recording.status in statuses:
                return StartOutcome("recording", "adopted", recording.recording_id)
        return None

    async def _look_once(self, statuses: Set[str]) -> StartOutcome | None:
        try:
            return await self._look(statuses)
        except CarrierApiError:
            return None

    async def _ask(self, request: HttpRequest) -> HttpResponse:
        self._asked_to_wait = 0.0
        response = await self._client.perform(request)
        self._asked_to_wait = retry_after(response)
        return response

    async def _wait(self, attempt: int) -> None:
        if self._over:
            return
        self._counts.pauses += 1
        backoff = _FIRST_PAUSE * 2**attempt * (0.5 + self._random() / 2)
        seconds = min(max(backoff, self._asked_to_wait), _LONGEST_PAUSE)
        self._pause = deferLater(self._clock, seconds)
        try:
            await self._pause
        except CancelledError:
            if not self._over:
                raise
        finally:
            self._pause = None


def _word(error: CarrierApiError) -> str:
    if in_doubt(error):
        return "unanswered"
    return "unreachable" if error.status is None else "busy"
