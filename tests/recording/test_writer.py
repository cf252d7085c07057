"""The desk of the writer process; the process itself is in ``tests.integration``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.recording.spool import Record, Spool, records
from twistedvoice.recording.wire import Answer, Order, plain
from twistedvoice.recording.writer import Desk

HELLO = b"\x80" * 160


def spooled(number: int) -> tuple[Any, ...]:
    """:returns: a frame of the caller, as it is handed over."""
    at_us = number * 20_000
    heard = [(number * 20, HELLO)]
    return plain(Batch(heard, [], at_us + 20_000, at_us + 20_000))


class DeskTests(SynchronousTestCase):
    """Orders in, answers out."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.desk = Desk(self.folder)

    def do(self, verb: str, *args: Any, number: int = 1) -> Answer:
        """:returns: what the desk answers."""
        return self.desk.do(Order(number, verb, args))

    def open(self, *, opened: bool = False) -> Answer:
        """Open the one part."""
        return self.do("open", opened, str(self.folder / "a.wav"), "mulaw", 8000, {})

    def test_life(self) -> None:
        """Each order is answered with what the part says of itself."""
        self.assertEqual(self.open().facts.path, str(self.folder / "a.wav.part"))
        batch = plain(Batch([(0, HELLO)], [], 20_000, 20_000))
        answer = self.do("append", 0, [], batch)
        self.assertEqual((answer.error, answer.facts.duration_ms), (None, 20))
        # As it was answered by a process that died.
        again = self.do("append", 0, [], batch)
        self.assertEqual(again, answer)
        answer = self.do("finish", 1, [], plain(Batch([], [], 20_000)))
        self.assertEqual(answer.facts.path, str(self.folder / "a.wav"))

    def test_spooled(self) -> None:
        """Batches are taken from where they lie, each once."""
        memory = Path(self.mktemp())
        memory.mkdir()
        spool = Spool(self.folder, memory, lambda: 0)
        self.addCleanup(spool.close)
        self.desk = Desk(spool.folder)
        self.open()
        refs = [
            spool.add(Record("a.wav", "mulaw", 8000, number, spooled(number)))
            for number in range(4)
        ]
        answer = self.do("append", 0, refs[:1], spooled(1))
        self.assertEqual((answer.facts.batches, answer.facts.duration_ms), (2, 40))
        answer = self.do("append", 0, refs[:3], spooled(3))
        self.assertEqual((answer.facts.batches, answer.facts.duration_ms), (4, 80))
        self.assertEqual(answer.facts.late_frames, 0)
        spool.add(Record("b.wav", "mulaw", 8000, 0, spooled(0)))
        spool.add(Record("a.wav", "mulaw", 8000, 4, spooled(4)))
        self.assertTrue(self.desk.abandon(records(spool.folder, spool.link)))
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 800)

    def test_failed(self) -> None:
        """What was written before an error is whole, and says that it is not all."""
        self.open()
        self.do("append", 0, [], spooled(0))
        answer = self.do("fail")
        self.assertEqual((answer.error, answer.facts.duration_ms), (None, 20))
        self.assertEqual(read_lines(self.folder / "a.jsonl")[-1]["why"], "failed")

    def test_unknown(self) -> None:
        """An order for a part that is not open is answered with the error."""
        answer = self.do("append", 0, [], plain(Batch([], [], 0)))
        assert answer.error is not None
        self.assertIn("KeyError", answer.error[1])

    def test_opened_again(self) -> None:
        """A part that is open stays as it is when it shall be opened."""
        self.open()
        batch = plain(Batch([(0, HELLO)], [], 20_000, 20_000))
        facts = self.do("append", 0, [], batch).facts
        self.assertEqual(self.open(opened=True), Answer(facts))

    def test_abandoned(self) -> None:
        """What the service leaves behind is finished, and said to be recovered."""
        self.open()
        self.do("append", 0, [], spooled(0))
        self.assertTrue(self.desk.abandon({}))
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 160)
        end = read_lines(self.folder / "a.jsonl")[-1]
        self.assertEqual((end["why"], end["degraded"]), ("recovered", False))
