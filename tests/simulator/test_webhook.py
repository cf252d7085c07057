"""Posting webhooks."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface.verify import verifyClass

from twistedvoice.errors import SimulationError
from twistedvoice.simulator import webhook
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.signature import sign
from twistedvoice.simulator.webhook import ask_for_markup, tell_status

from .service import STATUS_URL, VOICE_URL, World

PLAN = CallPlan(
    webhook_url=VOICE_URL,
    status_url=STATUS_URL,
    auth_token="12345",
    call_id="CA1",
    account_id="AC1",
    from_number="+15550100001",
    to_number="+15550100002",
    idempotency_token="once",
)


class WebhookTests(SynchronousTestCase):
    """What is posted, and what comes of the answer."""

    def setUp(self) -> None:
        """A service that answers."""
        self.world = World()
        self.world.answers = {
            "/twilio/voice": (200, b"<Response/>"),
            "/twilio/status": (204, b""),
        }

    def ask(self, plan: CallPlan = PLAN) -> Deferred[bytes]:
        """:returns: the markup, once the world has settled."""
        asked = Deferred.fromCoroutine(ask_for_markup(self.world.reactor, plan))
        self.world.settle()
        return asked

    def test_voice_webhook(self) -> None:
        """The form is the carrier's, the signature fits it, the answer comes back."""
        self.assertEqual(self.successResultOf(self.ask()), b"<Response/>")
        (posted,) = self.world.posted
        form = dict(posted.form)
        self.assertEqual(
            form,
            {
                "AccountSid": "AC1",
                "ApiVersion": "2010-04-01",
                "CallSid": "CA1",
                "CallStatus": "ringing",
                "Called": "+15550100002",
                "Caller": "+15550100001",
                "Direction": "inbound",
                "From": "+15550100001",
                "To": "+15550100002",
            },
        )
        self.assertEqual(
            posted.headers["x-twilio-signature"], sign("12345", VOICE_URL, posted.form)
        )
        self.assertEqual(posted.headers["i-twilio-idempotency-token"], "once")
        self.assertEqual(posted.headers["host"], "service.example:8000")

    def test_nothing_is_left(self) -> None:
        """When the answer is there, the connection and all timers are gone."""
        self.successResultOf(self.ask())
        self.assertEqual(self.world.open_connections(), 0)
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])

    def test_without_token_nothing_is_signed(self) -> None:
        """A service that trusts loopback needs no signature."""
        self.successResultOf(self.ask(CallPlan(webhook_url=VOICE_URL)))
        self.assertNotIn("x-twilio-signature", self.world.posted[0].headers)

    def test_status_callback(self) -> None:
        """The end of a call is told with its length in whole seconds."""
        told = Deferred.fromCoroutine(
            tell_status(self.world.reactor, PLAN, "completed", 7600.0)
        )
        self.world.settle()
        self.successResultOf(told)
        (posted,) = self.world.posted
        self.assertEqual(posted.path, "/twilio/status")
        form = dict(posted.form)
        self.assertEqual((form["CallStatus"], form["CallDuration"]), ("completed", "8"))

    def test_refusal(self) -> None:
        """A refusal becomes a sentence."""
        self.world.answers["/twilio/voice"] = (403, b"")
        failure = self.failureResultOf(self.ask(), SimulationError)
        self.assertIn("did not accept the signature", failure.getErrorMessage())

    def test_nobody_listens(self) -> None:
        """A refused connection becomes a sentence."""
        asked = self.ask(CallPlan(webhook_url="http://service.example:9/"))
        self.world.refuse_connection()
        self.world.run(1)
        failure = self.failureResultOf(asked, SimulationError)
        self.assertIn("is the service running?", failure.getErrorMessage())

    def test_no_answer_in_time(self) -> None:
        """The carrier's patience is bounded, and nothing is left of the request."""
        asked = self.ask(CallPlan(webhook_url="http://service.example:9/"))
        self.world.run(16)
        failure = self.failureResultOf(asked, SimulationError)
        self.assertIn("took too long", failure.getErrorMessage())
        self.assertEqual(self.world.reactor.getDelayedCalls(), [])

    def test_interfaces(self) -> None:
        """What Twisted calls has all the methods Twisted wants."""
        verifyClass(IBodyProducer, webhook._Body)
        verifyClass(IAgentEndpointFactory, webhook._SameLine)
