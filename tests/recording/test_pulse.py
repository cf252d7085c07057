"""Tests for :mod:`twistedvoice.recording.pulse`."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.pulse import MOST_UNANSWERED, Pulse, answer


class PulseTests(SynchronousTestCase):
    """The service's end, and the other."""

    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.pulse = Pulse(ours)
        self.addCleanup(self.pulse.close)
        self.addCleanup(self.theirs.close)

    def test_unanswered(self) -> None:
        """Who answers no more hangs, and that is said once."""
        said = [self.pulse.beat() for _ in range(MOST_UNANSWERED * 4)]
        self.assertEqual([at for at, hangs in enumerate(said) if hangs],
                         [MOST_UNANSWERED])  # fmt: skip

    def test_answered_late(self) -> None:
        """One answer, however late, and the count begins anew."""
        for _ in range(3):
            for _ in range(MOST_UNANSWERED):
                self.assertFalse(self.pulse.beat())
            self.theirs.send(self.theirs.recv(1000))

    def test_answers(self) -> None:
        """The other end answers all, until the questions end."""
        for _ in range(3):
            self.pulse.beat()
        self.pulse._end.shutdown(socket.SHUT_WR)
        answer(self.theirs)
        self.assertEqual(self.pulse._end.recv(1000), b"???")
        self.assertEqual(self.theirs.fileno(), -1)

    def test_gone(self) -> None:
        """Who is gone does not hang; nor does who is asked no more."""
        self.pulse.beat()
        self.theirs.close()
        for _ in range(MOST_UNANSWERED * 2):
            self.assertFalse(self.pulse.beat())
        self.pulse.close()
        self.assertFalse(self.pulse.beat())
