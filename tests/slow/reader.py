"""A peer that never reads, for as long as the service puts up with it."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from tests.integration.peer import Peer
from tests.integration.process import ServiceTestCase, reactor
from twistedvoice.simulator.script import HangUp, Wait

#: So little that it is full soon.
_BUFFER_BYTES = 2048


class SlowReaderTests(ServiceTestCase):
    """What is said to a peer that does not read waits in our queue."""

    async def test_never_reads(self) -> None:
        """Its call ends as stalled; its neighbour hears everything."""
        agent = "--agent=tests.integration.agents:Talker"
        async with self.service(agent, trusted=True) as service:
            peer = Peer.connect(service.port, "CA-deaf", buffer_bytes=_BUFFER_BYTES)
            self.addCleanup(peer.close)
            peer.start()
            speaking = LoopingCall(peer.speak)
            speaking.clock = reactor
            speaking.start(0.02)
            self.addCleanup(speaking.stop)
            plan = service.stream(steps=(Wait(12_000), HangUp()))
            call = Deferred.fromCoroutine(service.call(plan))
            deaf = await service.cdr("CA-deaf")
            journal = await call
            good = await service.cdr(plan.call_id)
        self.assertEqual(deaf["outcome"], "stalled")
        self.assertGreater(deaf["held_ticks"], 0)
        self.assertGreater(deaf["frames_dropped"], 0)
        self.assertEqual(good["outcome"], "completed")
        self.assertEqual(good["frames_sent"], 500)
        self.assertEqual(good["held_ticks"], 0)
        self.assertLessEqual(set(good["underruns"]), {"reactor"})
        self.assertEqual(journal.outcome, "completed")
