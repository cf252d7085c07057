"""The fault table of docs/outbox, a test a row: what was lost, what came twice."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.internet.defer import fail, maybeDeferred
from twisted.logger import capturedLogs

from twistedvoice.interfaces import HttpClient
from twistedvoice.outbox.s3 import Bucket
from twistedvoice.outbox.sigv4 import Signer
from twistedvoice.outbox.upload import Upload

from .clerk import OutboxTestCase, errand
from .test_upload import DOWN, SECRET, Storage

__all__ = ["KillTests", "StorageTests", "StoreTests", "WallTests"]


class KillTests(OutboxTestCase):
    """A process that dies loses nothing, whenever it does."""

    def test_killed_before_it_was_begun(self) -> None:
        """The next start begins it at once."""
        outbox = self.start(performers={})
        self.post(outbox)
        self.kill(outbox)
        self.start("n-2")
        self.assertEqual(len(self.clerk.asked), 1)

    def test_killed_while_it_was_performed(self) -> None:
        """It is begun again when the lease has ended, a minute later."""
        outbox = self.start()
        self.post(outbox)
        self.kill(outbox)
        self.start("n-2")
        self.wait(59)
        self.assertEqual(len(self.clerk.asked), 1)
        self.wait(6)
        self.assertEqual([each.attempts for each in self.clerk.asked], [0, 1])

    def test_killed_between_success_and_its_record(self) -> None:
        """It is performed twice, by the same id; the follower is begun once."""
        outbox = self.start()
        self.post(outbox, errand(), errand("frame", after="S1/paint"))
        self.store.is_locked = True
        self.clerk.succeed()
        self.kill(outbox)
        self.store.is_locked = False
        self.start("n-2")
        self.wait(65)
        self.clerk.succeed()
        self.assertEqual(
            [each.id for each in self.clerk.asked],
            ["S1/paint", "S1/paint", "S1/frame"],
        )

    def test_killed_after_the_record(self) -> None:
        """It is not performed again, and what follows it is."""
        outbox = self.start()
        self.post(outbox, errand(), errand("frame", after="S1/paint"))
        self.clerk.succeed()
        self.kill(outbox)
        self.start("n-2")
        self.wait(65)
        kinds = [each.kind for each in self.clerk.asked]
        self.assertEqual(kinds, ["paint", "frame", "frame"])

    def test_one_that_kills_its_process(self) -> None:
        """It is parked after so many deaths, and not begun again."""
        outbox = self.start(attempts=2)
        self.post(outbox)
        for _ in range(4):
            self.kill(outbox)
            outbox = self.start(attempts=2)
            self.wait(65)
        self.assertEqual(len(self.clerk.asked), 2)
        [kept] = self.successResultOf(self.store.errands(state="parked"))
        self.assertEqual(kept.reason, "begun 2 times, and never ended")


class StoreTests(OutboxTestCase):
    """A store that somebody has locked."""

    def test_looks_go_on(self) -> None:
        """What was posted is begun a few seconds after the lock is gone."""
        outbox = self.start()
        self.store.add_errands([errand()], now=0)
        self.store.is_locked = True
        self.wait(3600)
        self.assertEqual(self.clerk.asked, [])
        self.store.is_locked = False
        self.wait(5)
        self.assertEqual(len(self.clerk.asked), 1)
        self.assertEqual(outbox.tally.parked, 0)

    def test_success_is_noted_when_it_can_be(self) -> None:
        """It is not performed again meanwhile."""
        outbox = self.start()
        self.post(outbox)
        self.store.is_locked = True
        self.clerk.succeed()
        self.wait(600)
        self.store.is_locked = False
        self.wait(30)
        self.assertEqual(self.state(), "done")
        self.assertEqual(len(self.clerk.asked), 1)
        self.assertEqual(outbox.counts["done"], 1)

    def test_lease_that_ended_meanwhile(self) -> None:
        """What is still at work here is not begun here a second time."""
        self.post(self.start())
        self.store.is_locked = True
        self.wait(120)
        self.store.is_locked = False
        self.wait(30)
        self.clerk.succeed()
        self.assertEqual(len(self.clerk.asked), 1)
        self.assertEqual(self.state(), "done")

    def test_stop_while_locked(self) -> None:
        """It stops all the same; the lease ends by itself."""
        outbox = self.start()
        self.post(outbox)
        self.store.is_locked = True
        self.clerk.succeed()
        stopped = outbox.stopService()
        self.wait(10)
        self.successResultOf(stopped)
        self.store.is_locked = False
        self.start("n-2")
        self.wait(65)
        self.assertEqual(len(self.clerk.asked), 2)


class WallTests(OutboxTestCase):
    """The wall clock is set while there is something to do."""

    def test_set_back(self) -> None:
        """What waits is later by as much."""
        self.post(self.start())
        self.clerk.fail()
        self.step -= 600
        self.wait(600)
        self.assertEqual(len(self.clerk.asked), 1)
        self.wait(15)
        self.assertEqual(len(self.clerk.asked), 2)

    def test_set_forward(self) -> None:
        """Another process may begin what is under way; one success is recorded."""
        self.start("n-2")
        self.post(self.start("n-1"))
        self.step += 600
        self.wait(5)
        self.assertEqual(len(self.clerk.asked), 2)
        self.clerk.succeed(colour="blue")
        self.clerk.succeed(colour="red")
        [kept] = self.successResultOf(self.store.errands(state="done"))
        self.assertEqual(kept.result, {"colour": "blue"})


class StorageTests(OutboxTestCase):
    """A storage that is away for an hour."""

    def test_down(self) -> None:
        """Nothing is lost, and what is uploaded when it is back is uploaded once."""
        path = Path(self.mktemp())
        path.mkdir()
        path = path / "S1.wav"
        path.write_bytes(b"sound")
        storage = Storage(tricks={"PUT": lambda: fail(DOWN)})
        client: HttpClient = storage
        upload = Upload(
            lambda: 1e9,
            client,
            maybeDeferred,
            bucket=Bucket(name="calls", region="r", endpoint="http://s3"),
            signer=Signer(region="r", access_key_id="A", secret_access_key=SECRET),
            prefix="",
        )
        outbox = self.start(performers={"paint": upload.perform})
        details = {"path": str(path), "key": "2026/S1.wav"}
        with capturedLogs():
            self.post(outbox, evolve(errand(), details=details))
            self.wait(3600)
            self.assertEqual((storage.objects, self.state()), ({}, "waiting"))
            storage.tricks.clear()
            self.wait(3600)
        self.assertEqual(storage.objects, {"2026/S1.wav": b"sound"})
        self.assertEqual(self.state(), "done")
        # Ten seconds, doubled: so it does not knock a thousand times either.
        self.assertEqual(len(storage.asked), 10)
