"""Two processes of one service, on one store."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tests.integration.process import SPEECH, Service, ServiceTestCase, reactor
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.markup import StreamOrder, read_markup
from twistedvoice.simulator.plan import CallPlan
from twistedvoice.simulator.script import HangUp, say_file
from twistedvoice.simulator.webhook import ask_for_markup


async def order_of(plan: CallPlan) -> StreamOrder:
    """:returns: the stream that the markup of a webhook orders."""
    told = read_markup(await ask_for_markup(reactor, plan))
    assert told.stream is not None, told
    return told.stream


class TwoProcessesTests(ServiceTestCase):
    """A webhook reaches the one, its stream the other."""

    async def test_shared(self) -> None:
        """One takes what the other reserved, once, and both count the same places."""
        folder = self.state()
        async with (
            self.service("--max-calls=1", folder=folder) as one,
            self.service("--max-calls=1", folder=folder) as other,
        ):
            plan = one.plan()
            order = await order_of(plan)
            call = Deferred.fromCoroutine(self.carried(other, plan, order))
            await other.logs(f"call {plan.call_id} answered")
            for each in (one, other):
                markup = await ask_for_markup(reactor, each.plan())
                self.assertIn(b"<Reject", markup)
            journal = await call
            record = await other.cdr(plan.call_id)
            self.assertEqual(journal.outcome, "completed")
            self.assertEqual((await self.carried(one, plan, order)).outcome, "hung_up")
            await self.has_room(one)
        self.assertEqual(record["outcome"], "completed")
        self.assertNotEqual(one.log, other.log)

    async def carried(
        self, service: Service, plan: CallPlan, order: StreamOrder
    ) -> Journal:
        """:returns: what became of the stream at this service."""
        stream = service.stream(
            params=order.params,
            call_id=plan.call_id,
            account_id=plan.account_id,
            steps=(say_file(SPEECH), HangUp()),
        )
        self.assertEqual(stream.stream_url, order.url)
        return await service.call(stream)

    async def has_room(self, service: Service) -> None:
        """Wait until a caller gets a stream."""
        while b"<Stream" not in await ask_for_markup(reactor, service.plan()):
            await deferLater(reactor, 0.05)
