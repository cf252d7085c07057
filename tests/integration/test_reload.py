"""SIGHUP: what changes, for whom, and what a mistake changes."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.integration.process import SPEECH, ServiceTestCase
from twistedvoice.simulator.script import HangUp, Step, Wait, say_file

TALKER = "tests.integration.agents:Talker"


class ReloadTests(ServiceTestCase):
    """The file is changed and read again while a call lives."""

    async def test_reload(self) -> None:
        """New callers get the new agent, the live call keeps its own."""
        file = self.state()
        file.write_text('[numbers.default]\nagent = "echo"\n')
        steps: tuple[Step, ...] = (Wait(1500), say_file(SPEECH), HangUp())
        async with self.service(f"--config={file}") as service:
            live = service.plan(steps=steps)
            call = Deferred.fromCoroutine(service.call(live))
            await service.logs(f"call {live.call_id} answered")
            file.write_text(f'[numbers.default]\nagent = "{TALKER}"\n')
            service.signal("HUP")
            await service.logs("reloaded: numbers")
            later = service.plan(steps=(Wait(200), HangUp()))
            await service.call(later)

            file.write_text('max_calls = "many"\nagnet = "echo"\n')
            service.signal("HUP")
            await service.logs("not reloaded: max_calls")
            await service.logs("not reloaded: agnet")
            last = service.plan(steps=(Wait(200), HangUp()))
            await service.call(last)

            await call
            agents = [(await service.cdr(each.call_id)) for each in (live, later, last)]
        self.assertEqual([cdr["agent"] for cdr in agents], ["echo", TALKER, TALKER])
        self.assertEqual({cdr["outcome"] for cdr in agents}, {"completed"})
        self.assertGreater(agents[0]["frames_sent"], 50)
