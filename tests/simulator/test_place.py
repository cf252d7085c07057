"""Whole simulated calls: webhook, markup, stream, end."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import SimulationError
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.place import place_call
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import Interrupt, Press, Say, Wait, plain_steps
from twistedvoice.simulator.signature import sign

from .service import (
    LOUD,
    SPOKEN,
    STATUS_URL,
    STREAM_URL,
    VOICE_URL,
    ServiceStream,
    World,
    markup,
)

PLAN = CallPlan(
    webhook_url=VOICE_URL,
    auth_token="12345",
    call_id="CA1",
    account_id="AC1",
    stream_id="MZ1",
    steps=plain_steps(Say(LOUD * 10, "hello"), "1"),
    jitter_ms=0,
)
TOKEN = '<Parameter name="token" value="t"/>'


def answer_digit(stream: ServiceStream, message: dict[str, Any]) -> None:
    """Greet at the start, speak after a key, say where it ends."""
    if message["event"] in ("start", "dtmf"):
        stream.play(SPOKEN)
        stream.mark("said")


class PlaceTestCase(SynchronousTestCase):
    """Has a service that speaks."""

    def setUp(self) -> None:
        """The webhook opens a stream; the service greets and answers keys."""
        self.world = World(on_message=answer_digit)
        self.world.answers["/twilio/voice"] = (200, markup(params=TOKEN))
        self.heartbeats: list[float] = []

    def place(self, plan: CallPlan = PLAN) -> Deferred[Journal]:
        """:returns: the call, on its way."""
        placed = place_call(
            self.world.reactor,
            plan,
            progress=lambda journal: self.heartbeats.append(journal.duration_ms),
        )
        self.world.settle()
        return placed

    def journal_of(self, placed: Deferred[Journal]) -> Journal:
        """:returns: the journal of a call that is over, with nothing left of it."""
        self.world.settle()
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])
        self.assertEqual(self.world.open_connections(), 0)
        return self.successResultOf(placed)

    def kinds(self, journal: Journal) -> list[str]:
        """:returns: what happened, in order."""
        return [event.kind for event in journal.happenings]


class CallTests(PlaceTestCase):
    """Calls that get their stream."""

    def test_plain_call(self) -> None:
        """The caller hears the greeting, speaks, presses a key, hears, hangs up."""
        placed = self.place()
        self.world.run(12)
        journal = self.journal_of(placed)
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(journal.call_id, "CA1")
        self.assertEqual(
            self.kinds(journal),
            [
                "answered",
                "started",
                "mark_received",
                "speech_started",
                "mark_echoed",
                "speech_ended",
                "saying",
                "gave_up",
                "digit",
                "mark_received",
                "speech_started",
                "mark_echoed",
                "speech_ended",
                "stopped",
                "closed",
            ],
        )
        self.assertEqual(journal.heard.count(SPOKEN), 2)
        self.assertEqual(journal.said.count(LOUD * 10), 1)
        self.assertEqual(journal.underruns, [])

    def test_webhook_and_stream_belong_together(self) -> None:
        """The stream has the ids of the webhook and the token of the markup."""
        self.place()
        (posted,) = self.world.posted
        self.assertEqual(dict(posted.form)["CallSid"], "CA1")
        start = self.world.streams[0].received[1]["start"]
        self.assertEqual(start["callSid"], "CA1")
        self.assertEqual(start["accountSid"], "AC1")
        self.assertEqual(start["customParameters"], {"token": "t"})

    def test_interrupt(self) -> None:
        """The caller speaks over the service, which falls silent on a clear."""

        def stop_when_spoken_to(stream: ServiceStream, message: dict[str, Any]) -> None:
            if message["event"] == "start":
                stream.play(SPOKEN * 5)
                stream.mark("said")
            elif message.get("media", {}).get("payload", "").startswith("j4"):
                stream.say({"event": "clear"})

        self.world.on_message = stop_when_spoken_to
        placed = self.place(
            evolve(PLAN, steps=[Interrupt(LOUD, after_ms=500)], max_seconds=3)
        )
        self.world.run(3.1)
        journal = self.journal_of(placed)
        self.assertEqual(journal.outcome, "completed")
        heard_ms = len(journal.heard.rstrip(b"\xff")) / 8
        self.assertTrue(520 <= heard_ms <= 620, heard_ms)
        self.assertEqual(self.kinds(journal).count("clear"), 1)
        self.assertEqual(self.kinds(journal).count("mark_echoed"), 1)

    def test_progress_every_second_and_at_the_end(self) -> None:
        """Whoever shows a progress bar is told how old the call is."""
        placed = self.place(evolve(PLAN, steps=[], max_seconds=2.5))
        self.world.run(3)
        self.journal_of(placed)
        self.assertEqual(
            [round(beat / 1000, 1) for beat in self.heartbeats], [1.0, 2.0, 2.5]
        )

    def test_markup_goes_on_when_the_service_closes(self) -> None:
        """What a carrier would do next is named in the journal."""
        self.world.answers["/twilio/voice"] = (200, markup(after="<Redirect/>"))
        placed = self.place(evolve(PLAN, steps=[]))
        self.world.run(1)
        self.world.streams[0].sendClose()
        journal = self.journal_of(placed)
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(journal.happenings[-1].detail, "Redirect")

    def test_markup_ends_with_the_caller(self) -> None:
        """When the caller hangs up, nothing of the markup follows."""
        self.world.answers["/twilio/voice"] = (200, markup(after="<Redirect/>"))
        placed = self.place(evolve(PLAN, steps=[], max_seconds=1))
        self.world.run(1.1)
        self.assertNotIn("verb", self.kinds(self.journal_of(placed)))

    def test_status_callback(self) -> None:
        """The end of the call is told to whom the plan says."""
        self.world.answers["/twilio/status"] = (204, b"")
        placed = self.place(
            evolve(PLAN, steps=[], max_seconds=1, status_url=STATUS_URL)
        )
        self.world.run(1.1)
        self.journal_of(placed)
        self.assertEqual(dict(self.world.posted[1].form)["CallStatus"], "completed")

    def test_public_url_and_local_service(self) -> None:
        """URLs are signed as the service knows itself, and reached where it is."""
        url = "wss://voice.example/twilio/media"
        self.world.answers["/twilio/voice"] = (200, markup(url=url))
        placed = self.place(
            evolve(
                PLAN,
                webhook_url="https://voice.example/twilio/voice",
                connect_to=("127.0.0.1", 8000),
            )
        )
        (posted,) = self.world.posted
        self.assertEqual(posted.headers["host"], "voice.example")
        self.assertEqual(
            posted.headers["x-twilio-signature"],
            sign("12345", "https://voice.example/twilio/voice", posted.form),
        )
        self.failureResultOf(placed, SimulationError)

    def test_query_on_the_stream_is_a_problem(self) -> None:
        """Carriers drop the query of a stream's URL; the journal says so."""
        self.world.answers["/twilio/voice"] = (200, markup(url=STREAM_URL + "?a=b"))
        placed = self.place(evolve(PLAN, steps=[], max_seconds=1))
        self.world.run(1.1)
        self.assertIn("problem", self.kinds(self.journal_of(placed)))

    def test_stream_without_webhook(self) -> None:
        """A stream may be opened at once, with parameters of the plan."""
        placed = self.place(
            CallPlan(stream_url=STREAM_URL, params={"a": "b"}, max_seconds=1)
        )
        self.world.run(1.1)
        self.assertEqual(self.journal_of(placed).outcome, "completed")
        self.assertEqual(self.world.posted, [])
        start = self.world.streams[0].received[1]["start"]
        self.assertEqual(start["customParameters"], {"a": "b"})


class NoCallTests(PlaceTestCase):
    """Calls that get no stream."""

    def test_busy(self) -> None:
        """Busy markup is an outcome, not an error; the status is told as busy."""
        self.world.answers = {
            "/twilio/voice": (200, b"<Response><Reject reason='busy'/></Response>"),
            "/twilio/status": (204, b""),
        }
        journal = self.journal_of(self.place(evolve(PLAN, status_url=STATUS_URL)))
        self.assertEqual(journal.outcome, "busy")
        self.assertEqual(dict(self.world.posted[1].form)["CallStatus"], "busy")

    def test_verbs_are_named(self) -> None:
        """What a carrier would do without a stream is in the journal."""
        body = b"<Response><Say>Sorry</Say><Hangup/></Response>"
        self.world.answers["/twilio/voice"] = (200, body)
        journal = self.journal_of(self.place())
        self.assertEqual(journal.outcome, "hung_up")
        self.assertEqual(
            [(e.kind, e.detail) for e in journal.happenings],
            [("answered", ""), ("verb", "Say"), ("verb", "Hangup")],
        )

    def test_refused_webhook(self) -> None:
        """A call that cannot be placed is an error."""
        self.world.answers["/twilio/voice"] = (403, b"")
        failure = self.failureResultOf(self.place(), SimulationError)
        self.assertIn("signature", failure.getErrorMessage())

    def test_refused_stream(self) -> None:
        """A refused upgrade is an error, and the progress has ended."""
        self.world.refuse = 403
        self.failureResultOf(self.place(), SimulationError)
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])

    def test_cancelled(self) -> None:
        """A call that is broken off leaves nothing behind."""
        placed = self.place(evolve(PLAN, steps=[Wait(100), Press("1")]))
        self.world.run(0.5)
        placed.cancel()
        self.world.settle()
        self.failureResultOf(placed, CancelledError)
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])
        self.assertEqual(self.world.open_connections(), 0)
