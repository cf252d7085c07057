"""Tests of pauses: what must not be recorded is in no file, at any moment."""

from __future__ import annotations

import json
import random
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import execute
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import RecordingWish
from twistedvoice.realtime.tracks import Note
from twistedvoice.recording.local import LocalRecordings
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.parts import PartsHere
from twistedvoice.recording.pauses import outside, paused_spans
from twistedvoice.recording.recovery import recover
from twistedvoice.recording.sidecar import read_lines

from ..calls.doubles import Exchange, Notebook, tone
from .test_local import HELLO, LOUD, LOW, WELCOME, LineCall, LocalTestCase

#: What must be found nowhere: it is neither silence, nor text, nor said otherwise.
SECRET = 0xB3
#: Samples of the caller that are still silent after a resume.
ON_ITS_WAY = 320


def files_with(folder: Path, byte: int) -> set[str]:
    """:returns: what in a folder has a millisecond of sound of this byte."""
    found = set()
    for path in folder.rglob("*.wav*"):
        sound = path.read_bytes()[58:]
        if any(bytes([byte] * 8) in sound[side::2] for side in (0, 1)):
            found.add(path.name)
    for path in folder.rglob("*.jsonl*"):
        for line in path.read_bytes().splitlines():
            if byte in b64decode(json.loads(line).get("sound", "")):
                found.add(path.name)
    return found


class PauseTests(LocalTestCase):
    """A recording is paused."""

    def setUp(self) -> None:
        super().setUp()
        self.call = LineCall(self)

    def lines(self, facts: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
        """:returns: the lines of these kinds in the finished sidecar."""
        sidecar = read_lines(Path(facts["path"]).with_suffix(".jsonl"))
        return [line for line in sidecar if line["kind"] in kinds]

    def frame(self, at_ms: int) -> None:
        """A frame of the caller comes that has this stamp."""
        self.call.tracks.heard.add(at_ms, HELLO)

    def test_pause(self) -> None:
        """From the pause to the resume both sides are silent, and time goes on."""
        self.call.said_something()
        self.call.talk(1.5)
        self.call.ask("pause")
        self.call.talk(1)
        self.call.ask("resume")
        self.call.talk(1)
        facts = self.facts(self.call)
        caller, service = self.samples(facts)
        self.assertEqual(service, [LOW] * 12000 + [0] * 8000 + [LOW] * 8000)
        rest = [0] * ON_ITS_WAY + [LOUD] * (8000 - ON_ITS_WAY)
        self.assertEqual(caller, [LOUD] * 12000 + [0] * 8000 + rest)
        self.assertEqual((facts["paused_ms"], facts["duration_ms"]), (1000, 3500))
        self.assertEqual((facts["degraded"], facts["late_frames"]), (False, 0))
        self.assertEqual(
            self.lines(facts, "pause", "resume", "gap"),
            [{"kind": "pause", "at": 1500.0}, {"kind": "resume", "at": 2500.0}],
        )

    def test_within_a_batch(self) -> None:
        """However short it is, both sides are silent in it."""
        self.call.said_something()
        self.call.talk(1.5)
        self.call.ask("pause")
        self.call.talk(0.04)
        self.call.ask("resume")
        self.call.talk(1)
        facts = self.facts(self.call)
        caller, service = self.samples(facts)
        self.assertEqual(service, [LOW] * 12000 + [0] * 320 + [LOW] * 8000)
        rest = [0] * ON_ITS_WAY + [LOUD] * (8000 - ON_ITS_WAY)
        self.assertEqual(caller, [LOUD] * 12000 + [0] * 320 + rest)
        self.assertEqual(
            self.lines(facts, "pause", "resume"),
            [{"kind": "pause", "at": 1500.0}, {"kind": "resume", "at": 1540.0}],
        )

    def test_within_frames(self) -> None:
        """What was played up to the pause stays, to the sample; so after the resume."""
        self.call.said_something()
        for n in range(100):
            self.call.tracks.played.add(n * 20_000, WELCOME)
        self.clock.advance(0.507)
        self.call.ask("pause")
        self.clock.advance(0.506)
        self.call.ask("resume")
        self.clock.advance(1)
        _, service = self.samples(self.facts(self.call))
        self.assertEqual(service[:4056], [LOW] * 4056)
        self.assertEqual(service[4056:8104], [0] * 4048)
        self.assertEqual(service[8104:16000], [LOW] * 7896)

    def test_twice(self) -> None:
        """To pause or to resume once more changes nothing."""
        self.call.said_something()
        wishes: list[RecordingWish] = ["resume", "pause", "pause", "resume", "resume"]
        for wish in wishes:
            self.call.ask(wish)
            self.call.talk(0.5)
        facts = self.facts(self.call)
        self.assertEqual(facts["paused_ms"], 1000)
        self.assertEqual(self.samples(facts)[1][3999:12001], [LOW, *[0] * 8000, LOW])
        self.assertEqual(len(self.lines(facts, "pause", "resume")), 2)

    def test_until_the_end(self) -> None:
        """A call that ends in a pause is silent up to its end."""
        self.call.said_something()
        self.call.talk(1)
        self.call.ask("pause")
        self.call.talk(1)
        facts = self.facts(self.call)
        for side, loud in zip(self.samples(facts), (LOUD, LOW), strict=True):
            self.assertEqual(side, [loud] * 8000 + [0] * 8000)
        self.assertEqual(facts["paused_ms"], 1000)

    def test_before_the_beginning(self) -> None:
        """A pause before anything was said holds when the recording begins."""
        self.call.ask("pause")
        self.call.talk(1, us=False)
        self.call.said_something()
        self.call.talk(1)
        self.call.ask("resume")
        self.call.talk(1)
        _, service = self.samples(self.facts(self.call))
        self.assertEqual(service, [0] * 16000 + [LOW] * 8000)

    def test_on_its_way(self) -> None:
        """The caller's sound that comes too late is silent, by its time or ours."""
        self.call.said_something()
        self.call.talk(1)
        self.call.talk(0.5, caller=False)
        self.call.ask("pause")
        for at_ms in range(1000, 1400, 20):
            self.frame(at_ms)
        self.call.talk(1, caller=False)
        self.call.ask("resume")
        for at_ms in range(1400, 2500, 20):
            self.frame(at_ms)
        self.call.talk(1)
        facts = self.facts(self.call)
        caller, _ = self.samples(facts)
        self.assertEqual(caller[:8000], [LOUD] * 8000)
        self.assertEqual(set(caller[8000:11200]), {0})
        # These were said before it, and came after it.
        self.assertEqual(set(caller[11200:12000]), {LOUD})
        self.assertEqual(set(caller[12000 : 20000 + ON_ITS_WAY]), {0})
        self.assertEqual(set(caller[20000 + ON_ITS_WAY :]), {LOUD})

    def mark(self, from_ms: int, until_ms: int) -> None:
        """The mark after what was said by our clock from here to there comes back."""
        start_us, now_us = self.call.record.started_us, self.clock.seconds() * 1e6
        heard = len(self.call.tracks.heard)
        span_us = (start_us + from_ms * 1000, start_us + until_ms * 1000)
        self.call.tracks.notes.append(Note("played", int(now_us), heard, *span_us))

    def test_heard_in_it(self) -> None:
        """What was said before, and is known to be heard in a pause, is silence."""
        self.call.said_something()
        self.call.talk(0.3)
        self.call.talk(0.2, us=False)
        self.mark(0, 300)
        self.call.talk(0.5, us=False)
        self.call.talk(1)
        self.call.ask("pause")
        self.call.talk(2, us=False)
        (part,) = self.folder.rglob("*.wav.part")
        written = read_wav(part).samples[16_000:, 1].tolist()
        self.assertEqual((set(written), len(written) > 4000), ({0}, True))
        _, service = self.samples(self.facts(self.call))
        said = [0] * 1600 + [LOW] * 2400 + [0] * 5600 + [LOW] * 6400
        self.assertEqual(service, said + [0] * 16_000)

    def test_moved_into_it(self) -> None:
        """What was said before, but turns out to be heard in a pause, is silence."""
        self.call.said_something()
        self.call.talk(1.3)
        self.call.ask("pause")
        self.call.talk(0.2, us=False)
        # The mark says that the last of it was heard 200 ms later than our clock said.
        self.mark(0, 1300)
        self.call.talk(1, us=False)
        facts = self.facts(self.call)
        _, service = self.samples(facts)
        self.assertEqual(service, [0] * 1600 + [LOW] * 8800 + [0] * 9600)

    def test_given_up(self) -> None:
        """A disk that stalls too long mixes up nothing of a pause."""
        self.call.said_something()
        self.call.talk(1)
        self.thread.stalled = True
        self.call.talk(70)
        self.call.ask("pause")
        # Of long ago: it goes before those that it came after.
        self.frame(5000)
        self.call.talk(10)
        self.call.ask("resume")
        self.call.talk(10)
        self.thread.go_on()
        facts = self.facts(self.call)
        caller, service = self.samples(facts)
        self.assertEqual(set(caller[40 * 8000 : 71 * 8000]), {LOUD})
        self.assertEqual(set(caller[81 * 8000 + ON_ITS_WAY :]), {LOUD})
        self.assertEqual(set(caller[71 * 8000 : 81 * 8000 + ON_ITS_WAY]), {0})
        self.assertEqual(set(service[71 * 8000 : 81 * 8000]), {0})
        self.assertEqual(facts["paused_ms"], 10_000)

    def test_given_up_within_a_payload(self) -> None:
        """So too when half of what the carrier sent in one piece is given up."""
        self.call.said_something()
        self.call.talk(1)
        self.thread.stalled = True
        self.call.talk(1, caller=False)
        self.call.tracks.heard.add(2000, HELLO * 50)
        self.call.talk(59, caller=False)
        self.call.ask("pause")
        for number in range(100):
            self.clock.advance(0.02)
            # Late: without the pause it would lie before it.
            self.frame(60_000 + number * 20)
        self.call.ask("resume")
        self.call.talk(1, caller=False)
        self.thread.go_on()
        caller, _ = self.samples(self.facts(self.call))
        self.assertEqual(set(caller[3 * 8000 :]), {0})

    def test_no_gap(self) -> None:
        """Where nothing came in a pause nothing is missing; around it something is."""
        self.call.said_something()
        self.call.talk(1)
        self.call.talk(0.5, caller=False)
        self.call.ask("pause")
        self.call.talk(1, caller=False)
        self.call.ask("resume")
        self.call.talk(0.5, caller=False)
        self.call.talk(0.5)
        found = self.lines(self.facts(self.call), "gap")
        self.assertEqual(
            [(gap["at"], gap["ms"]) for gap in found], [(1000, 500), (2540, 460)]
        )

    def test_crash(self) -> None:
        """What is rebuilt after a crash in a pause is silent there."""
        self.call.said_something()
        self.call.talk(1)
        self.call.ask("pause")
        self.call.talk(2)
        crashed = Path(self.mktemp())
        shutil.copytree(self.folder, crashed)
        (path,) = recover(crashed)
        samples = read_wav(path).samples
        self.assertGreater(len(samples), 2 * 8000)
        self.assertEqual(set(samples[:8000, 0].tolist()), {LOUD})
        self.assertEqual(set(samples[8000:].ravel().tolist()), {0})
        lines = read_lines(path.with_suffix(".jsonl"))
        self.assertIn({"kind": "pause", "at": 1000.0}, lines)


class WriterTests(SynchronousTestCase):
    """The process that writes a paused recording dies."""

    def batch(self, number: int, kind: str = "") -> Batch:
        """:returns: both sides of a tenth of a second, which may begin with a note."""
        at_ms = number * 100
        frames = range(at_ms, at_ms + 100, 20)
        return Batch(
            heard=[(at, HELLO) for at in frames],
            played=[(at * 1000, WELCOME) for at in frames],
            until_us=at_ms * 1000 + 100_000,
            notes=[Note(kind, at_ms * 1000, 0)] if kind else [],
        )

    def test_goes_on(self) -> None:
        """Another one knows where it was paused, and that it still is."""
        path = Path(self.mktemp()) / "call.wav"
        part = PartFile(path, MULAW_8K)
        part.open()
        kinds = {2: "pause", 4: "resume", 6: "pause", 9: "resume"}
        for number in range(12):
            part.append(self.batch(number, kinds.get(number, "")))
            # It dies after each.
            assert part._lock is not None
            part._lock.close()
            part = PartFile(path, MULAW_8K)
            part.resume(opened=True)
            self.assertEqual(part.batches, number + 1)
        # Of the first pause, though long past.
        part.append(Batch([(at, HELLO) for at in range(200, 400, 20)], [], 1_200_000))
        part.finish(Batch([], [], 1_200_000))
        samples = read_wav(path).samples
        service = [LOW] * 1600 + [0] * 1600 + [LOW] * 1600 + [0] * 2400 + [LOW] * 2400
        self.assertEqual(samples[:, 1].tolist(), service)
        for start, end in ((1600, 3200), (4800, 7200)):
            caller = samples[start : end + ON_ITS_WAY, 0]
            self.assertEqual(set(caller.tolist()), {0})
        rate, lines = MULAW_8K.rate, read_lines(path.with_suffix(".jsonl"))
        self.assertEqual(paused_spans(lines, rate), [(1600, 3200), (4800, 7200)])


class Story:
    """A call with pauses known beforehand, and a network that is not kind."""

    def __init__(
        self, case: LocalTestCase, pauses: list[tuple[int, int]], seed: int
    ) -> None:
        self.case = case
        self.chance = random.Random(seed)
        self.call = LineCall(case)
        #: From and until, in milliseconds.
        self.pauses = list[tuple[int, int]]()
        for after, length in pauses:
            start = (self.pauses[-1][1] if self.pauses else 0) + after
            self.pauses.append((start, start + length))
        self.end_ms = (self.pauses[-1][1] if self.pauses else 0) + 1500
        #: When our sound is heard later than our clock says.
        self.delay_ms = self.chance.choice([0, 60, 300, 700])
        #: Frames on their way: when they come, and their stamps.
        self.coming = list[tuple[int, int]]()
        #: Marks on their way: when they come, and what they say.
        self.marks = list[tuple[int, int, int]]()
        self.said_until = self.said_from = 0
        #: Files that had the secret at any time.
        self.found = set[str]()

    def is_paused(self, at_ms: float) -> bool:
        return any(start <= at_ms < end for start, end in self.pauses)

    def sound(self, at_ms: int, other: bytes, *, late_ms: float | None = None) -> bytes:
        """:returns: a frame, with the secret where it must not be recorded."""
        if late_ms is not None and self.is_paused(late_ms):
            return bytes([SECRET]) * 160
        return b"".join(
            bytes([SECRET]) if self.is_paused(at_ms + n / 8) else other[:1]
            for n in range(160)
        )

    def run(self) -> dict[str, Any]:
        """:returns: the facts at the end of the call."""
        self.call.said_something()
        for now_ms in range(self.end_ms):
            for start, end in self.pauses:
                if now_ms in (start, end):
                    self.call.ask("pause" if now_ms == start else "resume")
            self.step(now_ms)
            self.case.clock.advance(0.001)
            if now_ms % 250 == 0:
                self.look()
        facts = self.case.facts(self.call)
        self.look()
        return facts

    def step(self, now_ms: int) -> None:
        """Let happen what happens in this millisecond."""
        tracks, chance = self.call.tracks, self.chance
        if now_ms % 20 == 0:
            late = chance.choice([0] * 8 + [30, 90, 400, 1200])
            self.coming.append((now_ms + 20 + late, now_ms))
            if chance.random() < 0.9:
                self.say(now_ms)
        for come_ms, at_ms in [each for each in self.coming if each[0] == now_ms]:
            tracks.heard.add(at_ms, self.sound(at_ms, HELLO, late_ms=come_ms))
        for mark in [each for each in self.marks if each[0] == now_ms]:
            tracks.notes.append(self.note("played", now_ms, *mark[1:]))
        if chance.random() < 0.0005:
            tracks.played.cut(now_ms * 1000)
            tracks.notes.append(self.note("clear", now_ms))
            self.said_until = now_ms
            self.marks.clear()

    def say(self, now_ms: int) -> None:
        """Send frames up to a lead; now and then an utterance ends."""
        if self.said_until < now_ms:
            self.said_until = self.said_from = now_ms
        while self.said_until < now_ms + 100:
            sound = self.sound(self.said_until, WELCOME)
            self.call.tracks.played.add(self.said_until * 1000, sound)
            self.said_until += 20
        if self.chance.random() < 0.05 and self.said_until > self.said_from:
            mark = (self.said_until + self.delay_ms, self.said_from, self.said_until)
            self.marks.append(mark)
            self.said_from = self.said_until

    def note(self, kind: str, now_ms: int, *span_ms: int) -> Note:
        start_us = self.call.record.started_us
        times = [start_us + each * 1000 for each in span_ms]
        at_us = start_us + now_ms * 1000
        return Note(kind, at_us, len(self.call.tracks.heard), *times)

    def look(self) -> None:
        self.found |= files_with(self.case.folder, SECRET)


class SecretTests(SynchronousTestCase):
    """Whatever happens."""

    def story(self, pauses: list[tuple[int, int]], seed: int) -> Story:
        """:returns: a call that will be paused so."""
        case = LocalTestCase()
        case.setUp()
        return Story(case, pauses, seed)

    @settings(deadline=None, max_examples=12)
    @given(
        pauses=st.lists(
            st.tuples(st.integers(1, 900), st.integers(1, 900)), min_size=1, max_size=3
        ),
        seed=st.integers(0, 2**32),
    )
    def test_nowhere(self, pauses: list[tuple[int, int]], seed: int) -> None:
        """No file has ever any of it, and the recording is as long as the call."""
        story = self.story(pauses, seed)
        facts = story.run()
        self.assertEqual(story.found, set())
        lasted = sum(map(sum, pauses)) + 1500
        self.assertEqual(facts["duration_ms"], lasted)
        self.assertEqual(facts["paused_ms"], sum(length for _, length in pauses))

    def test_would_be_found(self) -> None:
        """Without the pauses it is in the sound, and in the journal before that."""
        self.patch(LineCall, "ask", lambda *args: None)
        story = self.story([(300, 900)], 5)
        story.run()
        names = {"n1-1.wav.part", "n1-1.jsonl.part", "n1-1.wav"}
        self.assertEqual(story.found, names)


class DigitTests(SynchronousTestCase):
    """The keys that a caller presses."""

    def left_of(self, keys: str) -> tuple[dict[str, bytes], list[dict[str, object]]]:
        """:returns: all files and CDRs of a call in which these keys were pressed."""
        clock, agent, folder = Clock(), Notebook(), Path(self.mktemp())
        recordings = LocalRecordings(clock, folder, execute, PartsHere())
        exchange = Exchange(agent=lambda: agent, clock=clock, observers=(recordings,))
        recordings.startService()
        line = exchange.dial()
        agent.call.say(tone(500))
        for key in keys:
            line.sound()
            exchange.advance(0.2)
            line.press(key)
            agent.call.pause_recording()
        line.stop()
        self.assertEqual("".join(e[1] for e in agent.events if e[0] == "digit"), keys)
        self.successResultOf(recordings.stopService())
        files = {path.name: path.read_bytes() for path in folder.rglob("*.*")}
        for cdr in exchange.cdrs:
            cdr["recording"] = {
                **cast("dict[str, object]", cdr["recording"]),
                "path": "",
            }
        return files, exchange.cdrs

    def test_stored_nowhere(self) -> None:
        """What was pressed makes no difference to anything that is kept."""
        files, cdrs = self.left_of("49290*#")
        self.assertLessEqual({"session-1.jsonl", "session-1.wav"}, set(files))
        self.assertEqual(len(cdrs), 1)
        self.assertEqual(self.left_of("1111111"), (files, cdrs))


class SpansTests(SynchronousTestCase):
    """Spans of time."""

    def test_outside(self) -> None:
        """What lies outside of spans is left, in pieces."""
        spans = [(10, 20), (30, 40), (38, 50)]
        self.assertEqual(list(outside(0, 60, spans)), [(0, 10), (20, 30), (50, 60)])
        self.assertEqual(list(outside(12, 18, spans)), [])
        self.assertEqual(list(outside(21, 29, spans)), [(21, 29)])
        self.assertEqual(list(outside(35, 45, spans)), [])

    def test_of_a_journal(self) -> None:
        """A pause without an end lasts; an end without a pause is none."""
        lines = [
            {"kind": kind, "at": at}
            for kind, at in (
                ("resume", 1), ("pause", 10.125), ("said", 15), ("resume", 20),
                ("pause", 30),
            )
        ]  # fmt: skip
        (closed, (start, end)) = paused_spans(lines, 8000)
        self.assertEqual(closed, (81, 160))
        self.assertEqual(start, 240)
        self.assertGreater(end, 10**12)
