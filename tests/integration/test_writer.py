"""The writer process: the contract of parts, and what it survives."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from select import select
from threading import Thread

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording import spool
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.parts import Job, Part
from twistedvoice.recording.process import WriterProcess
from twistedvoice.recording.pulse import MOST_UNANSWERED
from twistedvoice.recording.recovery import outcomes, recover
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
        self.memory = Path(self.mktemp())
        self.memory.mkdir()
        self.parts = self.writer = self.new_writer()
        self.addCleanup(self.writer.stop)

    def new_writer(
        self,
        environ: Mapping[str, str] = ENVIRON,
        pause: Callable[[float], object] | None = None,
    ) -> WriterProcess:
        """:returns: one for this folder."""
        return WriterProcess(
            environ,
            pause or self.pauses.append,
            lines=2,
            recordings=self.folder,
            memory=self.memory,
        )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process, which is there."""
        pid = self.writer.pid
        assert pid is not None
        os.kill(pid, number)

    def test_killed(self) -> None:
        """Another process goes on; what the first one held is silence, and is told."""
        part = self.opened("a.wav")
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

    def opened(self, name: str) -> Part:
        """:returns: a part that may be appended to."""
        part = self.parts.new(self.folder / name, MULAW_8K)
        part.open()
        return part

    def spool(self, part: Part, numbers: Iterable[int]) -> None:
        """Spool some halves of a second."""
        for number in numbers:
            self.assertTrue(self.parts.spool(part, half_a_second(number)))

    def test_spooled(self) -> None:
        """What was spooled is written with the next, and by nobody before."""
        self.parts.start()
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        self.parts.do_all([Job(part.open, ())])
        self.spool(part, range(3))
        self.assertEqual((self.folder / "a.wav.part").stat().st_size, 58)
        self.parts.do_all([Job(part.append, (half_a_second(3),))])
        self.assertEqual(part.duration_ms, 2000)
        self.spool(part, [4, 5])
        part.finish(half_a_second(6))
        self.assertEqual((part.duration_ms, part.late_frames), (3700, 0))
        samples = read_wav(self.folder / "a.wav").samples
        self.assertEqual(set(samples[:, 0].tolist()), {LOUD})
        self.assertEqual(set(samples[: 3500 * 8, 1].tolist()), {LOW})
        self.writer.stop()
        names = sorted(path.name for path in self.folder.iterdir())
        self.assertEqual(names, ["a.jsonl", "a.todo", "a.wav"])

    def test_spool_is_bounded(self) -> None:
        """Of a part that is never appended to no more than some is spooled."""
        self.parts.start()
        part = self.opened("a.wav")
        took = [self.parts.spool(part, half_a_second(number)) for number in range(30)]
        self.assertEqual(took, [True] * 20 + [False] * 10)

    def test_ordered_before_it_was_started(self) -> None:
        """A process that an order has started finds what is spooled, too."""
        part = self.opened("a.wav")
        self.parts.start()
        self.spool(part, [0])
        part.finish(half_a_second(1))
        self.assertEqual(part.duration_ms, 1200)

    def test_nothing_stays_in_memory(self) -> None:
        """Once the last recording is whole its sound is only there."""
        self.parts.start()
        for name in ("a.wav", "b.wav"):
            part = self.opened(name)
            self.spool(part, range(3))
            self.writer.watch()
            (sound,) = self.memory.glob("*/*")
            self.assertGreater(sound.stat().st_size, 0)
            part.finish(half_a_second(3))
            self.assertEqual(part.duration_ms, 2200)
            self.writer.watch()
            self.writer.watch()
            self.assertEqual(list(self.memory.glob("*/*")), [])

    def test_no_memory_to_share(self) -> None:
        """Where there is none, all is written at once."""
        self.memory.rmdir()
        self.parts.start()
        part = self.opened("a.wav")
        self.assertFalse(self.parts.spool(part, half_a_second(0)))
        part.finish(half_a_second(0))
        self.assertEqual(part.duration_ms, 700)

    def test_killed_with_spooled(self) -> None:
        """What was spooled, or under way, when the process died is not lost."""
        self.parts.start()
        part = self.opened("a.wav")
        part.append(half_a_second(0))
        self.spool(part, [1, 2])
        self.kill()
        self.spool(part, [3])
        with capturedLogs():
            part.append(half_a_second(4))
        self.assertEqual(list(part.lost), [(500_000, 700_000)])
        self.spool(part, [5])
        part.finish(half_a_second(6))
        samples = read_wav(self.folder / "a.wav").samples
        self.assertEqual(set(samples[700 * 8 :, 0].tolist()), {LOUD})
        self.assertEqual(set(samples[: 3500 * 8, 1].tolist()), {LOW})

    def test_service_dies_with_spooled(self) -> None:
        """The process that writes finds by itself what it was not told of."""
        self.parts.start()
        part = self.opened("a.wav")
        part.append(half_a_second(0))
        self.spool(part, [1, 2])
        other = self.opened("b.wav")
        self.spool(other, [0])
        self.writer.stop()
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 1500 * 8)
        self.assertEqual(len(read_wav(self.folder / "b.wav").samples), 500 * 8)
        self.assertEqual(list(self.folder.glob(".spool*")), [])

    def test_failed_keeps_no_memory(self) -> None:
        """What a failed recording had spooled is removed while its call goes on."""
        self.patch(spool, "_SEGMENT_BYTES", 1)
        self.parts.start()
        failed = self.parts.new(self.folder / "a.wav", MULAW_8K)
        other = self.parts.new(self.folder / "b.wav", MULAW_8K)
        for part in (failed, other):
            part.open()
            self.spool(part, [0])
        self.kill()
        without = self.patch(sys, "executable", "/bin/false")
        with capturedLogs():
            [failure] = self.parts.do_all([Job(failed.append, (half_a_second(1),))])
        self.assertIsInstance(failure.value, OSError)
        without.restore()
        self.spool(other, [1])
        self.parts.do_all([Job(other.append, (half_a_second(2),))])
        self.assertEqual(other.duration_ms, 1500)
        names = [path.name for path in self.memory.glob("*/*")]
        self.assertEqual(names, ["2"])

    def test_cannot_be_finished(self) -> None:
        """What the process cannot finish at the end is there for a recovery."""
        self.parts.start()
        part = self.opened("a.wav")
        part.append(half_a_second(0))
        self.spool(part, [1, 2])
        assert self.writer.pid is not None
        # No file of it may grow any more, as on a full disk.
        resource.prlimit(self.writer.pid, resource.RLIMIT_FSIZE, (0, 0))
        self.writer.stop()
        self.assertEqual(recover(self.folder), [self.folder / "a.wav"])
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 1500 * 8)
        self.assertEqual(list(self.folder.glob(".spool*")), [])

    def test_both_die(self) -> None:
        """A recovery finds it when the process that writes was killed as well."""
        key = bytes(range(32))
        self.parts.start()
        part = self.parts.new(self.folder / "a.wav", MULAW_8K)
        about = {"call_id": "CA1"}
        secret = self.parts.new(
            self.folder / "b.vault", MULAW_8K, encryption_key=key, about=about
        )
        unwanted = self.parts.new(self.folder / "c.wav", MULAW_8K)
        for each in (part, secret, unwanted):
            each.open()
            self.spool(each, [0])
        part.append(half_a_second(1))
        unwanted.discard()
        self.spool(part, [2, 3])
        self.assertEqual(recover(self.folder), [])
        self.die()
        with capturedLogs() as logged:
            self.assertEqual(recover(self.folder), [self.folder / "a.wav"])
        self.assertIn("b.vault", str(logged[0]))
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 2000 * 8)
        lines = read_lines(self.folder / "a.jsonl")
        self.assertEqual(lines[-1]["why"], "recovered")
        self.assertIn({"kind": "lost", "at": 1000, "ms": 200}, lines)
        # With its key, the other one, too; nothing is left then.
        self.assertEqual(recover(self.folder, None, key), [self.folder / "b.vault"])
        samples = read_wav(self.folder / "b.vault", opener(key)).samples
        self.assertEqual(len(samples), 500 * 8)
        head = read_lines(self.folder / "b.jsonl")[0]
        self.assertEqual((head["kind"], head["call_id"]), ("recording", "CA1"))
        self.assertEqual(list(self.folder.glob(".spool*")), [])
        self.assertEqual(list(self.memory.iterdir()), [])

    def die(self) -> None:
        """Have both processes die, as far as the folder shows."""
        self.kill()
        assert self.writer._running is not None
        self.writer._running.kill()
        assert self.writer._spool is not None
        self.writer._spool.lock.close()

    def leave_two(self) -> None:
        """Die with two recordings whose sound was all in memory but for the first."""
        (self.folder / "day").mkdir(parents=True)
        self.parts.start()
        for name in ("a.wav", "b.wav"):
            part = self.parts.new(self.folder / "day" / name, MULAW_8K)
            part.open()
            part.append(half_a_second(0))
            self.spool(part, range(1, 6))
        self.die()

    def assert_two(self) -> None:
        """All of the two recordings is there, and nothing else."""
        for name in ("a.wav", "b.wav"):
            samples = read_wav(self.folder / "day" / name).samples
            self.assertEqual(len(samples), 3000 * 8)
        self.assertEqual(list(self.folder.glob(".spool*")), [])
        self.assertEqual(list(self.memory.iterdir()), [])
        self.assertEqual(list(self.folder.rglob("*.part")), [])

    def test_two_recoveries(self) -> None:
        """One leaves alone what another one is about to finish from memory."""
        self.leave_two()
        first = outcomes(self.folder)
        found = [next(first)]
        self.assertEqual(recover(self.folder), [])
        found += first
        names = [self.folder / "day" / "a.wav", self.folder / "day" / "b.wav"]
        self.assertEqual([path for _, path in found], names)
        self.assert_two()

    def test_dies_during_a_recovery(self) -> None:
        """What is in memory is not left out when its process dies just now."""
        left = PartFile(self.folder / "day" / "0.wav", MULAW_8K)
        left.open()
        left.append(half_a_second(0))
        self.parts.start()
        part = self.parts.new(self.folder / "day" / "a.wav", MULAW_8K)
        part.open()
        part.append(half_a_second(0))
        self.spool(part, range(1, 6))
        assert left._lock is not None
        left._lock.close()
        found = list[Path | Exception]()
        for _, path in outcomes(self.folder):
            if not found:
                self.die()
            found.append(path)
        names = [self.folder / "day" / "0.wav", self.folder / "day" / "a.wav"]
        self.assertEqual(found, names)
        self.assertEqual(len(read_wav(names[1]).samples), 3000 * 8)

    def test_recovery_while_the_process_is_replaced(self) -> None:
        """What a service writes is its own, also between two writer processes."""
        self.parts.start()
        part = self.opened("a.wav")
        part.append(half_a_second(0))
        self.kill()
        assert self.writer._running is not None
        self.writer._running._process.wait()
        self.assertEqual(recover(self.folder), [])
        with capturedLogs():
            part.append(half_a_second(1))
        part.finish(half_a_second(2))
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 1700 * 8)

    def test_recovery_of_another_folder(self) -> None:
        """Who does not look where the spool is shown is told to, and harms nothing."""
        self.leave_two()
        found = [str(why) for _, why in outcomes(self.folder / "day")]
        self.assertEqual(len(found), 2)
        self.assertIn(str(self.folder.absolute()), found[0])
        self.assertEqual(len(recover(self.folder)), 2)
        self.assert_two()

    def test_hangs(self) -> None:
        """One that hangs is killed; what it held is lost and told, and nothing else."""
        part = self.opened("a.wav")
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
        writer = self.new_writer(environ)
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

        writer = self.new_writer(pause=pause)
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
        self.opened("a.wav")
        self.assertEqual(self.writer.pid, first)
        later = self.new_writer()
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

        writer = self.new_writer(pause=pause)
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
        part = self.opened("a.wav")
        part.append(half_a_second(0))
        self.kill()
        part.finish(half_a_second(1))
        self.assertEqual(part.path, self.folder / "a.wav")
        self.assertEqual(part.duration_ms, 1200)

    def test_killed_at_once(self) -> None:
        """A file that has nothing yet is made anew."""
        part = self.opened("a.wav")
        self.kill()
        part.finish(half_a_second(0))
        self.assertEqual(part.duration_ms, 700)
        self.assertEqual(list(part.lost), [])

    def test_service_dies(self) -> None:
        """What the service leaves is finished by the process that writes it."""
        part = self.opened("a.wav")
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
        writer = self.new_writer({})
        self.patch(sys, "executable", "/bin/false")
        part = writer.new(self.folder / "a.wav", MULAW_8K)
        with capturedLogs():
            error = self.assertRaises(OSError, part.open)
        self.assertIn("again and again", str(error))
        self.assertEqual(self.pauses, [0, 1, 2, 4, 8])
