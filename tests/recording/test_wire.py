"""What goes over the line between a service and its writer process."""

from __future__ import annotations

import socket
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.realtime.tracks import Note
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.wire import (
    Answer,
    Facts,
    Line,
    WriterError,
    batch_of,
    plain,
)


class LineTests(SynchronousTestCase):
    """Two ends in one process."""

    def setUp(self) -> None:
        self.ours, self.theirs = map(Line, socket.socketpair())
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)

    def test_orders(self) -> None:
        """An order arrives as it was given, its batch with all that is in it."""
        batch = Batch([(0, b"a")], [(5, b"b")], 7, 8, [Note("clear", 1, 2)], [(3, 4)])
        self.ours.send([(1, "append", (plain(batch),))])
        [(number, verb, (values,))] = self.theirs.receive()
        self.assertEqual((number, verb, batch_of(values)), (1, "append", batch))
        self.assertIsInstance(batch_of(values).notes[0], Note)

    def test_answers(self) -> None:
        """An answer arrives with all that a part says of itself."""
        facts = Facts("/a.wav", 20, 1, 2, [(3, 4)], 5)
        self.theirs.send([Answer(facts).bare()])
        [(values, error)] = self.ours.receive()
        self.assertEqual((Facts(*values), error), (facts, None))

    def test_large_message(self) -> None:
        """A message may be larger than what the system holds on the way."""
        order = (1, "append", (b"x" * (1 << 22),))
        sending = Thread(target=self.ours.send, args=([order],))
        sending.start()
        [values] = self.theirs.receive()
        sending.join()
        self.assertEqual(values, order)

    def test_end(self) -> None:
        """An end that is closed, even within a message, is told as such."""
        self.ours.close()
        self.assertRaises(EOFError, self.theirs.receive)
        self.assertRaises(OSError, self.theirs.send, [(1, "open", ())])


class AnswerTests(SynchronousTestCase):
    """What was raised on the one side is raised on the other."""

    def raised(self, error: Exception) -> Exception:
        """:returns: what comes of ``error`` over there."""
        try:
            raise error
        except Exception as caught:  # as the writer does
            answer = Answer.of(Facts(), caught)
        raised: Exception
        raised = self.assertRaises((OSError, WriterError), answer.check)
        return raised

    def test_of_the_system(self) -> None:
        """What the system says is raised the same."""
        error = self.raised(PermissionError(13, "Permission denied", "/a"))
        assert isinstance(error, PermissionError)
        self.assertEqual((error.errno, error.filename), (13, "/a"))

    def test_of_ours(self) -> None:
        """A fault of ours comes with the place where it happened."""
        error = self.raised(KeyError("what"))
        self.assertIsInstance(error, WriterError)
        self.assertIn("KeyError: 'what'", str(error))
        self.assertIn("in raised", str(error))
