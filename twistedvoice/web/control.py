# -*- test-case-name: tests.web.test_control -*-
"""What only Twilio's REST API can do to a live call: end it, give it new markup.

A call that has ended already is where we wanted it, so that answer is a success.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..carriers.twilio.markup import transfer
from ..carriers.twilio.rest import TwilioRest, has_ended, read
from ..errors import CarrierApiError
from ..interfaces import CallRecord, HttpClient, HttpRequest

__all__ = ["TwilioControl"]


class TwilioControl:
    """Implements :class:`twistedvoice.interfaces.CarrierControl`."""

    def __init__(self, client: HttpClient, rest: TwilioRest) -> None:
        self._client = client
        self._rest = rest

    def hang_up(self, record: CallRecord) -> Deferred[None]:
        request = self._rest.hang_up(record.call_id, account_id=record.account_id)
        return self._perform(request).addErrback(_ended_already)

    def transfer(self, record: CallRecord, number: str) -> Deferred[None]:
        markup = transfer(number)
        return self._perform(
            self._rest.update_twiml(
                record.call_id, markup, account_id=record.account_id
            )
        )

    def _perform(self, request: HttpRequest) -> Deferred[None]:
        reading = self._client.perform(request).addCallback(read)
        return reading.addCallback(lambda _: None)


def _ended_already(failure: Failure) -> None:
    error = failure.value
    if not (isinstance(error, CarrierApiError) and has_ended(error)):
        failure.raiseException()
