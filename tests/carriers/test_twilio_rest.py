"""Tests of the requests to Twilio's REST API and of reading its answers."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.rest import (
    Recording,
    TwilioRest,
    has_ended,
    in_doubt,
    read,
    read_recording,
    read_recordings,
    retry_after,
)
from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import HttpResponse

AUTH = ("SK9", "hunter2")
BASE = "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls"


def answer(status: int, body: object = None, **headers: str) -> HttpResponse:
    """:returns: an answer with ``body`` as JSON, or as it is when it is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers=named, body=data)


class RequestTests(SynchronousTestCase):
    """What is sent to Twilio."""

    def setUp(self) -> None:
        self.rest = TwilioRest("AC1", AUTH)

    def test_requests(self) -> None:
        """Each request has the method, the place and the form that Twilio documents."""
        rest = self.rest
        recordings = f"{BASE}/CA1/Recordings"
        table = [
            (
                rest.hang_up("CA1"),
                "POST",
                f"{BASE}/CA1.json",
                {"Status": "completed"},
            ),
            (
                rest.update_twiml("CA1", "<Response/>"),
                "POST",
                f"{BASE}/CA1.json",
                {"Twiml": "<Response/>"},
            ),
            (rest.list_recordings("CA1"), "GET", f"{recordings}.json", {}),
            (
                rest.pause_recording("CA1", "RE1"),
                "POST",
                f"{recordings}/RE1.json",
                {"Status": "paused", "PauseBehavior": "silence"},
            ),
            (
                rest.resume_recording("CA1", "RE1"),
                "POST",
                f"{recordings}/RE1.json",
                {"Status": "in-progress"},
            ),
            (
                rest.stop_recording("CA1"),
                "POST",
                f"{recordings}/Twilio.CURRENT.json",
                {"Status": "stopped"},
            ),
            (
                rest.start_recording("CA1", callback_url="https://us.example/cb"),
                "POST",
                f"{recordings}.json",
                {
                    "RecordingChannels": "dual",
                    "RecordingTrack": "both",
                    "RecordingStatusCallback": "https://us.example/cb",
                    "RecordingStatusCallbackMethod": "POST",
                    "RecordingStatusCallbackEvent": "in-progress completed absent",
                    "Trim": "do-not-trim",
                },
            ),
        ]
        for request, method, url, form in table:
            self.assertEqual(
                (request.method, request.url, dict(request.form), request.auth),
                (method, url, form, AUTH),
            )

    def test_recordings(self) -> None:
        """A recording is looked at and fetched by its own id, under its account."""
        at = "https://api.twilio.com/2010-04-01/Accounts/AC2/Recordings/RE1"
        look = self.rest.look_at_recording("RE1", account_id="AC2")
        fetch = self.rest.fetch_recording("RE1", account_id="AC2")
        self.assertEqual((look.method, look.url), ("GET", f"{at}.json"))
        self.assertEqual(fetch.url, f"{at}.wav?RequestedChannels=2")
        self.assertEqual((fetch.method, fetch.auth, look.auth), ("GET", AUTH, AUTH))

    def test_subaccount(self) -> None:
        """A subaccount's call is addressed by its id, with the parent's credentials."""
        request = self.rest.hang_up("CA1", account_id="AC2")
        self.assertIn("/Accounts/AC2/Calls/CA1.json", request.url)
        self.assertEqual(request.auth, AUTH)

    def test_base_url(self) -> None:
        """Another base URL is used as it is, a slash at its end or not."""
        for base in ("http://127.0.0.1:8001", "http://127.0.0.1:8001/"):
            url = TwilioRest("AC1", AUTH, base).hang_up("CA1").url
            self.assertEqual(
                url, "http://127.0.0.1:8001/2010-04-01/Accounts/AC1/Calls/CA1.json"
            )

    def test_hostile_ids(self) -> None:
        """An id cannot lead out of its place in the path."""
        url = self.rest.hang_up("../CA1?x=/#y", account_id="A/B").url
        self.assertEqual(
            url,
            "https://api.twilio.com/2010-04-01/Accounts/A%2FB/Calls/"
            "..%2FCA1%3Fx%3D%2F%23y.json",
        )

    def test_secret_is_not_shown(self) -> None:
        """The secret is in no repr, neither of the maker nor of a request."""
        self.assertNotIn("hunter2", repr(self.rest) + repr(self.rest.hang_up("CA1")))


class AnswerTests(SynchronousTestCase):
    """What Twilio's answers mean."""

    def error(self, response: HttpResponse) -> CarrierApiError:
        """:returns: the error that reading ``response`` raises."""
        error = self.assertRaises(CarrierApiError, read, response)
        assert isinstance(error, CarrierApiError)
        return error

    def test_success(self) -> None:
        """A success gives the resource."""
        for status in (200, 201):
            self.assertEqual(read(answer(status, {"sid": "CA1"})), {"sid": "CA1"})

    def test_errors(self) -> None:
        """Each error says whether it is retryable, in doubt, or an ended call's."""
        # status, code: retryable, in doubt, ended
        table = {
            (400, 21220): (False, False, True),
            (404, 20404): (False, False, True),
            (404, None): (False, False, False),
            (400, 21201): (False, False, False),
            (401, 20003): (False, False, False),
            (307, None): (False, False, False),
            (429, 20429): (True, False, False),
            (429, None): (True, False, False),
            (503, 20429): (True, False, False),
            (500, None): (False, True, False),
            (503, 20503): (False, True, False),
        }
        for (status, code), expected in table.items():
            error = self.error(answer(status, {"code": code, "message": "m"}))
            self.assertEqual((error.status, error.code), (status, code))
            self.assertEqual(
                (error.retryable, in_doubt(error), has_ended(error)),
                expected,
                (status, code),
            )

    def test_unreadable(self) -> None:
        """What is no JSON object is no success, and leaves in doubt what was done."""
        for body in (b"", b"<html>", b"[1]", b'"x"', b"\xff", b"[" * 100_000):
            error = self.error(answer(201, body))
            self.assertEqual((error.status, error.code), (201, None))
            self.assertTrue(in_doubt(error))

    def test_gateway_error(self) -> None:
        """An error without JSON, or with a number that is none, has no number."""
        for body in (b"Bad Gateway", b'{"code": "502"}', b'{"code": true}', b"[]"):
            self.assertIsNone(self.error(answer(502, body)).code)

    def test_no_answer(self) -> None:
        """No answer leaves in doubt what was done, unless nothing was ever sent."""
        for retryable in (False, True):
            error = CarrierApiError("x", status=None, code=None, retryable=retryable)
            self.assertEqual(in_doubt(error), not retryable)

    def test_message_is_kept_out(self) -> None:
        """The carrier's words, which may hold numbers, are not in the error."""
        error = self.error(answer(400, {"code": 21211, "message": "To +15550001111"}))
        self.assertNotIn("+1555", str(error))

    def test_retry_after(self) -> None:
        """The wait that a server asks for is read in seconds; a date is no wait."""
        table = {"3": 3.0, " 12 ": 12.0, "-1": 0.0, "soon": 0.0, "": 0.0}
        for text, seconds in table.items():
            self.assertEqual(retry_after(answer(429, Retry_After=text)), seconds)
        self.assertEqual(retry_after(answer(429)), 0.0)

    def test_recordings(self) -> None:
        """A recording and a list of them are read; what has no id is left out."""
        started = answer(201, {"sid": "RE1", "status": "in-progress", "x": 1})
        self.assertEqual(read_recording(started), Recording("RE1", "in-progress"))
        listed = [{"sid": "RE2", "status": "completed"}, {"sid": 3}, 4, {"sid": "RE5"}]
        self.assertEqual(
            read_recordings(answer(200, {"recordings": listed})),
            [Recording("RE2", "completed"), Recording("RE5", "")],
        )

    def test_recordings_that_are_none(self) -> None:
        """A success without what was asked for is an error that leaves doubt."""
        for error in (
            self.assertRaises(CarrierApiError, read_recording, answer(201, {"a": 1})),
            self.assertRaises(CarrierApiError, read_recordings, answer(200, {"a": 1})),
        ):
            self.assertTrue(in_doubt(error))
