"""Tests for :mod:`twistedvoice.recording.local` and ``recording``."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import soundfile
from twisted.application.service import IService
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.interfaces import CallObserver, CallRecord, RecordingWish
from twistedvoice.realtime.tracks import Tracks
from twistedvoice.recording.local import LocalRecordings
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import FsyncPolicy, PartFile
from twistedvoice.recording.parts import Part, PartsHere
from twistedvoice.recording.recording import Recording
from twistedvoice.recording.seal import sealed
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.recording.vault import opener

#: Twenty milliseconds of the caller, and of the service.
HELLO, WELCOME = b"\x80" * 160, b"\x00" * 160
LOUD, LOW = 32124, -32124


class Thread:
    """A thread that works at once, or when it is told to."""

    def __init__(self) -> None:
        self.stalled = False
        self.waiting: list[Callable[[], None]] = []
        self.done: list[str] = []

    def defer(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Do it now or later."""
        result: Deferred[Any] = Deferred()

        def work() -> None:
            self.done.append(function.__name__)
            execute(function, *args).chainDeferred(result)

        self.waiting.append(work)
        if not self.stalled:
            self.go_on()
        return result

    def go_on(self) -> None:
        """The disk answers again."""
        self.stalled = False
        while self.waiting:
            self.waiting.pop(0)()


class SpooledFile(PartFile):
    """A part whose batches may wait for the next that is appended."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.spooled: list[Batch] = []

    def append(self, *batches: Batch) -> None:
        """Write those that waited, too."""
        waited, self.spooled = self.spooled, []
        super().append(*waited, *batches)


class SpoolingParts(PartsHere):
    """Spools whatever it may."""

    def new(self, path: Path, format: AudioFormat, **options: Any) -> SpooledFile:  # noqa: A002
        """:returns: one that spools."""
        return SpooledFile(path, format, **options)

    def spool(self, part: Part, batch: Batch) -> bool:
        """Have the batch wait."""
        assert isinstance(part, SpooledFile)
        part.spooled.append(batch)
        return True


class LineCall:
    """A call that goes on in virtual time, both sides in step."""

    def __init__(
        self,
        case: LocalTestCase,
        session_id: str = "n1-1",
        *,
        kept: bool = True,
        needs_consent: bool = False,
    ) -> None:
        self.case = case
        self.started = case.clock.seconds()
        self.tracks = Tracks(MULAW_8K)
        self.record = CallRecord(
            session_id=session_id,
            call_id=f"CA-{session_id}",
            account_id="AC1",
            stream_id="MZ1",
            from_number="+15550001111",
            to_number="+15550002222",
            format=MULAW_8K,
            started_at=1_795_392_000.0,
            started_us=round(self.started * 1_000_000),
            needs_consent=needs_consent,
        )
        case.recordings.call_started(self.record, self.tracks if kept else None)

    def waiting_bytes(self) -> int:
        """:returns: how many bytes nobody has taken yet."""
        both = (self.tracks.heard, self.tracks.played)
        return sum(len(payload) for track in both for _, payload in track)

    def talk(self, seconds: float, *, caller: bool = True, us: bool = True) -> None:
        """Let time go by in which one, both or none of the sides speak."""
        for _ in range(round(seconds * 50)):
            at_ms = round((self.case.clock.seconds() - self.started) * 1000)
            if us:
                self.tracks.played.add(at_ms * 1000, WELCOME)
            self.case.clock.advance(0.02)
            if caller:
                self.tracks.heard.add(at_ms, HELLO)

    def said_something(self) -> None:
        """The first frame was sent."""
        self.case.recordings.first_audio_sent(self.record)

    def ask(self, wish: RecordingWish) -> None:
        """The agent wants something of the recording."""
        self.case.recordings.asked(self.record, wish)

    def end(self) -> Deferred[Mapping[str, object]]:
        """Hang up."""
        return self.case.recordings.call_ended(self.record)


class LocalTestCase(SynchronousTestCase):
    """Has a service that records."""

    without_audio: Literal["keep", "discard"] = "keep"
    key: bytes | None = None
    encryption_key: bytes | None = None
    fsync: FsyncPolicy = "close"
    parts: type[PartsHere] = PartsHere

    def setUp(self) -> None:
        """Start the service."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.thread = Thread()
        self.folder = Path(self.mktemp())
        self.recordings = LocalRecordings(
            self.clock,
            self.folder,
            self.thread.defer,
            self.parts(),
            without_audio=self.without_audio,
            fsync=self.fsync,
            key=self.key,
            encryption_key=self.encryption_key,
        )
        self.recordings.startService()
        self.thread.done.clear()

    def names(self, kind: str = ".wav") -> list[str]:
        """:returns: the paths of the files of a kind, finished or not."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob(f"*{kind}*")
        )

    def facts(self, call: LineCall) -> dict[str, Any]:
        """End ``call``. :returns: what was said of its recording."""
        result: Any = self.successResultOf(call.end())
        self.assertEqual(list(result), ["recording"])
        return dict(result["recording"])

    def samples(self, facts: dict[str, Any]) -> tuple[list[int], list[int]]:
        """:returns: both channels, as another program reads them."""
        both, _ = soundfile.read(facts["path"], dtype="int16")
        return both[:, 0].tolist(), both[:, 1].tolist()


class RecordTests(LocalTestCase):
    """A call is recorded."""

    #: What is done in the thread for the first calls that are visited.
    first_visit: Sequence[str] = ("do_all",)

    def test_whole_call(self) -> None:
        """Both sides are there from the start to the end, each in its place."""
        call = LineCall(self)
        call.talk(1, us=False)
        call.said_something()
        call.talk(2)
        call.talk(1, caller=False, us=False)
        facts = self.facts(call)
        path = self.folder / "2026" / "11" / "23" / "n1-1.wav"
        self.assertEqual(
            facts,
            {
                "state": "done",
                "reason": "",
                "path": str(path),
                "duration_ms": 4000,
                "paused_ms": 0,
                "chain": read_lines(path.with_suffix(".jsonl"))[-1]["chain"],
                "seal": "",
                "degraded": False,
                "lost": [],
                "late_frames": 0,
                "dropped_frames": 0,
            },
        )
        caller, service = self.samples(facts)
        self.assertEqual(caller, [LOUD] * 24000 + [0] * 8000)
        self.assertEqual(service, [0] * 8000 + [LOW] * 16000 + [0] * 8000)

    def test_short_greeting(self) -> None:
        """One frame, and silence ever after, is recorded."""
        call = LineCall(self)
        call.said_something()
        call.talk(0.02, caller=False)
        call.talk(5, caller=False, us=False)
        _, service = self.samples(self.facts(call))
        self.assertEqual(service, [LOW] * 160 + [0] * 40000)

    def test_triggered_often(self) -> None:
        """However often it is said that sound was sent, there is one recording."""
        call = LineCall(self)
        for _ in range(3):
            call.said_something()
            call.talk(1)
        self.assertEqual(self.facts(call)["state"], "done")
        self.assertEqual(self.thread.done.count("open"), 1)
        self.assertEqual(self.names(), ["2026/11/23/n1-1.wav"])

    def test_nothing_before_the_trigger(self) -> None:
        """Until the call says something its sound is only kept."""
        call = LineCall(self)
        call.talk(5, us=False)
        self.assertEqual(self.thread.done, [])
        call.said_something()
        self.assertEqual(self.thread.done, ["open"])
        self.assertEqual(self.names(), ["2026/11/23/n1-1.wav.part"])

    def test_safe_from_a_crash(self) -> None:
        """All but the last second is in the file at any time, and can be played."""
        call = LineCall(self)
        call.said_something()
        for seconds in range(1, 10):
            call.talk(1)
            part = self.folder / "2026/11/23/n1-1.wav.part"
            sound = read_wav(part).samples
            self.assertGreaterEqual(len(sound), (seconds - 1) * 8000)
            self.assertEqual(set(sound[:, 0].tolist()) - {LOUD}, set())

    def test_cut_by_a_clear(self) -> None:
        """What the carrier was told to drop is not in the recording."""
        call = LineCall(self)
        call.said_something()
        call.talk(1)
        for n in range(5):
            call.tracks.played.add(1_000_000 + n * 20_000, WELCOME)
        self.clock.advance(0.03)
        call.tracks.played.cut(1_030_000)
        call.talk(1, caller=False, us=False)
        _, service = self.samples(self.facts(call))
        self.assertEqual(service, [LOW] * 8240 + [0] * 8000)

    def test_hang_up_in_the_middle(self) -> None:
        """What would have been played after the end is not in the recording."""
        call = LineCall(self)
        call.said_something()
        call.talk(1)
        for n in range(5):
            call.tracks.played.add(1_000_000 + n * 20_000, WELCOME)
        self.clock.advance(0.01)
        facts = self.facts(call)
        self.assertEqual(facts["duration_ms"], 1010)
        self.assertEqual(self.samples(facts)[1], [LOW] * 8080)

    def test_burst_after_a_stall(self) -> None:
        """Sound of the caller that a slow network held back is in its place."""
        call = LineCall(self)
        call.said_something()
        call.talk(1)
        call.talk(2, caller=False)
        for n in range(100):
            call.tracks.heard.add(1000 + n * 20, HELLO)
        call.talk(1)
        facts = self.facts(call)
        self.assertEqual(self.samples(facts), ([LOUD] * 32000, [LOW] * 32000))
        # What is written later is not too late.
        self.assertEqual(facts["late_frames"] > 0, self.parts is PartsHere)
        self.assertEqual(facts["dropped_frames"], 0)

    def test_frame_across_the_margin(self) -> None:
        """Frames that lie across the end of a batch are neither torn nor doubled."""
        call = LineCall(self)
        call.said_something()
        self.clock.advance(0.007)
        call.talk(3, caller=False)
        facts = self.facts(call)
        self.assertEqual(self.samples(facts)[1], [0] * 56 + [LOW] * 24000)
        self.assertEqual(facts["late_frames"], 0)

    def test_long_call(self) -> None:
        """A long call is complete to the sample, and nothing piles up."""
        call = LineCall(self)
        call.said_something()
        most = 0
        for _ in range(60):
            call.talk(10)
            most = max(most, call.waiting_bytes())
        facts = self.facts(call)
        self.assertEqual(facts["duration_ms"], 600_000)
        self.assertLess(most, 16000)
        info = soundfile.info(facts["path"])
        self.assertEqual((info.frames, info.subtype), (4_800_000, "ULAW"))

    def test_many_calls(self) -> None:
        """Calls do not mix, and one visit takes one part of them to one thread."""
        calls = [LineCall(self, f"n1-{number}") for number in range(40)]
        for call in calls:
            call.said_something()
        self.thread.done.clear()
        self.clock.advance(0.017)
        self.assertEqual(tuple(self.thread.done), self.first_visit)
        calls[7].talk(1)
        for call in calls:
            facts = self.facts(call)
            heard = set(self.samples(facts)[0])
            self.assertEqual(LOUD in heard, call is calls[7])


class SpooledTests(RecordTests):
    """The same, with batches that wait to be written together."""

    parts = SpoolingParts
    first_visit = ()

    def test_safe_from_a_crash(self) -> None:
        """The file grows every five seconds, each call's when others' do not."""
        calls = [LineCall(self, f"n1-{number}") for number in range(42)]
        for call in calls:
            call.said_something()
        visits = [0.707 / 42] * 42
        self.clock.pump(visits * 14)
        self.thread.done.clear()
        self.clock.pump(visits * 7)
        # Each once; a visit may be missed.
        self.assertIn(len(self.thread.done), range(39, 43))
        for call in calls:
            part = self.folder / f"2026/11/23/{call.record.session_id}.wav.part"
            self.assertGreater(len(read_wav(part).samples), 5 * 8000)


class SyncedTests(LocalTestCase):
    """What shall reach the disk every second."""

    parts = SpoolingParts
    fsync = "second"

    def test_never_spooled(self) -> None:
        """It does not wait in memory."""
        call = LineCall(self)
        call.said_something()
        call.talk(10)
        self.assertGreaterEqual(self.thread.done.count("do_all"), 11)


class PolicyTests(LocalTestCase):
    """Which calls are kept."""

    def test_not_kept(self) -> None:
        """A call whose sound is not kept is told of and leaves no file."""
        call = LineCall(self, kept=False)
        call.said_something()
        self.clock.advance(5)
        self.assertEqual(self.facts(call), {"state": "skipped"})
        self.assertEqual(self.thread.done, [])
        self.successResultOf(self.recordings.stopService())

    def test_nothing_said(self) -> None:
        """A call in which only the caller spoke is kept."""
        call = LineCall(self)
        call.talk(3, us=False)
        facts = self.facts(call)
        self.assertEqual((facts["state"], facts["duration_ms"]), ("done", 3000))

    def test_nothing_said_for_long(self) -> None:
        """Memory is bounded though nothing is ever said."""
        call = LineCall(self)
        call.talk(29, us=False)
        self.assertEqual(self.thread.done, [])
        call.talk(120, us=False)
        self.assertLess(call.waiting_bytes(), 8000)
        self.assertEqual(self.samples(self.facts(call))[0], [LOUD] * 149 * 8000)


class DiscardTests(LocalTestCase):
    """Calls in which nothing was said are not kept."""

    without_audio = "discard"

    def test_short(self) -> None:
        """A short one never reaches the disk."""
        call = LineCall(self)
        call.talk(3, us=False)
        self.assertEqual(self.facts(call)["state"], "skipped")
        self.assertEqual(self.thread.done, [])

    def test_long(self) -> None:
        """A long one is removed in the end."""
        call = LineCall(self)
        call.talk(40, us=False)
        self.assertEqual(self.names(), ["2026/11/23/n1-1.wav.part"])
        facts = self.facts(call)
        self.assertEqual((facts["state"], facts["path"]), ("skipped", None))
        self.assertEqual(self.names("."), [])

    def test_over_before_the_trigger(self) -> None:
        """A call that ends right after its first frame is a recording all the same."""
        call = LineCall(self)
        call.talk(0.02)
        self.assertEqual(self.facts(call)["state"], "done")

    def test_said_late(self) -> None:
        """Something said after a long time makes it a recording."""
        call = LineCall(self)
        call.talk(40, us=False)
        call.said_something()
        call.talk(1)
        self.assertEqual(self.facts(call)["duration_ms"], 41_000)


class StallTests(LocalTestCase):
    """The disk does not answer."""

    def test_one_job_at_a_time(self) -> None:
        """While a batch is being written nothing else of the call is handed over."""
        call = LineCall(self)
        call.said_something()
        self.thread.stalled = True
        call.talk(10)
        self.assertEqual(len(self.thread.waiting), 1)
        self.thread.go_on()
        call.talk(1)
        facts = self.facts(call)
        self.assertEqual(self.samples(facts), ([LOUD] * 88000, [LOW] * 88000))
        self.assertFalse(facts["degraded"])

    def test_slow_open(self) -> None:
        """Sound waits for the file, and the end of the call does too."""
        self.thread.stalled = True
        call = LineCall(self)
        call.said_something()
        call.talk(3)
        ended = call.end()
        self.assertNoResult(ended)
        self.thread.go_on()
        facts: Any = self.successResultOf(ended)["recording"]
        self.assertEqual(self.samples(facts), ([LOUD] * 24000, [LOW] * 24000))

    def test_bounded_after_a_wrong_stamp(self) -> None:
        """A frame that claims to be of later keeps none of those that follow it."""
        call = LineCall(self)
        call.said_something()
        call.talk(1)
        self.thread.stalled = True
        call.talk(1)
        call.tracks.heard.add(10_000_000, HELLO)
        call.talk(100, us=False)
        self.assertLess(call.waiting_bytes(), 62 * 8000)
        self.assertGreater(call.waiting_bytes(), 59 * 8000)

    def test_bounded(self) -> None:
        """After a minute the oldest sound is given up; the time it took is kept."""
        call = LineCall(self)
        call.said_something()
        call.talk(1)
        self.thread.stalled = True
        call.talk(300)
        self.assertLess(call.waiting_bytes(), 61 * 16000)
        self.thread.go_on()
        call.talk(1)
        facts = self.facts(call)
        self.assertTrue(facts["degraded"])
        self.assertEqual(facts["state"], "done")
        self.assertGreater(facts["dropped_frames"], 23_000)
        self.assertEqual(facts["duration_ms"], 302_000)
        for side, loud in zip(self.samples(facts), (LOUD, LOW), strict=True):
            self.assertEqual(side[:4000], [loud] * 4000)
            self.assertEqual(side[16000:1_900_000], [0] * 1_884_000)
            self.assertEqual(side[-61 * 8000 :], [loud] * 61 * 8000)

    def test_others_go_on(self) -> None:
        """A job of one call that hangs holds up no other call's job."""
        stuck, other = LineCall(self, "n1-1"), LineCall(self, "n1-2")
        self.thread.stalled = True
        stuck.said_something()
        hanging = self.thread.waiting.pop()
        self.thread.stalled = False
        other.said_something()
        other.talk(2)
        self.assertEqual(self.facts(other)["duration_ms"], 2000)
        hanging()
        self.assertEqual(self.facts(stuck)["state"], "done")


class FailureTests(LocalTestCase):
    """The disk says no."""

    def break_file(self, method: str, error: Exception) -> None:
        """Let ``method`` of every file fail from now on."""

        def failing(part: PartFile, *args: object) -> None:
            raise error

        failing.__name__ = method
        self.patch(PartFile, method, failing)

    def test_cannot_open(self) -> None:
        """The call goes on, memory is bounded, and the reason is told."""
        self.folder.mkdir()
        (self.folder / "2026").write_bytes(b"in the way")
        call = LineCall(self)
        with capturedLogs() as events:
            call.said_something()
            call.talk(90)
        self.assertLess(call.waiting_bytes(), 16000)
        facts = self.facts(call)
        self.assertEqual(
            (facts["state"], facts["path"], facts["degraded"]), ("failed", None, True)
        )
        self.assertIn("2026", facts["reason"])
        self.assertEqual([event["call_id"] for event in events], ["CA-n1-1"])

    def test_disk_full(self) -> None:
        """What was written before is a whole file; it is said why it ends there."""
        call = LineCall(self)
        call.said_something()
        call.talk(10)
        self.break_file("append", OSError(errno.ENOSPC, "No space left on device"))
        with capturedLogs() as events:
            call.talk(10)
            facts = self.facts(call)
        self.assertEqual(len(events), 1)
        self.assertEqual(facts["state"], "failed")
        self.assertIn("No space left", facts["reason"])
        self.assertEqual(self.names(), ["2026/11/23/n1-1.wav"])
        self.assertEqual(len(self.samples(facts)[0]), facts["duration_ms"] * 8)
        self.assertGreater(facts["duration_ms"], 9000)

    def test_full_at_the_end(self) -> None:
        """An error with the last batch leaves a whole file too."""
        call = LineCall(self)
        call.said_something()
        call.talk(10)
        self.break_file("append", OSError(errno.ENOSPC, "No space left on device"))
        facts = self.facts(call)
        self.assertEqual(facts["state"], "failed")
        self.assertEqual(len(self.samples(facts)[0]), facts["duration_ms"] * 8)

    def test_cannot_finish(self) -> None:
        """A file that cannot be finished stays for the recovery."""
        call = LineCall(self)
        call.said_something()
        call.talk(10)
        self.break_file("_close", OSError(errno.EIO, "Input/output error"))
        facts = self.facts(call)
        self.assertEqual(facts["state"], "failed")
        self.assertEqual(facts["path"][-14:], "/n1-1.wav.part")

    def test_our_own_bug(self) -> None:
        """A bug ends this recording, with a traceback in the log."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        self.break_file("append", ZeroDivisionError("oops"))
        call.talk(2)
        facts = self.facts(call)
        self.assertEqual(facts["reason"], "oops")
        end = read_lines(Path(facts["path"]).with_suffix(".jsonl"))[-1]
        self.assertEqual(end["why"], "failed")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_bug_in_a_visit(self) -> None:
        """A visit that raises ends one recording; the visits go on."""
        broken, other = LineCall(self, "n1-1"), LineCall(self, "n1-2")
        for call in (broken, other):
            call.said_something()
        broken.tracks.notes.append(None)  # type: ignore[arg-type]
        other.talk(2)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        broken.tracks.notes.clear()
        self.assertEqual(self.facts(broken)["state"], "failed")
        self.assertEqual(self.facts(other)["duration_ms"], 2000)


class ServiceTests(LocalTestCase):
    """The service round the recordings."""

    def test_interfaces(self) -> None:
        """It is a service and an observer of calls."""
        observer: CallObserver = self.recordings
        self.assertTrue(verifyObject(IService, observer))

    def test_ready_before_the_first_call(self) -> None:
        """Who writes makes ready in a thread when the service starts."""
        parts = PartsHere()
        asked = list[str]()
        self.patch(parts, "start", lambda: asked.append("start"))
        recordings = LocalRecordings(self.clock, self.folder, self.thread.defer, parts)
        self.thread.stalled = True
        recordings.startService()
        self.assertEqual(asked, [])
        self.thread.go_on()
        self.assertEqual(asked, ["start"])

    def test_late(self) -> None:
        """When the reactor comes late all visits are made once, with looks between."""
        looks = list[None]()
        recordings = LocalRecordings(
            self.clock,
            self.folder,
            self.thread.defer,
            PartsHere(),
            look=lambda: looks.append(None),
        )
        recordings.startService()
        self.clock.advance(0.25)
        self.assertEqual(len(looks), 14)
        self.clock.advance(5)
        self.assertEqual(len(looks), 14 + 42)

    def test_stop_when_idle(self) -> None:
        """Without calls it stops at once, and leaves no delayed call."""
        self.successResultOf(self.recordings.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_waits(self) -> None:
        """It goes on recording until the last call ended and its file is whole."""
        call = LineCall(self)
        call.said_something()
        call.talk(1)
        stopped = self.recordings.stopService()
        call.talk(1)
        self.assertNoResult(stopped)
        self.thread.stalled = True
        ended = call.end()
        self.assertNoResult(stopped)
        self.thread.go_on()
        self.successResultOf(stopped)
        facts: Any = self.successResultOf(ended)["recording"]
        self.assertEqual(facts["duration_ms"], 2000)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_visits_that_end(self) -> None:
        """A fault of the visits themselves is logged; calls and the stop go on."""

        def fail(recording: Recording, *args: object) -> None:
            raise ZeroDivisionError

        call = LineCall(self)
        call.said_something()
        self.patch(Recording, "turn", fail)
        self.patch(Recording, "broke", fail)
        call.talk(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        facts: Any = self.successResultOf(call.end())["recording"]
        self.assertEqual(facts["duration_ms"], 1000)
        self.successResultOf(self.recordings.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_recovery(self) -> None:
        """What a dead process left is finished when the service starts."""
        self.successResultOf(self.recordings.stopService())
        call = LineCall(self)
        call.said_something()
        part = self.folder / "2026/11/23/n1-1.wav.part"
        content = part.read_bytes()
        self.successResultOf(call.end())
        part.write_bytes(content + WELCOME)
        self.recordings.startService()
        self.assertEqual(self.thread.done[-1], "recover")
        self.assertEqual(self.names(), ["2026/11/23/n1-1-2.wav", "2026/11/23/n1-1.wav"])

    def test_seen_off_later(self) -> None:
        """A recording ends where its call did, whenever somebody comes to finish it."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        call.tracks.ended_us = 2_000_000
        self.clock.pump([0.017] * 42)
        self.assertEqual(self.facts(call)["duration_ms"], 2000)


class SealedTests(LocalTestCase):
    """A service with a key."""

    key = b"0123456789abcdef"

    def test_sealed(self) -> None:
        """The call's record has the chain and the seal that the sidecar has."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        facts = self.facts(call)
        end = read_lines(Path(facts["path"]).with_suffix(".jsonl"))[-1]
        self.assertEqual((facts["chain"], facts["seal"]), (end["chain"], end["seal"]))
        self.assertEqual(facts["seal"], sealed(facts["chain"], b"0123456789abcdef"))


class EncryptedTests(LocalTestCase):
    """A service that encrypts."""

    encryption_key = bytes(range(32))

    def test_encrypted(self) -> None:
        """The call's record says where the encrypted file is; its sidecar is plain."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        facts = self.facts(call)
        path = Path(facts["path"])
        self.assertEqual((facts["state"], path.name), ("done", "n1-1.vault"))
        self.assertEqual(self.names(), [])
        samples = read_wav(path, opener(self.encryption_key)).samples
        self.assertEqual(set(samples[:8000, 0].tolist()), {LOUD})
        self.assertEqual(read_lines(path.with_suffix(".jsonl"))[-1]["why"], "ended")
