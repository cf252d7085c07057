"""Tests for :mod:`twistedvoice.recording.posting`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errands import Errand
from twistedvoice.errors import StoreError
from twistedvoice.recording.afterwards import Plan
from twistedvoice.recording.local import LocalRecordings
from twistedvoice.recording.parts import PartsHere
from twistedvoice.recording.posting import Posting
from twistedvoice.recording.recovery import recover
from twistedvoice.recording.settle import settle
from twistedvoice.recording.todo import left

from .left import leave
from .test_local import LineCall, LocalTestCase, Thread


class Box:
    """Where errands are posted; as long as it is locked, nothing can be."""

    def __init__(self) -> None:
        self.is_locked = False
        self.tries = 0
        self.posted: list[str] = []

    def post(self, errands: Sequence[Errand]) -> Deferred[None]:
        self.tries += 1
        if self.is_locked:
            return fail(StoreError("locked"))
        self.posted += [errand.id for errand in errands]
        return succeed(None)


class PostingTestCase(SynchronousTestCase):
    """A folder, and who posts for it."""

    def setUp(self) -> None:
        self.clock, self.thread, self.box = Clock(), Thread(), Box()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def start(self, plan: Plan | None = None) -> Posting:
        plan = plan or Plan(webhook=True)
        posting = Posting(
            self.clock, self.folder, self.thread.defer, self.box.post, plan
        )
        posting.startService()
        return posting

    def finished(self, name: str) -> Path:
        """:returns: a recording that was finished and marked."""
        part = leave(self.folder / f"{name}.wav")
        return settle(part, "ended", check=False, sync=False).path


class PostingTests(PostingTestCase):
    """Each finished recording is posted for."""

    def test_finished(self) -> None:
        """Its errands are posted, and then its mark is gone."""
        posting = self.start()
        posting.finished(self.finished("a"))
        self.assertEqual(self.box.posted, ["a/webhook"])
        self.assertEqual(left(self.folder), [])

    def test_mark_goes_last(self) -> None:
        """While the store is asked, it is there."""
        asked: list[list[Path]] = []

        def post(errands: Sequence[Errand]) -> Deferred[None]:
            asked.append(left(self.folder))
            return succeed(None)

        final = self.finished("a")
        plan = Plan(webhook=True)
        posting = Posting(self.clock, self.folder, self.thread.defer, post, plan)
        posting.startService()
        self.assertEqual(asked, [[final]])
        self.assertEqual(left(self.folder), [])

    def test_left_by_somebody(self) -> None:
        """What a dead process or a recovery by hand has left is posted at the start."""
        self.finished("a")
        leave(self.folder / "b.wav")
        recover(self.folder)
        self.start()
        self.assertEqual(self.box.posted, ["a/webhook", "b/webhook"])
        self.assertEqual(left(self.folder), [])

    def test_finished_by_another(self) -> None:
        """What a writer finishes whose service was killed is found a little later."""
        self.start()
        self.finished("a")
        self.clock.advance(59)
        self.assertEqual(self.box.posted, [])
        self.clock.advance(1)
        self.assertEqual(self.box.posted, ["a/webhook"])
        self.finished("b")
        self.clock.advance(840)
        self.assertEqual(self.box.posted, ["a/webhook", "b/webhook"])

    def test_store_fails(self) -> None:
        """It is tried every ten seconds; meanwhile the mark stays."""
        self.box.is_locked = True
        posting = self.start()
        final = self.finished("a")
        with capturedLogs() as logs:
            posting.finished(final)
            self.clock.pump([1] * 9)
        self.assertEqual([str(each["log_level"].name) for each in logs], ["warn"])
        self.assertEqual(left(self.folder), [final])
        self.box.is_locked = False
        self.clock.advance(1)
        self.assertEqual(self.box.posted, ["a/webhook"])
        self.assertEqual(left(self.folder), [])

    def test_dead_before_the_mark_is_gone(self) -> None:
        """The next start posts again, by the same ids."""
        self.thread.stalled = True
        posting = self.start()
        posting.finished(self.finished("a"))
        for _ in range(2):
            self.thread.waiting.pop(0)()
        self.assertEqual(self.box.posted, ["a/webhook"])
        self.thread = Thread()
        self.start()
        self.assertEqual(self.box.posted, ["a/webhook", "a/webhook"])
        self.assertEqual(left(self.folder), [])

    def test_nothing_to_do(self) -> None:
        """Without a plan the marks go, and the store is not asked."""
        self.start(Plan()).finished(self.finished("a"))
        self.assertEqual(left(self.folder), [])
        self.assertEqual(self.box.tries, 0)

    def test_mark_that_cannot_be_read(self) -> None:
        """It stays for the next start, and holds up no other."""
        posting = self.start()
        (self.folder / "a.todo").mkdir()
        with capturedLogs() as logs:
            posting.finished(self.folder / "a.wav")
            posting.finished(self.finished("b"))
        self.assertIn("a.wav", logs[0]["path"])
        self.assertEqual(self.box.posted, ["b/webhook"])

    def test_stop_posts_what_waits(self) -> None:
        """Once more, and leaves nothing in the clock."""
        self.box.is_locked = True
        posting = self.start()
        posting.finished(self.finished("a"))
        self.box.is_locked = False
        self.successResultOf(posting.stopService())
        self.assertEqual(self.box.posted, ["a/webhook"])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ToldTests(LocalTestCase):
    """Who records tells of each finished recording."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[Path] = []
        self.recordings = LocalRecordings(
            self.clock,
            self.folder,
            self.thread.defer,
            PartsHere(),
            finished=self.told.append,
        )
        self.recordings.startService()

    def test_ended(self) -> None:
        """With the name that the file has, once it has it."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        self.assertEqual(self.told, [])
        facts = self.facts(call)
        self.assertEqual(self.told, [Path(facts["path"])])
        self.assertEqual(left(self.folder), self.told)

    def test_not_recorded(self) -> None:
        """Of a call without a recording nothing is told."""
        self.facts(LineCall(self, kept=False))
        self.assertEqual(self.told, [])

    def test_not_finished(self) -> None:
        """Nor of one that could not get its name; the next start finishes it."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        self.patch(Path, "rename", _full)
        self.assertEqual(self.facts(call)["state"], "failed")
        self.assertEqual(self.told, [])

    def test_recovered(self) -> None:
        """What a dead process left is told when it is finished."""
        self.folder.mkdir()
        leave(self.folder / "a.wav")
        self.successResultOf(self.recordings.stopService())
        self.recordings.startService()
        self.assertEqual(self.told, [self.folder / "a.wav"])


def _full(*args: object) -> None:
    raise OSError(28, "No space left on device")
