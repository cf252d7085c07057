"""The writer process: the contract of parts, and what it survives."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.audio.wav import read_wav
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.process import WriterProcess
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.recording.vault import opener

from ..recording.parts_contract import HELLO, LOUD, LOW, WELCOME, PartsContract

ENVIRON = {"PYTHONPATH": str(Path(twistedvoice.__file__).parents[1])}


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
        self.parts = self.writer = WriterProcess(ENVIRON, lines=2)
        self.addCleanup(self.writer.stop)

    def kill(self) -> None:
        """Kill the process, which is there."""
        pid = self.writer.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

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
        writer = WriterProcess({}, lines=1)
        self.patch(sys, "executable", "/bin/false")
        part = writer.new(self.folder / "a.wav", MULAW_8K)
        with capturedLogs():
            error = self.assertRaises(OSError, part.open)
        self.assertIn("again and again", str(error))
