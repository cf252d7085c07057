"""The writer process: the contract of parts, and what it survives."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from select import select
from threading import Thread

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.process import WriterProcess
from twistedvoice.recording.pulse import MOST_UNANSWERED
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.recording.vault import opener

from ..recording.parts_contract import HELLO, LOUD, LOW, WELCOME, PartsContract

ENVIRON = {"PYTHONPATH": str(Path(twistedvoice.__file__).parents[1])}

#: Has a process wait for a pipe where it would wait for the disk.
STALLS = """
import os
os.fsync = lambda descriptor: open(os.environ["STALL"]).read()
"""


def half_a_second(number: int) -> Batch:
    """:returns: what both sides said; the caller's is known 0.2 seconds ahead."""
    start, ahead = number * 500, 200 if number else 0
    heard = [(at, HELLO) for at in range(start + ahead, start + 700, 20)]
    played = [(at * 1000, WELCOME) for at in range(start, start + 500, 20)]
    return Batch(heard, played, (start + 500) * 1000, (start + 700) * 1000)


class WriterProcessTests(PartsContract, SynchronousTestCase):
    """Real processes."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.pauses = list[float]()
        self.parts = self.writer = WriterProcess(ENVIRON, self.pauses.append, lines=2)
        self.addCleanup(self.writer.stop)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process, which is there."""
        pid = self.writer.pid
        assert pid is not None
        os.kill(pid, number)

    def test_killed(self) -> None:
        """Another process goes on; what the first one held is silence, and is told."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        part.append(half_a_second(0))
        first = self.writer.pid
        self.kill()
        with capturedLogs() as logged:
            part.append(half_a_second(1))
        self.assertNotEqual(self.writer.pid, first)
        self.assertEqual(len(logged), 1)
        self.assertEqual(list(part.lost), [(500_000, 700_000)])
        part.finish(half_a_second(2)._replace(until_us=1_700_000))
        samples = read_wav(self.folder / "a.wav").samples
        self.assertEqual(len(samples), 1_700 * 8)
        caller, service = samples[:, 0], samples[:, 1]
        self.assertEqual(set(caller[: 500 * 8].tolist()), {LOUD})
        self.assertEqual(set(caller[500 * 8 : 700 * 8].tolist()), {0})
        self.assertEqual(set(caller[700 * 8 :].tolist()), {LOUD})
        self.assertEqual(set(service[: 1500 * 8].tolist()), {LOW})
        lines = read_lines(self.folder / "a.jsonl")
        self.assertIn({"kind": "lost", "at": 500, "ms": 200}, lines)
        self.assertEqual([n["at"] for n in lines if n["kind"] == "sum"], [0, 1000])
        self.assertTrue(lines[-1]["degraded"])

    def test_hangs(self) -> None:
        """One that hangs is killed; what it held is lost and told, and nothing else."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        part.append(half_a_second(0))
        first = self.writer.pid
        self.kill(signal.SIGSTOP)
        with capturedLogs() as logged:
            for _ in range(MOST_UNANSWERED + 5):
                self.writer.watch()
            part.append(half_a_second(1))
            self.writer.watch()
        self.assertNotEqual(self.writer.pid, first)
        told = [str(event["log_format"]) for event in logged]
        self.assertEqual(["hangs" in each for each in told], [True, False])
        self.assertEqual(list(part.lost), [(500_000, 700_000)])
        part.finish(half_a_second(2))
        self.assertEqual(part.duration_ms, 1_700)

    def test_disk_stalls(self) -> None:
        """One that waits for the disk does not hang, however long."""
        stall = Path(self.mktemp())
        stall.mkdir()
        (stall / "sitecustomize.py").write_text(STALLS)
        path = os.pathsep.join([str(stall.absolute()), ENVIRON["PYTHONPATH"]])
        environ = {"PYTHONPATH": path, "STALL": str((stall / "gate").absolute())}
        writer = WriterProcess(environ, self.pauses.append, lines=1)
        self.addCleanup(writer.stop)
        os.mkfifo(environ["STALL"])
        part = writer.new(self.folder / "a.wav", MULAW_8K, fsync="second")
        part.open()
        first = writer.pid
        batch = half_a_second(0)
        appending = Thread(target=part.append, args=(batch,), daemon=True)
        appending.start()
        for _ in range(3 * MOST_UNANSWERED):
            writer.watch()
            assert writer._running is not None
            # Its answer is there, or it would never come.
            self.assertTrue(select([writer._running._pulse._end], [], [], 20)[0])
        self.assertTrue(appending.is_alive())
        # The disk answers, and does so at once from now on.
        with (stall / "gate").open("w"):
            (stall / "sitecustomize.py").rename(stall / "gate")
        appending.join(20)
        self.assertEqual((writer.pid, part.duration_ms), (first, 500))

    def test_no_descriptors(self) -> None:
        """One that cannot be started now is started a little later."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)

        def pause(seconds: float) -> None:
            self.pauses.append(seconds)
            if seconds:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)

        writer = WriterProcess(ENVIRON, pause, lines=2)
        self.addCleanup(writer.stop)
        part = writer.new(self.folder / "a.wav", MULAW_8K)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        part.open()
        self.assertEqual(self.pauses, [0, 1])

    def test_started_before_it_is_needed(self) -> None:
        """No call waits for the process to start; if it cannot, the first one does."""
        self.writer.start()
        first = self.writer.pid
        self.assertIsNotNone(first)
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        self.assertEqual(self.writer.pid, first)
        later = WriterProcess(ENVIRON, self.pauses.append, lines=1)
        self.addCleanup(later.stop)
        without = self.patch(sys, "executable", "/nonexistent/python")
        later.start()
        without.restore()
        self.assertIsNone(later.pid)
        later.start()
        self.assertIsNotNone(later.pid)

    def test_none_starts_for_a_while(self) -> None:
        """Trouble of some seconds costs no recording."""
        python = sys.executable
        self.addCleanup(setattr, sys, "executable", python)

        def pause(seconds: float) -> None:
            sys.executable = python if seconds == 4 else "/bin/false"

        writer = WriterProcess(ENVIRON, pause, lines=1)
        self.addCleanup(writer.stop)
        part = writer.new(self.folder / "a.wav", MULAW_8K)
        sys.executable = "/bin/false"
        with capturedLogs():
            part.open()
        part.finish(half_a_second(0))
        self.assertEqual(part.duration_ms, 700)

    def test_killed_while_it_encrypts(self) -> None:
        """Another process goes on with what is encrypted, too."""
        key = bytes(range(32))
        part = self.parts.new(self.folder / "a.vault", MULAW_8K, encryption_key=key)
        self.assertNotIn(repr(key), repr(part))
        part.open()
        part.append(half_a_second(0))
        self.kill()
        with capturedLogs():
            part.append(half_a_second(1))
        part.finish(half_a_second(2)._replace(until_us=1_700_000))
        samples = read_wav(self.folder / "a.vault", opener(key)).samples
        self.assertEqual(set(samples[: 1500 * 8, 1].tolist()), {LOW})
        self.assertEqual(set(samples[500 * 8 : 700 * 8, 0].tolist()), {0})

    def test_killed_before_it_is_finished(self) -> None:
        """A call that ends after its writer died is whole but for what that held."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        part.append(half_a_second(0))
        self.kill()
        part.finish(half_a_second(1))
        self.assertEqual(part.path, self.folder / "a.wav")
        self.assertEqual(part.duration_ms, 1200)

    def test_killed_at_once(self) -> None:
        """A file that has nothing yet is made anew."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        self.kill()
        part.finish(half_a_second(0))
        self.assertEqual(part.duration_ms, 700)
        self.assertEqual(list(part.lost), [])

    def test_service_dies(self) -> None:
        """What the service leaves is finished by the process that writes it."""
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        part.open()
        part.append(half_a_second(0))
        self.writer.stop()
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 500 * 8)
        end = read_lines(self.folder / "a.jsonl")[-1]
        self.assertEqual(end["why"], "recovered")
        error = self.assertRaises(OSError, part.append, half_a_second(1))
        self.assertIn("has ended", str(error))

    def test_working_directory(self) -> None:
        """It runs no module that happens to lie where the service was started."""
        here = Path(self.mktemp()).absolute()
        here.mkdir()
        (here / "struct.py").write_text("raise SystemExit")
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(here)
        part = self.parts.new(here / "a.wav", MULAW_8K)
        part.open()
        part.finish(half_a_second(0))
        self.assertEqual(part.path, here / "a.wav")

    def test_killed_after_the_last_step(self) -> None:
        """A recording that is whole is told so, though its writer died of it."""
        part = self.writer.new(self.folder / "a.wav", MULAW_8K, key=b"k" * 16)
        part.open()
        part.append(half_a_second(0))
        answered = part._facts
        part.finish(half_a_second(1))
        chain, seal = part.chain, part.seal
        self.assertTrue(seal)
        # As if that answer had never come.
        part._facts = answered
        self.writer.opens(part)
        self.kill()
        with capturedLogs():
            part.finish(half_a_second(1))
        self.assertEqual((part.path, part.duration_ms), (self.folder / "a.wav", 1200))
        self.assertEqual((part.chain, part.seal), (chain, seal))

    def test_none_starts(self) -> None:
        """Without any process that lives, the error says so."""
        writer = WriterProcess({}, self.pauses.append, lines=1)
        self.patch(sys, "executable", "/bin/false")
        part = writer.new(self.folder / "a.wav", MULAW_8K)
        with capturedLogs():
            error = self.assertRaises(OSError, part.open)
        self.assertIn("again and again", str(error))
        self.assertEqual(self.pauses, [0, 1, 2, 4, 8])
