"""Tests of ``twistedvoice.outbox.webhook``."""

from __future__ import annotations

import hashlib
import hmac
import json
import runpy
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.outbox.performer_contract import PerformerContract
from twistedvoice.errands import Errand
from twistedvoice.errors import (
    CarrierApiError,
    ErrandFailed,
    ErrandPostponed,
    ErrandRefused,
)
from twistedvoice.interfaces import HttpRequest, HttpResponse
from twistedvoice.outbox.webhook import Webhook, signature, signing_key

__all__ = ["AnswerTests", "RequestTests", "SigningTests"]

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "verify_webhook.py"
#: The example that the specification's own libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + b64encode(b"k" * 24).decode()
URL = "https://example.com/hook?shop=1"
NOW = 1_614_265_330.5

READY = Errand(
    id="n-1-ab/webhook",
    kind="webhook",
    session_id="n-1-ab",
    details={
        "path": "/rec/2021/02/25/n-1-ab.wav",
        "key": "2021/02/25/n-1-ab.wav",
        "call_id": "CA1",
        "started_at": 1_614_265_200.0,
        "finished_at": 1_614_265_320.25,
        "duration_ms": 119_980.5,
        "degraded": False,
        "unknown": "to come",
    },
    found={"url": "https://store/n-1-ab.flac"},
)


class Receiver:
    """An HTTP client that keeps what it was to send."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.answers: list[Deferred[HttpResponse]] = []

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        self.requests.append(request)
        self.answers.append(Deferred())
        return self.answers[-1]


class WebhookTestCase(SynchronousTestCase):
    """A webhook, and its receiver."""

    def setUp(self) -> None:
        self.receiver = Receiver()
        self.now = NOW
        keys = [signing_key(SECRET), signing_key(OTHER)]
        self.webhook = Webhook(self.receiver, lambda: self.now, URL, keys)

    def answer(self, status: int, **headers: str) -> Deferred[object]:
        """:returns: what became of an errand that got this answer."""
        done = self.webhook.perform(READY)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.receiver.answers[-1].callback(
            HttpResponse(status=status, headers=named, body=b"")
        )
        return done  # type: ignore[return-value]


class ContractTests(PerformerContract, WebhookTestCase):
    """What it shares with all that perform."""

    def begin(self) -> Deferred[Mapping[str, object]]:
        """Tell the receiver."""
        return self.webhook.perform(READY)

    def go_on(self) -> None:
        """The receiver has taken it."""
        self.receiver.answers[-1].callback(
            HttpResponse(status=204, headers={}, body=b"")
        )


class RequestTests(WebhookTestCase):
    """What the receiver gets."""

    def test_message(self) -> None:
        """A type, the time, and the facts; no number, and nothing that is unknown."""
        self.webhook.perform(READY)
        [request] = self.receiver.requests
        self.assertEqual((request.method, request.url), ("POST", URL))
        self.assertEqual(request.headers["content-type"], "application/json")
        self.assertEqual(
            json.loads(request.body or b""),
            {
                "type": "recording.ready",
                "timestamp": "2021-02-25T15:02:00.250000+00:00",
                "data": {
                    "session_id": "n-1-ab",
                    "call_id": "CA1",
                    "path": "/rec/2021/02/25/n-1-ab.wav",
                    "key": "2021/02/25/n-1-ab.wav",
                    "started_at": 1_614_265_200.0,
                    "duration_ms": 119_980.5,
                    "degraded": False,
                    "results": {"url": "https://store/n-1-ab.flac"},
                },
            },
        )

    def test_again_is_the_same_message(self) -> None:
        """With the same id and body; the time is that of the attempt."""
        self.webhook.perform(READY)
        self.now += 3600
        self.webhook.perform(READY)
        first, again = self.receiver.requests
        self.assertEqual(first.body, again.body)
        self.assertEqual(first.headers["webhook-id"], "n-1-ab/webhook")
        self.assertEqual(again.headers["webhook-id"], "n-1-ab/webhook")
        self.assertEqual(first.headers["webhook-timestamp"], "1614265330")
        self.assertEqual(again.headers["webhook-timestamp"], "1614268930")

    def test_signed_with_each_secret(self) -> None:
        """So that the receiver may know the old one or the new one."""
        self.webhook.perform(READY)
        [request] = self.receiver.requests
        signed = b"n-1-ab/webhook.1614265330." + (request.body or b"")
        wanted = []
        for secret in (SECRET, OTHER):
            key = b64decode(secret.split("_")[1])
            digest = hmac.new(key, signed, hashlib.sha256).digest()
            wanted.append("v1," + b64encode(digest).decode())
        self.assertEqual(request.headers["webhook-signature"], " ".join(wanted))

    def test_example(self) -> None:
        """The receiver of docs/outbox knows it by either secret, while it is fresh."""
        self.webhook.perform(READY)
        [request] = self.receiver.requests
        verified = runpy.run_path(str(EXAMPLE))["verified"]
        for secret in (SECRET, OTHER):
            told = verified(secret, request.headers, request.body, NOW + 299)
            self.assertEqual(told["type"], "recording.ready")
        for secret, body, now in (
            ("whsec_" + "k" * 32, request.body, NOW),
            (SECRET, (request.body or b"") + b" ", NOW),
            (SECRET, request.body, NOW + 302),
        ):
            with self.assertRaises(ValueError):
                verified(secret, request.headers, body, now)


class AnswerTests(WebhookTestCase):
    """What an answer means."""

    def test_taken(self) -> None:
        """Anything that begins with 2 is a success."""
        self.assertEqual(self.successResultOf(self.answer(200)), {"status": 200})
        self.assertEqual(self.successResultOf(self.answer(204)), {"status": 204})

    def test_gone(self) -> None:
        """The receiver wants no more of these."""
        self.failureResultOf(self.answer(410), ErrandRefused)

    def test_anything_else(self) -> None:
        """It is tried again: redirects and the receiver's errors alike."""
        for status in (302, 400, 404, 429, 500, 503):
            failure = self.failureResultOf(self.answer(status), ErrandFailed)
            self.assertIn(str(status), failure.getErrorMessage())

    def test_retry_after(self) -> None:
        """In seconds, or as a date; what is neither, or past, counts for nothing."""
        date = "Thu, 25 Feb 2021 15:0{}:10 GMT"
        for text, seconds in (("120", 120), (date.format(3), 59.5)):
            given = self.answer(503, retry_after=text)
            failure = self.failureResultOf(given, ErrandPostponed)
            self.assertEqual(failure.value.seconds, seconds, text)
        never = "Mon, 01 Jan 99999999999999 00:00:00 GMT"
        for text in ("soon", "-5", "0", never, date.format(1)):
            self.failureResultOf(self.answer(503, retry_after=text), ErrandFailed)

    def test_taken_with_many_words(self) -> None:
        """A success is one however long its answer is: it is not sent again."""
        for status, taken in ((202, True), (500, False)):
            done = self.webhook.perform(READY)
            error = CarrierApiError(
                "the answer is too large", status=status, code=None, retryable=False
            )
            self.receiver.answers[-1].errback(error)
            if taken:
                self.assertEqual(self.successResultOf(done), {"status": 202})
            else:
                self.failureResultOf(done, CarrierApiError)

    def test_no_answer(self) -> None:
        """It is tried again like everything that fails."""
        done = self.webhook.perform(READY)
        error = CarrierApiError("no answer", status=None, code=None, retryable=False)
        self.receiver.answers[-1].errback(error)
        self.failureResultOf(done, CarrierApiError)


class SigningTests(SynchronousTestCase):
    """The Standard Webhooks specification."""

    def test_published_example(self) -> None:
        """Secret, id, time and body give the signature that is published."""
        given = signature(
            signing_key(SECRET),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            b'{"test": 2432232314}',
        )
        self.assertEqual(given, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

    def test_secrets_that_are_none(self) -> None:
        """Without the prefix, no base64, too short: the text is not repeated."""
        for text in (SECRET[6:], "whsec_", "whsec_#" + SECRET[6:], "whsec_c2hvcnQ="):
            error = self.assertRaises(ValueError, signing_key, text)
            self.assertNotIn(text[6:] or "?", str(error))
