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
from tests.recording.copies import later, wav
from tests.recording.twilio_api import ACCOUNT, TwilioApi
from twistedvoice.audio.wav import read_wav
from twistedvoice.simulator.script import AwaitSilence, AwaitSpeech, HangUp, Wait

#: When the carrier's file begins on our time, in seconds.
_BEGINS = 0.25


class _Copies(dict[str, bytes]):
    """The carrier's files: what the service has recorded, from a little later on."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service

    def __contains__(self, sid: object) -> bool:
        return True

    def __getitem__(self, sid: str) -> bytes:
        (path,) = (each for each in self._service.recordings() if each.suffix == ".wav")
        caller, service = read_wav(path).samples.T
        return wav(later(_BEGINS, caller), later(_BEGINS, service))


class CarrierRecordingTests(ServiceTestCase):
    """Twilio's API is a double on a loopback port."""

    async def test_recorded(self) -> None:
        """The recording is asked for once, not before the first sound, and compared."""
        api = TwilioApi(users={ACCOUNT: TOKEN})
        port = reactor.listenTCP(0, Site(api.resource), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        async with self.service(
            "--agent=tests.integration.agents:Late",
            "--carrier-recording-enabled",
            f"--carrier-recording-base-url=http://127.0.0.1:{port.getHost().port}",
            f"--twilio-account-sid={ACCOUNT}",
        ) as service:
            api.sounds = _Copies(service)
            call_id = await self.assert_recorded(service, api)
            await self.assert_compared(service, call_id)

    async def assert_recorded(self, service: Service, api: TwilioApi) -> str:
        """
        One call is recorded as it should be.

        :returns: its id.
        """
        plan = service.plan(
            account_id=ACCOUNT,
            steps=(AwaitSpeech(), AwaitSilence(), Wait(200), HangUp()),
        )
        api.call_started(plan.call_id)
        call = Deferred.fromCoroutine(service.call(plan))
        await service.logs(f"call {plan.call_id} answered")
        self.assertEqual(api.told, [])
        await until(lambda: bool(api.told))
        (told,) = api.told
        self.assertEqual(told.method, "POST")
        # So the carrier is done with it when it is asked for its file.
        api.call_ended(plan.call_id)
        await call
        cdr = await service.cdr(plan.call_id)
        self.assertNotIn("POST", [each.method for each in api.told[1:]])
        self.assertEqual(
            told.form["RecordingStatusCallback"], [f"{PUBLIC_URL}/twilio/recording"]
        )
        (sid,) = api.recorded(plan.call_id)
        self.assertEqual(cdr["carrier_recording"]["sid"], sid)
        self.assertGreaterEqual(cdr["first_audio_ms"], LATE * 1000)
        return plan.call_id

    async def assert_compared(self, service: Service, call_id: str) -> None:
        """The carrier's file is found to be what it is, and removed."""
        await until(lambda: "carrier_copy" in service.cdrs()[call_id])
        found = service.cdrs()[call_id]["carrier_copy"]
        self.assertEqual(found["verdict"], "alike", found)
        self.assertEqual(found["channels"]["service"]["offset_ms"], _BEGINS * 1000)
        left = [path.name for path in service.recordings()]
        self.assertNotIn("carrier", " ".join(left))
        _, page = await service.get("/metrics", admin=True)
        self.assertIn('twistedvoice_carrier_copies_total{verdict="alike"} 1.0', page)
