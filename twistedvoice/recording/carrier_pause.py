# -*- test-case-name: tests.recording.test_carrier_pause -*-
"""Has the carrier's recording of one call paused, or not, as the agent wants.

Either request may be repeated, so it is, until it is confirmed, the agent wants the
other, the carrier refuses, or the recording is over. It knows how long that took: until
a pause is confirmed the carrier records on. :mod:`.carrier_call` says when there is a
recording; our own does not depend on any of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..carriers.twilio.rest import in_doubt, read
from ..errors import CarrierApiError
from ..interfaces import HttpClient, HttpRequest

__all__ = ["RecordingPause"]

#: What is confirmed later than this, in seconds, is late.
_IN_TIME = 5.0
#: Seconds before the second attempt; doubled before each further one, up to a bound.
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0
#: What can be said of all pauses and resumes of a call, from the best to the worst.
_WORDS = ("", "confirmed", "late", "unconfirmed")

_log = Logger()


@define(kw_only=True)
class RecordingPause:
    """One call's recording at the carrier, and whether it is to be paused."""

    call_id: str
    clock: IReactorTime
    client: HttpClient
    #: Makes the request for a recording's id that pauses it, or resumes it.
    request: Callable[[str, bool], HttpRequest]
    #: Between 0 and 1: spreads the retries of many calls.
    random: Callable[[], float]
    wanted: bool = field(default=False, init=False)
    #: The worst of what became of it so far, for the CDR; empty when nothing was asked.
    word: str = field(default="", init=False)
    _recording_id: str | None = field(default=None, init=False)
    #: What the carrier has confirmed; None while nobody knows.
    _confirmed: bool | None = field(default=False, init=False)
    _wanted_at: float = field(default=0.0, init=False)
    _working: Deferred[None] | None = field(default=None, init=False)
    _wait: Deferred[Any] | None = field(default=None, init=False)

    def want(self, paused: bool) -> None:
        """The agent wants it paused or not, perhaps again."""
        if paused is not self.wanted:
            self.wanted = paused
            self._wanted_at = self.clock.seconds()
            self._go()

    def begin(self, recording_id: str) -> None:
        """The carrier has a recording that can be paused."""
        self._recording_id = recording_id
        self._wanted_at = self.clock.seconds()
        self._go()

    def stop(self) -> None:
        """The recording is over: what is not confirmed by now never will be."""
        self._recording_id = None
        if self._working is not None:
            self._became("unconfirmed")
            self._working.cancel()

    def _go(self) -> None:
        if self._wait is not None:
            self._wait.cancel()
        elif self._recording_id is not None and self._working is None:
            # An answer may come at once, and then it is done before it is noted.
            working = self._working = Deferred.fromCoroutine(self._settle())
            working.addErrback(self._failed).addBoth(self._settled)

    async def _settle(self) -> None:
        attempt, asked = 0, self.wanted
        while self._confirmed is not self.wanted and self._recording_id is not None:
            attempt = attempt + 1 if asked is self.wanted else 1
            asked = self.wanted
            error = await self._ask(self.request(self._recording_id, asked), asked)
            if error is None:
                in_time = self.clock.seconds() - self._wanted_at <= _IN_TIME
                self._became("confirmed" if in_time else "late")
            elif error.retryable or in_doubt(error):
                await self._wait_for(attempt)
            elif asked is self.wanted:
                self._refused(error)
                return

    async def _ask(self, request: HttpRequest, asked: bool) -> CarrierApiError | None:
        # Whatever comes of it, it may be carried out.
        self._confirmed = None
        try:
            read(await self.client.perform(request))
        except CarrierApiError as error:
            return error
        self._confirmed = asked
        return None

    async def _wait_for(self, attempt: int) -> None:
        seconds = min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT)
        seconds *= 0.5 + self.random() / 2
        self._wait = deferLater(self.clock, seconds)
        try:
            await self._wait
        except CancelledError:
            if self._recording_id is None:
                raise
        finally:
            self._wait = None

    def _refused(self, error: CarrierApiError) -> None:
        self._became("unconfirmed")
        _log.error(
            "call {call_id}: the carrier does not {what} its recording: {error}",
            call_id=self.call_id,
            what="pause" if self.wanted else "resume",
            error=str(error),
        )

    def _became(self, word: str) -> None:
        self.word = max(self.word, word, key=_WORDS.index)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._became("unconfirmed")
            _log.failure(
                "while pausing the recording of {call_id}",
                failure,
                call_id=self.call_id,
            )

    def _settled(self, _: None) -> None:
        self._working = None
