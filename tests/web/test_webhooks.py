"""Tests of ``twistedvoice.web.webhooks``, through the real site."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from operator import methodcaller
from typing import TypeVar
from urllib.parse import urlencode
from xml.etree import ElementTree

from twilio.twiml.voice_response import Connect, VoiceResponse
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.carriers.twilio.markup import Dial, Redirect
from twistedvoice.errors import StoreError
from twistedvoice.store.memory import MemoryStore
from twistedvoice.store.rows import Rows

from .doors import (
    CALL,
    CARRIER,
    FORM,
    LOOPBACK,
    SECONDARY,
    STREAM,
    SUBACCOUNT,
    URL,
    Answer,
    Doors,
    signature,
)

__all__ = [
    "AfterTests",
    "ExpectTests",
    "FailureTests",
    "LateTests",
    "LetInTests",
    "StatusTests",
    "VoiceTests",
]

T = TypeVar("T")
BUSY = VoiceResponse()
BUSY.reject(reason="busy")


class MoodyStore(MemoryStore):
    """A store in memory that fails, or never answers, when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.hanging: list[Deferred[object]] | None = None

    def _perform(self, step: Callable[[Rows], T]) -> Deferred[T]:
        if self.failure is not None:
            return fail(self.failure)
        if self.hanging is not None:
            later: Deferred[T] = Deferred()
            self.hanging.append(later)  # type: ignore[arg-type]
            return later
        return super()._perform(step)


def canonical(markup: str | bytes) -> str:
    """:returns: markup in the one form that equal documents share."""
    text = markup.decode() if isinstance(markup, bytes) else markup
    return ElementTree.canonicalize(text)


class WebhookTestCase(SynchronousTestCase):
    """A service, and an independent reader of its markup."""

    def setUp(self) -> None:
        self.store = MoodyStore()
        self.doors = Doors(store=self.store)

    def assert_same(self, answer: Answer, wanted: VoiceResponse) -> None:
        """The answer is what Twilio's own library would have made."""
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith("text/xml"))
        self.assertEqual(canonical(answer.body), canonical(str(wanted)))

    def assert_streams(
        self, answer: Answer, token: str, then: Callable[[VoiceResponse], object]
    ) -> None:
        """The answer opens a stream with this token, and goes on as told."""
        wanted, connect = VoiceResponse(), Connect()
        connect.stream(url=STREAM).parameter(name="token", value=token)
        wanted.append(connect)
        then(wanted)
        self.assert_same(answer, wanted)

    def places(self) -> int:
        """:returns: how many places are taken."""
        return self.doors.exchange.places()


class ExpectTests(WebhookTestCase):
    """Who is told that a call is about to come."""

    def test_expected(self) -> None:
        """A call that gets a place is expected, from its webhook on."""
        self.doors.post()
        self.assertEqual(self.doors.expected, [CALL])

    def test_refused(self) -> None:
        """A call that gets none is not."""
        self.doors = Doors(store=self.store, max_calls=0)
        self.doors.post()
        self.assertEqual(self.doors.expected, [])

    def test_failure(self) -> None:
        """What goes wrong with it is logged, and the call is answered."""
        self.doors.expected = ()  # type: ignore[assignment]
        answer = self.doors.post()
        self.assertIn(b"<Stream", answer.body)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)


class LetInTests(WebhookTestCase):
    """Who may post, and what."""

    def test_signed_by_either_token_or_a_subaccount(self) -> None:
        """Every token that counts opens the door for its own account."""
        self.assertEqual(self.doors.post().status, 200)
        self.assertEqual(self.doors.post(token=SECONDARY).status, 200)
        theirs = {**FORM, "AccountSid": SUBACCOUNT, "CallSid": "CA" + "2" * 32}
        self.assertEqual(self.doors.post(form=theirs, token="sub-token").status, 200)

    def test_unsigned(self) -> None:
        """Without a good signature every webhook says 403, and does nothing."""
        for path in ("/twilio/voice", "/twilio/status", "/twilio/recording"):
            for signed in ("", "AAAA", signature(URL + "/other", FORM)):
                answer = self.doors.post(path, signed=signed)
                self.assertEqual((answer.status, answer.body), (403, b""))
        self.assertEqual(self.places(), 0)
        self.assertEqual(self.doors.told, [])
        self.assertEqual(self.doors.gate.refused, {"signature": 9})

    def test_other_methods(self) -> None:
        """A webhook is posted; everything else is refused, signed or not."""
        for method, status in (("GET", 405), ("HEAD", 405), ("PUT", 501)):
            answer = self.doors.ask(method, "/twilio/voice", *self.doors.webhook())
            self.assertEqual(answer.status, status, method)
        self.assertEqual(
            self.doors.ask("GET", "/twilio/voice").headers["allow"], "POST"
        )
        self.assertEqual(self.places(), 0)

    def test_json_is_refused_after_its_signature_was_checked(self) -> None:
        """Who is not let in learns nothing of what we read."""
        body = json.dumps(FORM).encode()
        path = f"/twilio/voice?bodySHA256={hashlib.sha256(body).hexdigest()}"
        kind = ("Content-Type", "application/json")
        signed = ("X-Twilio-Signature", signature(URL + path))
        self.assertEqual(self.doors.ask("POST", path, body, [kind]).status, 403)
        self.assertEqual(self.doors.ask("POST", path, body, [kind, signed]).status, 415)
        self.assertEqual(
            self.doors.ask("POST", path, body + b" ", [kind, signed]).status, 403
        )
        self.assertEqual(self.doors.gate.refused, {"signature": 2, "not_a_form": 1})
        self.assertEqual(self.places(), 0)

    def test_no_kind_of_content(self) -> None:
        """A body that does not say what it is, is none of ours."""
        self.assertEqual(self.doors.ask("POST", "/twilio/voice", b"a=b").status, 403)

    def test_form_with_a_charset_and_odd_values(self) -> None:
        """Empty values, other scripts and signs are signed and read as they are."""
        form = {**FORM, "CallerName": "Zoë & 北京 = +", "Empty": ""}
        signed = signature(URL + "/twilio/voice", form)
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        answer = self.doors.ask(
            "POST",
            "/twilio/voice",
            urlencode(form).encode(),
            [("Content-Type", kind), ("X-Twilio-Signature", signed)],
        )
        self.assertEqual(answer.status, 200)

    def test_trusted_loopback(self) -> None:
        """With the switch this machine posts unsigned, and gets its own address."""
        doors = Doors(trusted=True)
        for peer in (IPv4Address("TCP", LOOPBACK, 1), UNIXAddress("/run/voice")):
            answer = doors.ask("POST", "/twilio/voice", *doors.webhook(), peer=peer)
            self.assertIn(b'url="ws://voice.example.com/twilio/media"', answer.body)
        body, headers = doors.webhook()
        for peer, more in (
            (IPv4Address("TCP", CARRIER, 1), []),
            (IPv4Address("TCP", LOOPBACK, 1), [("Forwarded", "for=1.2.3.4")]),
            (IPv4Address("TCP", LOOPBACK, 1), [("X-Forwarded-For", "1.2.3.4")]),
        ):
            answer = doors.ask("POST", "/twilio/voice", body, [*headers, *more], peer)
            self.assertEqual(answer.status, 403)
        self.assertEqual(doors.gate.refused, {"not_loopback": 1, "forwarded": 2})

    def test_no_call(self) -> None:
        """A form that names no call or no account is not understood."""
        for missing in ("CallSid", "AccountSid"):
            form = {key: value for key, value in FORM.items() if key != missing}
            wanted = 400 if missing == "CallSid" else 403
            self.assertEqual(self.doors.post(form=form).status, wanted)
        self.assertEqual(self.doors.gate.refused, {"no_call": 1, "signature": 1})


class StrangerTests(WebhookTestCase):
    """What a request costs before its signature is seen is bounded."""

    def test_too_many_fields(self) -> None:
        """More fields than any webhook has are not even sorted."""
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        for path, body in (
            ("/twilio/voice", b"a&" * 2_000),
            ("/twilio/voice?" + "a&" * 2_000, b"a=b"),
        ):
            answer = self.doors.ask("POST", path, body, [kind])
            self.assertEqual(answer.status, 400)
        self.assertEqual(self.doors.gate.refused, {"too_many_fields": 2})


class VoiceTests(WebhookTestCase):
    """A call comes in."""

    def test_answer_opens_a_stream(self) -> None:
        """The markup connects the call to our socket, with a token of its own."""
        self.assert_streams(self.doors.post(), "token-1", VoiceResponse.hangup)
        self.assertEqual(self.places(), 1)
        self.assertEqual(self.doors.webhooks.answers, {"stream": 1})

    def test_stream_with_the_token_is_the_call(self) -> None:
        """What the webhook knew of the call is known to the stream."""
        self.doors.post()
        line = self.doors.stream()
        line.start(token="token-1")
        record = line.call.record
        assert record is not None
        self.assertEqual(record.from_number, FORM["From"])
        self.assertEqual(record.to_number, FORM["To"])
        self.assertEqual(self.places(), 1)

    def test_retried_webhook(self) -> None:
        """The same call asked again by the same try gets the same, and one place."""
        again = [("I-Twilio-Idempotency-Token", "try-1")]
        first = self.doors.post(headers=again)
        self.assertEqual(self.doors.post(headers=again).body, first.body)
        line = self.doors.stream()
        line.start(token="token-1")
        self.assertEqual(self.doors.post(headers=again).body, first.body)
        self.assertEqual(self.places(), 1)

    def test_full(self) -> None:
        """When every place is taken the caller hears busy, and no place is lost."""
        self.doors.exchange.admission.max_calls = 1
        self.doors.post()
        other = {**FORM, "CallSid": "CA" + "3" * 32}
        self.assert_same(self.doors.post(form=other), BUSY)
        self.assertEqual(self.places(), 1)
        self.assertEqual(self.doors.webhooks.answers, {"stream": 1, "full": 1})

    def test_no_calls_at_all(self) -> None:
        """A service of no calls is always busy."""
        self.doors.exchange.admission.max_calls = 0
        self.assert_same(self.doors.post(), BUSY)
        self.assertEqual(self.places(), 0)

    def test_closed_gate(self) -> None:
        """A service that drains is busy for new calls."""
        self.doors.exchange.admission.close_gate()
        self.assert_same(self.doors.post(), BUSY)
        self.assertEqual(self.places(), 0)
        self.assertEqual(self.doors.webhooks.answers, {"closed": 1})

    def test_public_url_with_a_path(self) -> None:
        """A service below a path of its host says so in its markup."""
        self.doors.gate.public_url = "https://example.com/voice/"
        self.doors.webhooks.public_url = "https://example.com/voice/"
        self.doors.webhooks.after_stream = Redirect("")
        signed = signature("https://example.com/voice/twilio/voice", FORM)
        answer = self.doors.post(signed=signed)
        self.assertIn(b'"wss://example.com/voice/twilio/media"', answer.body)
        self.assertIn(b">https://example.com/voice/twilio/voice?rejoin=1<", answer.body)


class LateTests(WebhookTestCase):
    """A service whose ticks are late takes no new call."""

    NEXT = {**FORM, "CallSid": "CA" + "3" * 32}

    def setUp(self) -> None:
        super().setUp()
        self.overload = self.doors.exchange.overload
        self.overload.start()
        self.addCleanup(self.overload.stop)
        self.retried = [("I-Twilio-Idempotency-Token", "try-1")]
        self.first = self.doors.post(headers=self.retried)
        self.line = self.doors.stream()
        self.line.start(token="token-1")
        self.stall()

    def stall(self) -> None:
        """Let the reactor come round every 90 ms only, for some seconds."""
        for _ in range(30):
            self.doors.reactor.advance(0.09)

    def test_busy(self) -> None:
        """A new caller hears busy, and is counted apart from those who find it full."""
        self.assert_same(self.doors.post(form=self.NEXT), BUSY)
        self.assertEqual(self.places(), 1)
        self.assertEqual(self.doors.webhooks.answers, {"stream": 1, "late": 1})

    def test_dial(self) -> None:
        """A new caller is put through to another number, where there is one."""
        self.doors.webhooks.late_number = "+15550100009"
        expected = VoiceResponse()
        expected.dial("+15550100009")
        self.assert_same(self.doors.post(form=self.NEXT), expected)
        self.assertEqual(self.places(), 1)
        self.assertEqual(self.doors.webhooks.answers, {"stream": 1, "late": 1})

    def test_number_is_for_lateness_alone(self) -> None:
        """Who finds it draining hears busy, whatever the number."""
        self.doors.webhooks.late_number = "+15550100009"
        self.doors.exchange.admission.close_gate()
        self.assert_same(self.doors.post(form=self.NEXT), BUSY)

    def test_retried_webhook(self) -> None:
        """Who was let in before is told the same again, and talks on."""
        self.assertEqual(self.doors.post(headers=self.retried).body, self.first.body)
        self.assertEqual(self.line.call.state, "Streaming")

    def test_in_time_again(self) -> None:
        """Some seconds after the last late tick new calls are taken."""
        self.doors.advance(10)
        self.assert_same(self.doors.post(form=self.NEXT), BUSY)
        self.doors.advance(10)
        self.assert_streams(
            self.doors.post(form=self.NEXT), "token-3", VoiceResponse.hangup
        )


class AfterTests(WebhookTestCase):
    """What follows the stream, when it dies."""

    def test_dial(self) -> None:
        """The caller can be put through to a number."""
        self.doors.webhooks.after_stream = Dial("+15550100009")
        self.assert_streams(
            self.doors.post(), "token-1", methodcaller("dial", "+15550100009")
        )

    def test_rejoin(self) -> None:
        """The call can come back, which is counted, and is hung up in the end."""
        self.doors.webhooks.after_stream = Redirect("")
        path, seen = "/twilio/voice", []
        for rejoins in range(1, 4):
            next_url = f"{URL}/twilio/voice?rejoin={rejoins}"
            self.assert_streams(
                self.doors.post(path),
                "token-1",
                methodcaller("redirect", next_url),
            )
            path = next_url.removeprefix(URL)
            seen.append(path)
        self.assert_streams(self.doors.post(path), "token-1", VoiceResponse.hangup)
        self.assertEqual(len(seen), 3)
        self.assertEqual(self.places(), 1)

    def test_rejoin_that_is_no_number(self) -> None:
        """A count that cannot be read is the last."""
        self.doors.webhooks.after_stream = Redirect("")
        answer = self.doors.post("/twilio/voice?rejoin=-1")
        self.assert_streams(answer, "token-1", VoiceResponse.hangup)

    def test_dead_stream_rejoins_with_a_new_token(self) -> None:
        """A call whose socket was lost gets in again, on the token of its new try."""
        self.doors.webhooks.after_stream = Redirect("")
        self.doors.post()
        line = self.doors.stream()
        line.start(token="token-1")
        line.lose()
        answer = self.doors.post("/twilio/voice?rejoin=1")
        self.assertIn(b'value="token-2"', answer.body)
        line = self.doors.stream()
        line.start(token="token-2")
        self.assertEqual(line.call.state, "Streaming")


class FailureTests(WebhookTestCase):
    """A webhook is answered in time, whatever is broken behind it."""

    def test_broken_store(self) -> None:
        """Without an answer of the store the caller hears busy; it is logged."""
        self.store.failure = StoreError("The disk is gone.")
        self.assert_same(self.doors.post(), BUSY)
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)
        self.assertEqual(self.doors.webhooks.answers, {"store": 1})

    def test_store_that_never_answers(self) -> None:
        """The carrier waits 15 seconds; busy comes before that."""
        self.store.hanging = []
        browser = self.doors.send(self.request())
        self.doors.reactor.advance(9.9)
        self.doors.settle()
        self.assertEqual(browser.data, b"")
        self.doors.reactor.advance(0.2)
        self.doors.settle()
        self.assertIn(b'<Reject reason="busy"/>', browser.data)
        # It was asked for a place, and then to forget it.
        self.assertEqual(len(self.store.hanging), 2)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.assertEqual(self.doors.webhooks.answers, {"store": 1})

    def test_answer_of_the_store_in_time_leaves_no_timer(self) -> None:
        """The clock that guards the store is stopped by its answer."""
        before = len(self.doors.reactor.getDelayedCalls())
        self.doors.post()
        self.doors.near.loseConnection()
        self.doors.settle()
        self.assertEqual(len(self.doors.reactor.getDelayedCalls()), before)

    def test_fault_of_ours(self) -> None:
        """A bug is logged, and the asker is told no more than 500."""
        self.store.failure = ZeroDivisionError("secret")
        answer = self.doors.post()
        self.assertEqual((answer.status, answer.body), (500, b""))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_asker_is_gone_before_the_answer(self) -> None:
        """Nobody is answered, nothing is logged as broken, and no timer is left."""
        before = len(self.doors.reactor.getDelayedCalls())
        self.store.hanging = []
        browser = self.doors.send(self.request())
        self.doors.near.loseConnection()
        self.doors.settle()
        [answer] = self.store.hanging
        self.assertTrue(answer.called)
        self.assertEqual(browser.data, b"")
        self.assertEqual(len(self.doors.reactor.getDelayedCalls()), before)
        self.assertEqual(self.flushLoggedErrors(), [])

    def request(self) -> bytes:
        """:returns: a signed webhook as bytes."""
        body, headers = self.doors.webhook()
        lines = [f"{name}: {value}" for name, value in headers]
        lines = ["POST /twilio/voice HTTP/1.1", "Host: x", *lines]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body


class StatusTests(WebhookTestCase):
    """What the carrier tells of calls and of recordings."""

    def status(self, status: str) -> Answer:
        """:returns: the answer to a change of the call's state."""
        return self.doors.post("/twilio/status", {**FORM, "CallStatus": status})

    def test_end_of_a_call_that_waits_for_its_stream(self) -> None:
        """A caller who hangs up early leaves no place behind."""
        self.doors.post()
        answer = self.status("completed")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(self.places(), 0)

    def test_end_of_a_live_call(self) -> None:
        """A call whose end was told is over, though its socket does not know."""
        for status in ("completed", "busy", "failed", "no-answer", "canceled"):
            line = self.doors.dial()
            self.status(status)
            self.assertEqual(line.peer.closed, (1000, "completed"), status)
            self.doors.advance(0.1)
        self.assertEqual(self.doors.switchboard.outcomes, {"completed": 5})
        self.assertEqual(self.places(), 0)

    def test_other_news(self) -> None:
        """A call that goes on goes on, and another call's end is its own."""
        self.doors.dial()
        for status in ("ringing", "in-progress", "queued", "unheard-of"):
            self.status(status)
        form = {**FORM, "CallSid": "CA" + "4" * 32, "CallStatus": "completed"}
        self.doors.post("/twilio/status", form)
        self.doors.post("/twilio/status", {"AccountSid": FORM["AccountSid"]})
        self.assertEqual([call.call_id for call in self.doors.switchboard], [CALL])

    def test_told_twice(self) -> None:
        """News that come again change nothing."""
        self.doors.dial()
        self.status("completed")
        self.assertEqual(self.status("completed").status, 200)
        self.assertEqual(self.doors.switchboard.outcomes, {"completed": 1})

    def test_broken_store_does_not_trouble_the_carrier(self) -> None:
        """An end is taken note of though the store fails."""
        self.doors.dial()
        self.store.failure = StoreError("The disk is gone.")
        self.assertEqual(self.status("completed").status, 200)
        self.assertGreater(len(self.flushLoggedErrors(StoreError)), 0)
        self.assertEqual(len(self.doors.switchboard), 0)

    def test_recording(self) -> None:
        """What is said of a recording is passed on as it is."""
        form = {**FORM, "RecordingSid": "RE1", "RecordingStatus": "completed"}
        self.assertEqual(self.doors.post("/twilio/recording", form).status, 200)
        self.assertEqual(self.doors.told, [form])
