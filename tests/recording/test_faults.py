"""The fault table of docs/recording, a test for each row: what was lost."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

import twistedvoice
from tests.calls.doubles import EPOCH, FROM_NUMBER, TO_NUMBER, Exchange, Notebook, tone
from twistedvoice.audio.wav import read_wav
from twistedvoice.recording.local import LocalRecordings
from twistedvoice.recording.parts import PartsHere
from twistedvoice.recording.pulse import Pulse
from twistedvoice.recording.recovery import recover
from twistedvoice.recording.settle import Settled, settle
from twistedvoice.recording.sidecar import journal_path, read_lines
from twistedvoice.recording.vault import opener
from twistedvoice.store.sqlite import SqliteStore

from .left import leave
from .test_carrier_side import World
from .test_local import LOUD, LOW, LineCall, LocalTestCase, Thread
from .twilio_api import HANG

reactor: Any = global_reactor

#: Records ten seconds in a process of its own, as the service does, and then ...
RECORDS = """
import os, resource, signal, sys
from tests.recording.test_local import LineCall, LocalTestCase
case = LocalTestCase()
case.mktemp = lambda: sys.argv[1]
case.encryption_key = bytes.fromhex(sys.argv[2]) or None
case.setUp()
call = LineCall(case)
call.said_something()
"""
#: ... is killed.
KILLED = """
call.talk(10)
os.kill(os.getpid(), signal.SIGKILL)
"""
#: ... has no room for more than five of them; and the call goes on.
FULL = """
resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, resource.RLIM_INFINITY))
call.talk(10)
facts = []
call.end().addCallback(facts.append)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
import json
print(json.dumps([facts[0]["recording"], dict(case.recordings.counts)]))
"""


def run(
    script: str, folder: Path, key: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of the above."""
    words = [RECORDS + script, str(folder.absolute()), (key or b"").hex()]
    return subprocess.run(
        [sys.executable, "-c", *words],
        env={**os.environ, "PYTHONPATH": str(Path(twistedvoice.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )


class DeathTests(SynchronousTestCase):
    """``kill -9``, and a power cut."""

    #: What recordings are encrypted with.
    encryption_key: bytes | None = None

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())

    def assert_recovered(self, seconds: float) -> None:
        """All but the last second is there, both sides, each in its place."""
        (path,) = recover(self.folder, None, self.encryption_key)
        samples = read_wav(path, opener(self.encryption_key)).samples
        self.assertGreaterEqual(len(samples), (seconds - 1) * 8000)
        whole = samples[: round((seconds - 1) * 8000)]
        self.assertEqual(set(whole[:, 0].tolist()), {LOUD})
        self.assertEqual(set(whole[:, 1].tolist()), {LOW})
        self.assertEqual(read_lines(path.with_suffix(".jsonl"))[-1]["why"], "recovered")

    def test_kill(self) -> None:
        """A killed process loses less than the last second."""
        killed = run(KILLED, self.folder, self.encryption_key)
        self.assertEqual(killed.returncode, -9, killed.stderr)
        self.assert_recovered(10)

    def test_power_cut(self) -> None:
        """With ``second``, what reached the disk is all but the last second."""
        self.assert_recovered(self.record_until_power_cut())

    def test_power_cut_with_junk(self) -> None:
        """Where the file grew but its sound never arrived, nothing is made up."""
        seconds = self.record_until_power_cut()
        (part,) = {*self.folder.rglob("*.part")} - {*self.folder.rglob("*.jsonl.part")}
        with part.open("ab") as file:
            file.write(bytes(20_000))
        self.assert_recovered(seconds)

    def record_until_power_cut(self) -> float:
        """
        Record for a while; then only what was flushed is left.

        :returns: how long the call had lasted.
        """
        clock, flushed = Clock(), dict[str, bytes]()

        def fsync(descriptor: int) -> None:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            flushed[path] = Path(path).read_bytes()

        patch = self.patch(os, "fsync", fsync)
        case = LocalTestCase()
        case.clock = clock
        case.recordings = LocalRecordings(
            clock, self.folder, execute, PartsHere(), fsync="second",
            encryption_key=self.encryption_key,
        )  # fmt: skip
        case.recordings.startService()
        call = LineCall(case)
        call.said_something()
        call.talk(7.3)
        patch.restore()
        for path in [*self.folder.rglob("*.part")]:
            path.unlink()
        for name, content in flushed.items():
            Path(name).write_bytes(content)
        return 7.3


class EncryptedDeathTests(DeathTests):
    """The same of a service that encrypts."""

    encryption_key = bytes(range(32))

    def test_power_cut_in_a_page(self) -> None:
        """A page that was half written costs a quarter of a second more."""
        seconds = self.record_until_power_cut()
        (part,) = self.folder.rglob("*.vault.part")
        os.truncate(part, part.stat().st_size - 1)
        self.assert_recovered(seconds - 0.25)


class FullTests(SynchronousTestCase):
    """A disk without room."""

    def test_full(self) -> None:
        """All that found room is there; CDR, sidecar and metric say so."""
        folder = Path(self.mktemp())
        done = run(FULL, folder)
        facts, counts = json.loads(done.stdout or done.stderr)
        self.assertEqual((facts["state"], facts["degraded"]), ("failed", True))
        self.assertEqual((counts["failed"], counts["degraded"]), (1, 1))
        (path,) = folder.rglob("*.wav")
        samples = read_wav(path).samples
        self.assertEqual(len(samples), (80_000 - 58) // 2)
        self.assertEqual(set(samples[:, 0].tolist()), {LOUD})
        end = read_lines(path.with_suffix(".jsonl"))[-1]
        self.assertEqual((end["why"], end["at"]), ("full", len(samples) / 8))
        self.assertTrue(end["degraded"])


class StalledTests(LocalTestCase):
    """A disk that does not answer for a while."""

    def test_ten_seconds(self) -> None:
        """Nothing is lost in ten seconds."""
        facts = self.stall(10)
        end = read_lines(Path(facts["path"]).with_suffix(".jsonl"))[-1]
        self.assertEqual((end["why"], end["degraded"]), ("ended", False))
        self.assertEqual((facts["degraded"], facts["lost"]), (False, []))
        self.assertEqual(self.samples(facts), ([LOUD] * 104_000, [LOW] * 104_000))

    def test_too_long(self) -> None:
        """Later sound gives way; silence keeps its time, and it is said where."""
        facts = self.stall(90)
        self.assertTrue(facts["degraded"])
        (lost,) = facts["lost"]
        self.assertGreater(lost["ms"], 28_000)
        caller, service = self.samples(facts)
        self.assertEqual(len(caller), 93 * 8000 + 8000)
        first, last = lost["at"] * 8 + 8000, (lost["at"] + lost["ms"]) * 8 - 8000
        self.assertEqual(set(caller[first:last]) | set(service[first:last]), {0})
        self.assertEqual(set(caller[: first - 16000]), {LOUD})
        self.assertEqual(set(caller[last + 16000 :]), {LOUD})
        sidecar = Path(facts["path"]).with_suffix(".jsonl")
        self.assertTrue(read_lines(sidecar)[-1]["degraded"])
        told = [line for line in read_lines(sidecar) if line["kind"] == "lost"]
        self.assertEqual([line["at"] for line in told][:1], [lost["at"]])
        self.assertEqual(self.recordings.counts, {"done": 1, "degraded": 1})

    def test_many_calls(self) -> None:
        """All calls share what may wait, down to a least for each."""
        self.patch(
            sys.modules[LocalRecordings.__module__], "_ALL_WAITING_US", 40_000_000
        )
        calls = [LineCall(self, f"n1-{number}") for number in range(2)]
        for call in calls:
            call.said_something()
        self.thread.stalled = True
        for _ in range(30):
            calls[0].talk(1)
        self.assertLess(calls[0].waiting_bytes(), 21 * 16_000)
        self.assertGreater(calls[0].waiting_bytes(), 19 * 16_000)
        self.thread.go_on()
        for call in calls:
            self.facts(call)

    def stall(self, seconds: int) -> dict[str, Any]:
        """:returns: what is said of a recording whose disk stalled for so long."""
        call = LineCall(self)
        call.said_something()
        call.talk(2)
        self.thread.stalled = True
        call.talk(seconds)
        self.thread.go_on()
        call.talk(2 if seconds > 10 else 1)
        return self.facts(call)


class NobodyAnswers(PartsHere):
    """Hangs with its thread until it is seen that nobody answers."""

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        ours, self._silent = socket.socketpair()
        self._pulse = Pulse(ours)

    def watch(self) -> None:
        """Let another one go on when this one hangs."""
        if self._pulse.beat():
            self.thread.go_on()

    def stop(self) -> None:
        """Close what it has open."""
        self._pulse.close()
        self._silent.close()


class HungWriterTests(LocalTestCase):
    """The writer process is there and does nothing."""

    def test_hangs(self) -> None:
        """After 16 seconds another goes on, and what waited in memory is not lost."""
        self.successResultOf(self.recordings.stopService())
        self.recordings = LocalRecordings(
            self.clock, self.folder, self.thread.defer, NobodyAnswers(self.thread)
        )
        self.recordings.startService()
        call = LineCall(self)
        call.said_something()
        self.thread.stalled = True
        call.talk(14.5)
        self.assertTrue(self.thread.stalled)
        call.talk(2)
        self.assertFalse(self.thread.stalled)
        facts = self.facts(call)
        self.assertEqual((facts["degraded"], facts["lost"]), (False, []))
        self.assertEqual(facts["duration_ms"], 16_500)
        self.successResultOf(self.recordings.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WallClockTests(SynchronousTestCase):
    """The wall clock is set while a call lasts."""

    def test_step(self) -> None:
        """Nothing moves; and no number is written beside the sound."""
        clock, folder, agent = Clock(), Path(self.mktemp()), Notebook()
        recordings = LocalRecordings(clock, folder, execute, PartsHere())
        exchange = Exchange(agent=lambda: agent, clock=clock, observers=(recordings,))
        recordings.startService()
        line = exchange.dial()
        (call,) = exchange.switchboard
        call.voice.say(tone(4000))
        for second in range(6):
            for _ in range(50):
                exchange.advance(0.02)
                line.sound()
            exchange.services.wall = partial(float, EPOCH - 3600.0 * second)
        line.press("7")
        line.stop()
        (path,) = folder.rglob("*.wav")
        self.assertEqual(path.parent, folder / "2023" / "11" / "14")
        samples = read_wav(path).samples
        self.assertEqual(len(samples), 6 * 8000)
        # One byte in 127 of the tone is as good as silence.
        self.assertGreater((samples[:, 0] != 0).sum(), 5.9 * 8000)
        self.assertGreater((samples[:, 1] != 0).sum(), 3.9 * 8000)
        sidecar = path.with_suffix(".jsonl").read_text()
        for secret in (FROM_NUMBER, TO_NUMBER, "digit"):
            self.assertNotIn(secret, sidecar)
        self.successResultOf(recordings.stopService())


class HungTests(SynchronousTestCase):
    """The carrier's recording API never answers."""

    def test_hung(self) -> None:
        """The recording here is whole at once; the call's record waits ten seconds."""
        world = World(*[HANG] * 20)
        folder, agent = Path(self.mktemp()), Notebook()
        local = LocalRecordings(world.clock, folder, execute, PartsHere())
        exchange = Exchange(agent=lambda: agent, clock=world.clock,
                            observers=(local, world.recordings))  # fmt: skip
        local.startService()
        line = exchange.dial()
        (call,) = exchange.switchboard
        call.voice.say(tone(2000))
        for _ in range(150):
            exchange.advance(0.02)
            line.sound()
        line.stop()
        (path,) = folder.rglob("*.wav")
        self.assertEqual(len(read_wav(path).samples), 3 * 8000)
        self.assertEqual(read_lines(path.with_suffix(".jsonl"))[-1]["why"], "ended")
        self.assertEqual(exchange.cdrs, [])
        exchange.advance(10)
        ((facts, carrier),) = [
            (cdr["recording"], cdr["carrier_recording"]) for cdr in exchange.cdrs
        ]
        assert isinstance(facts, dict) and isinstance(carrier, dict)
        self.assertEqual((facts["state"], facts["degraded"]), ("done", False))
        self.assertEqual(
            (carrier["state"], carrier["reason"]), ("failed", "unanswered")
        )
        self.assertEqual(world.counts[0], 1)


class LockedTests(TestCase):
    """Somebody holds the database."""

    async def test_locked(self) -> None:
        """The recording is whole before the record of the call is kept."""
        folder = Path(self.mktemp())
        folder.mkdir()
        store = SqliteStore(str(folder / "store"), reactor)
        await store.add_cdr("n1-0", {})
        with sqlite3.connect(folder / "store", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            kept = store.add_cdr("n1-1", {"recording": "n1-1.wav"})
            part = leave(folder / "n1-1.wav")
            settled = await _in_thread(part)
            self.assertEqual(len(read_wav(settled.path).samples), 24_000)
            self.assertFalse(kept.called)
            other.execute("ROLLBACK")
        other.close()
        await kept
        self.assertEqual([dict(cdr) for cdr in await store.cdrs(limit=1)],
                         [{"recording": "n1-1.wav"}])  # fmt: skip
        await store.close()
        self.assertFalse(journal_path(part).exists())


def _in_thread(part: Path) -> Deferred[Settled]:
    return deferToThread(settle, part, "ended", check=False, sync=True)
