"""Tests of ``twistedvoice.web.control``."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.rest import TwilioRest
from twistedvoice.errors import CarrierApiError
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import CallRecord, HttpRequest, HttpResponse
from twistedvoice.web.control import TwilioControl

__all__ = ["ControlTests"]

CALL = "CA" + "1" * 32
ACCOUNT = "AC" + "1" * 32
RECORD = CallRecord(
    session_id="session-1",
    call_id=CALL,
    account_id="AC" + "2" * 32,
    stream_id="MZ1",
    from_number="+15550100002",
    to_number="+15550100001",
    format=MULAW_8K,
    started_at=0.0,
    started_us=0,
)


class Api:
    """Twilio's API, which says what the test wants."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []
        self.answer: Deferred[HttpResponse] = self.says(200, sid=CALL)

    def says(self, status: int, **body: object) -> Deferred[HttpResponse]:
        """:returns: the next answer, which is also set."""
        response = HttpResponse(
            status=status, headers={}, body=json.dumps(body).encode()
        )
        self.answer = succeed(response)
        return self.answer

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        self.asked.append(request)
        return self.answer


class ControlTests(SynchronousTestCase):
    """What only the carrier's API can do to a call."""

    def setUp(self) -> None:
        self.api = Api()
        rest = TwilioRest(ACCOUNT, ("user", "password"))
        self.control = TwilioControl(self.api, rest)

    def test_hang_up(self) -> None:
        """The call is ended in its own account."""
        self.assertIsNone(self.successResultOf(self.control.hang_up(RECORD)))
        [request] = self.api.asked
        self.assertEqual(request.method, "POST")
        self.assertIn(f"/Accounts/{RECORD.account_id}/Calls/{CALL}.json", request.url)
        self.assertEqual(request.form, (("Status", "completed"),))

    def test_hang_up_of_a_call_that_has_ended(self) -> None:
        """The caller was faster, which is what was wanted."""
        self.api.says(400, code=21220)
        self.assertIsNone(self.successResultOf(self.control.hang_up(RECORD)))

    def test_hang_up_that_fails(self) -> None:
        """Any other refusal, and no answer at all, is an error."""
        self.api.says(401, code=20003)
        error = self.failureResultOf(self.control.hang_up(RECORD), CarrierApiError)
        self.assertEqual(error.value.code, 20003)
        silence = CarrierApiError("no answer", status=None, code=None, retryable=False)
        self.api.answer = fail(silence)
        self.failureResultOf(self.control.hang_up(RECORD), CarrierApiError)

    def test_transfer(self) -> None:
        """The call gets markup that dials the number."""
        done = self.control.transfer(RECORD, "+15550100009")
        self.assertIsNone(self.successResultOf(done))
        [(name, markup)] = self.api.asked[0].form
        self.assertEqual(name, "Twiml")
        self.assertIn("<Dial>+15550100009</Dial>", markup)

    def test_transfer_of_a_call_that_has_ended(self) -> None:
        """A caller who is gone cannot be handed on, and the agent is told."""
        self.api.says(400, code=21220)
        done = self.control.transfer(RECORD, "+15550100009")
        self.failureResultOf(done, CarrierApiError)
