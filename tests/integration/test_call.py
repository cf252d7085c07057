"""A whole call to a real service, with the security that it has on the internet."""

from __future__ import annotations

import json
from typing import Any

import soundfile

from tests.integration.process import SPEECH, TOKEN, TWISTD, ServiceTestCase
from twistedvoice.audio import pcm
from twistedvoice.formats import MULAW_8K
from twistedvoice.simulator.align import match
from twistedvoice.simulator.script import HangUp, Press, Wait, say_file

#: What must be found nowhere but where it belongs.
CALLER, CALLED = "+15550147007", "+15550148008"
DIGITS = "73951"
STEPS = (say_file(SPEECH), Press(DIGITS), Wait(300), HangUp())


class CallTests(ServiceTestCase):
    """Answered, paced, recorded, and written down."""

    async def test_call(self) -> None:
        """A signed call is answered, recorded on both tracks, and has its record."""
        async with self.service("--log-level=debug") as service:
            plan = service.plan(
                steps=STEPS,
                from_number=CALLER,
                to_number=CALLED,
                status_url=f"{service.public_url}/twilio/status",
            )
            journal = await service.call(plan)
            self.assertEqual(journal.outcome, "completed")
            self.assertEqual(await service.get("/health"), (200, "up\n"))
            self.assertEqual(await service.get("/ready", admin=True), (200, "ready\n"))
            _, metrics = await service.get("/metrics", admin=True)
            cdr = await service.cdr(journal.call_id)
            self.assertEqual(await service.stop(), 0)
        self.assert_record(cdr, len(journal.said) // 160)
        (recording,) = service.recordings()
        self.assert_recorded(recording, journal)
        self.assert_discreet(service.log, json.dumps(cdr), metrics)

    def assert_record(self, cdr: dict[str, Any], frames: int) -> None:
        """The record says what happened, and every frame is accounted for."""
        self.assertEqual((cdr["outcome"], cdr["agent"]), ("completed", "echo"))
        self.assertEqual(cdr["frames_in"], frames)
        self.assertEqual(cdr["messages_bad"], 0)
        went = ("sent", "flushed", "rejected", "dropped")
        self.assertEqual(
            cdr["frames_queued"] + cdr["frames_rejected"],
            sum(cdr[f"frames_{each}"] for each in went),
        )
        self.assertGreater(cdr["frames_sent"], 50)

    def assert_recorded(self, recording: Any, journal: Any) -> None:
        """Each track is what was on the line on its side."""
        with soundfile.SoundFile(recording) as file:
            self.assertEqual((file.samplerate, file.channels), (8000, 2))
            self.assertEqual(file.subtype, "ULAW")
            tracks = file.read(dtype="int16")
        for track, sound in zip(tracks.T, (journal.said, journal.heard), strict=True):
            line = pcm.decode(bytes(sound), MULAW_8K)
            self.assertTrue(match(track, line).right)

    def assert_discreet(self, *texts: str) -> None:
        """No number, key or secret of the call is in what was written about it."""
        for text in texts:
            for secret in (CALLER[4:], CALLED[4:], DIGITS, TOKEN):
                self.assertNotIn(secret, text)
            for digit in DIGITS:
                self.assertNotRegex(text, rf"(?i)(digit|dtmf)\W+{digit}\b")

    async def test_twistd(self) -> None:
        """twistd runs the same service; SIGTERM drains it, then ends it."""
        async with self.service(command=TWISTD) as service:
            journal = await service.call(service.plan(steps=(Wait(500), HangUp())))
            self.assertEqual(journal.outcome, "completed")
            await service.cdr(journal.call_id)
            self.assertEqual(await service.stop(), -15)
            self.assertIn("stopped; nothing is left", service.log)

    async def test_descriptors(self) -> None:
        """After fifty calls the process has no descriptor more than after the first."""
        steps = (Wait(200), HangUp())
        async with self.service(trusted=True) as service:
            before = -1
            for _ in range(6):
                plans = [service.stream(steps=steps) for _ in range(10)]
                await self.together(*(service.call(plan) for plan in plans))
                for plan in plans:
                    await service.cdr(plan.call_id)
                if before < 0:
                    before = service.descriptors()
            self.assertLessEqual(service.descriptors(), before)
