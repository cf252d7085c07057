"""How a service ends: asked to, asked twice, and killed."""

from __future__ import annotations

import soundfile
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tests.integration.process import SPEECH, Service, ServiceTestCase, reactor, until
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, Step, Wait, say_file
from twistedvoice.simulator.webhook import ask_for_markup

TALKER = "--agent=tests.integration.agents:Talker"


class ShutdownTests(ServiceTestCase):
    """What becomes of live calls, of new callers, and of the files."""

    async def live(
        self, service: Service, *steps: Step
    ) -> tuple[CallPlan, Deferred[Journal]]:
        """:returns: a call that has begun, and what fires with its end."""
        plan = service.plan(steps=steps)
        call = Deferred.fromCoroutine(service.call(plan))
        await service.logs(f"call {plan.call_id} answered")
        return plan, call

    async def test_drain(self) -> None:
        """A live call goes on to its own end, callers hear busy, and the code is 0."""
        async with self.service() as service:
            speech = say_file(SPEECH)
            plan, call = await self.live(service, Wait(1000), speech, HangUp())
            service.signal("TERM")
            await service.logs("draining: 1 live")
            self.assertIn(b"<Reject", await ask_for_markup(reactor, service.plan()))
            status, _ = await service.get("/ready", admin=True)
            self.assertEqual(status, 503)
            journal = await call
            self.assertEqual(await service.ended(), 0)
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(service.cdrs()[plan.call_id]["outcome"], "completed")
        self.assert_nothing_left(service)

    async def test_drain_takes_too_long(self) -> None:
        """A call that does not end is ended, and what it was is kept."""
        async with self.service(TALKER, "--drain-seconds=0.5") as service:
            plan, call = await self.live(service, Wait(20_000))
            service.signal("TERM")
            journal = await call
            self.assertEqual(await service.ended(), 0)
        self.assertNotIn("stopped", [event.kind for event in journal.happenings])
        self.assertEqual(service.cdrs()[plan.call_id]["outcome"], "drained")
        self.assert_nothing_left(service)

    async def test_asked_twice(self) -> None:
        """Who asks a second time need not wait for the calls."""
        async with self.service(TALKER, "--drain-seconds=50") as service:
            plan, call = await self.live(service, Wait(20_000))
            service.signal("INT")
            await service.logs("draining: 1 live")
            service.signal("INT")
            await call
            self.assertEqual(await service.ended(), 0)
        self.assertEqual(service.cdrs()[plan.call_id]["outcome"], "drained")
        self.assertNotIn("Traceback", service.log)
        self.assert_nothing_left(service)

    async def test_killed(self) -> None:
        """All but the last second before a kill can be played after a restart."""
        async with self.service(TALKER) as service:
            _, call = await self.live(service, Wait(20_000))
            await deferLater(reactor, 2.5)
            service.signal("KILL")
            journal = await call
        self.assertEqual(journal.outcome, "lost")
        async with self.service(folder=service.folder) as again:
            await until(
                lambda: [path.suffix for path in again.recordings()] == [".wav"]
            )
            (recording,) = again.recordings()
            sound, rate = soundfile.read(recording, dtype="int16")
        self.assertEqual(rate, 8000)
        self.assertGreater(len(sound) / rate, len(journal.said) / 8000 - 1.0)
        self.assertTrue(sound[:, 1].any())

    def assert_nothing_left(self, service: Service) -> None:
        """The recording is whole, and no process of the service's is left."""
        (recording,) = service.recordings()
        self.assertEqual(recording.suffix, ".wav")
        self.assertGreater(len(soundfile.read(recording)[0]), 0)
        self.assertIn("stopped; nothing is left", service.log)
