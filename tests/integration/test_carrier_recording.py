"""The carrier's recording, asked for by a real service over real HTTP."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.web.server import Site

from tests.integration.agents import LATE
from tests.integration.process import (
    PUBLIC_URL,
    TOKEN,
    Service,
    ServiceTestCase,
    reactor,
    until,
)
from tests.recording.twilio_api import ACCOUNT, TwilioApi
from twistedvoice.simulator.script import AwaitSilence, AwaitSpeech, HangUp, Wait


class CarrierRecordingTests(ServiceTestCase):
    """Twilio's API is a double on a loopback port."""

    async def test_recorded(self) -> None:
        """The recording is asked for once, and not before the first sound is sent."""
        api = TwilioApi(users={ACCOUNT: TOKEN})
        port = reactor.listenTCP(0, Site(api.resource), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        async with self.service(
            "--agent=tests.integration.agents:Late",
            "--carrier-recording-enabled",
            f"--carrier-recording-base-url=http://127.0.0.1:{port.getHost().port}",
            f"--twilio-account-sid={ACCOUNT}",
        ) as service:
            await self.assert_recorded(service, api)

    async def assert_recorded(self, service: Service, api: TwilioApi) -> None:
        """One call is recorded as it should be."""
        plan = service.plan(
            account_id=ACCOUNT,
            steps=(AwaitSpeech(), AwaitSilence(), Wait(200), HangUp()),
        )
        api.call_started(plan.call_id)
        call = Deferred.fromCoroutine(service.call(plan))
        await service.logs(f"call {plan.call_id} answered")
        self.assertEqual(api.told, [])
        await until(lambda: bool(api.told))
        await call
        cdr = await service.cdr(plan.call_id)
        self.assertEqual([each.method for each in api.told], ["POST"])
        (told,) = api.told
        self.assertEqual(
            told.form["RecordingStatusCallback"], [f"{PUBLIC_URL}/twilio/recording"]
        )
        (sid,) = api.recorded(plan.call_id)
        self.assertEqual(cdr["carrier_recording"]["sid"], sid)
        self.assertGreaterEqual(cdr["first_audio_ms"], LATE * 1000)
