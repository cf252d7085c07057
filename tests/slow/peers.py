"""Bad peers on real sockets: each has its outcome, and none disturbs its neighbour."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from tests.integration.peer import Peer
from tests.integration.process import Service, ServiceTestCase, reactor
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.script import HangUp, Wait


class PeerTests(ServiceTestCase):
    """A service with one good caller and several bad ones."""

    async def peer(self, service: Service, name: str, **details: Any) -> Peer:
        """:returns: a peer whose call was let in."""
        peer = Peer.connect(service.port, name, **details)
        self.addCleanup(peer.close)
        peer.start()
        await service.logs(f"call {name} answered")
        peer.speak(10)
        return peer

    def keep_speaking(self, peer: Peer) -> None:
        """Let a peer speak at the pace of a caller until the test ends."""
        speaking = LoopingCall(peer.speak)
        speaking.clock = reactor
        speaking.start(0.02)
        self.addCleanup(speaking.stop)

    async def test_bad_peers(self) -> None:
        """Every call ends as stated; the good one beside them is untouched."""
        agent = "--agent=tests.integration.agents:Talker"
        options = (agent, "--silence-seconds=2", "--drain-seconds=0.1")
        async with self.service(*options, trusted=True) as service:
            good = service.stream(steps=(Wait(5000), HangUp()))
            call = Deferred.fromCoroutine(service.call(good))
            await service.logs(f"call {good.call_id} answered")

            await self.peer(service, "CA-silent")
            for name, message in (
                ("CA-huge", '{"event": "media", "x": "' + "y" * 70_000 + '"}'),
                ("CA-broken", "{]"),
                ("CA-deep", "[" * 20_000),
                ("CA-stranger", '{"event": "media", "streamSid": "MZ1", "media": 7}'),
            ):
                peer = await self.peer(service, name)
                peer.send(message)
                self.keep_speaking(peer)
            flood = await self.peer(service, "CA-flood")
            flood.speak(1500)
            early = Peer.connect(service.port, "CA-early")
            self.addCleanup(early.close)
            early.speak()
            mute = Peer.connect(service.port, "CA-mute")
            self.addCleanup(mute.close)
            reset = await self.peer(service, "CA-reset")
            reset.reset()

            ended = ("CA-silent", "CA-huge", "CA-flood", "CA-reset")
            outcomes = {each: (await service.cdr(each))["outcome"] for each in ended}
            journal = await call
            record = await service.cdr(good.call_id)
            _, metrics = await service.get("/metrics", admin=True)
            self.assertEqual(await service.stop(), 0)
            cdrs = service.cdrs()
        self.assertEqual(
            outcomes,
            {
                "CA-silent": "silent",
                "CA-huge": "malformed",
                "CA-flood": "flooded",
                "CA-reset": "lost",
            },
        )
        for name in ("CA-broken", "CA-deep", "CA-stranger"):
            self.assertEqual(cdrs[name]["outcome"], "drained", name)
            self.assertEqual(cdrs[name]["messages_bad"], 1, name)
        for name in ("CA-early", "CA-mute"):
            self.assertNotIn(name, cdrs)
        self.assertIn('reason="malformed"', metrics)
        self.assertIn('reason="unstarted"', metrics)
        self.assert_untouched(journal, record)

    def assert_untouched(self, journal: Journal, record: dict[str, Any]) -> None:
        """The good call heard all, and has no hole that a neighbour could have made."""
        self.assertEqual(journal.outcome, "completed")
        self.assertEqual(record["outcome"], "completed")
        self.assertEqual(record["messages_bad"], 0)
        self.assertEqual(record["frames_in"], len(journal.said) // 160)
        self.assertEqual(record["held_ticks"], 0)
        self.assertLessEqual(set(record["underruns"]), {"reactor"})
