"""A newer service takes over while the older one finishes its calls."""

from __future__ import annotations

import http.client

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.integration.process import SPEECH, Service, ServiceTestCase
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, Wait, say_file

__all__ = ["DeployTests"]

_CALLS = 6


class DeployTests(ServiceTestCase):
    """Both listen on the same port for a while."""

    timeout = 120

    async def test_one_process(self) -> None:
        """A live call ends by itself, and no new caller is turned away."""
        await self.handed_over()

    async def test_workers(self) -> None:
        """The same with two workers on either side."""
        await self.handed_over("--workers=2")

    async def handed_over(self, *arguments: str) -> None:
        """Have a new service take over from an old one."""
        share = ("--share-port", "--drain-seconds=30", *arguments)
        folder = self.state()
        async with self.service(*share, folder=folder) as old:
            live = old.plan(steps=(Wait(8000), say_file(SPEECH), HangUp()))
            call = Deferred.fromCoroutine(old.call(live))
            await old.logs(f"call {live.call_id} answered")
            kept = Visitor(old)
            await kept.ask()
            where = f"--listen=tcp:{old.port}:interface=127.0.0.1"
            async with self.service(*share, where, folder=folder) as new:
                before = await self.called(new, "while both listen")
                old.signal("TERM")
                during = await self.called(new, "while one leaves")
                await old.logs("left the port")
                self.assertEqual(await kept.ask(), "close")
                after = await self.called(new, "when it has left")
                journal = await call
                record = await new.cdr(live.call_id)
                self.assertEqual(await old.ended(), 0)
                cdrs = new.cdrs()
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(record["outcome"], "completed")
        self.assertEqual(record["recording"]["state"], "done")
        self.assertGreater(record["frames_sent"], 40)
        for plan in (*before, *during, *after):
            self.assertEqual(cdrs[plan.call_id]["outcome"], "completed")
        for plan in after:
            self.assertIn(f"call {plan.call_id} answered", new.log)

    async def called(self, service: Service, when: str) -> list[CallPlan]:
        """:returns: some calls that came at the same time, and have ended."""
        plans = [service.plan(steps=(Wait(300), HangUp())) for _ in range(_CALLS)]
        for journal in await self.together(*map(service.call, plans)):
            self.assertEqual(journal.outcome, "completed", when)
        for plan in plans:
            await service.cdr(plan.call_id)
        return plans


class Visitor:
    """An HTTP client that keeps its connection."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port)

    async def ask(self) -> str:
        """:returns: what is to become of the connection, by the answer."""
        return await deferToThread(self._ask)

    def _ask(self) -> str:
        self._connection.request("GET", "/health")
        answer = self._connection.getresponse()
        answer.read()
        return answer.headers.get("Connection", "keep")
