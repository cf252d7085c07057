"""The desk of the writer process; the process itself is in ``tests.integration``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.recording.wire import Answer, Order, plain
from twistedvoice.recording.writer import Desk

HELLO = b"\x80" * 160


class DeskTests(SynchronousTestCase):
    """Orders in, answers out."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.desk = Desk()

    def do(self, verb: str, *args: Any, number: int = 1) -> Answer:
        """:returns: what the desk answers."""
        return self.desk.do(Order(number, verb, args))

    def open(self, state: tuple[int, ...] = ()) -> Answer:
        """Open the one part."""
        return self.do("open", state, str(self.folder / "a.wav"), "mulaw", 8000, {})

    def test_life(self) -> None:
        """Each order is answered with what the part says of itself."""
        self.assertEqual(self.open().facts.path, str(self.folder / "a.wav.part"))
        batch = plain(Batch([(0, HELLO)], [], 20_000, 20_000))
        answer = self.do("append", batch)
        self.assertEqual((answer.error, answer.facts.duration_ms), (None, 20))
        answer = self.do("finish", None)
        self.assertEqual(answer.facts.path, str(self.folder / "a.wav"))

    def test_unknown(self) -> None:
        """An order for a part that is not open is answered with the error."""
        answer = self.do("append", plain(Batch([], [], 0)))
        assert answer.error is not None
        self.assertIn("KeyError", answer.error[1])

    def test_opened_again(self) -> None:
        """A part that is open stays as it is when it shall be opened."""
        self.open()
        batch = plain(Batch([(0, HELLO)], [], 20_000, 20_000))
        facts = self.do("append", batch).facts
        self.assertEqual(self.open(facts.state), Answer(facts))

    def test_abandoned(self) -> None:
        """What the service leaves behind is finished, and said to be recovered."""
        self.open()
        self.do("append", plain(Batch([(0, HELLO)], [], 20_000, 20_000)))
        self.desk.abandon()
        self.assertEqual(len(read_wav(self.folder / "a.wav").samples), 160)
        end = read_lines(self.folder / "a.jsonl")[-1]
        self.assertEqual((end["why"], end["degraded"]), ("recovered", False))
