# -*- test-case-name: tests.speech.test_recital -*-
"""Tests of what is being said, and of what is left of it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.speech.recital import Recital
from twistedvoice.testing import FakeCall

#: A minute in which each second differs.
_LONG = b"".join(bytes([second]) * 8000 for second in range(60))


class RecitalTests(SynchronousTestCase):
    """One recital on a call whose caller hears without delay."""

    def setUp(self) -> None:
        self.call = FakeCall(Agent())
        self.call.start()
        self.recital = Recital(self.call)
        self.followed: list[float] = []

    def follow(self) -> None:
        """Note when something was heard to its end."""
        self.followed.append(self.call.clock.seconds())

    def test_whole(self) -> None:
        """All is heard, in order, and then what follows happens, once."""
        self.recital.say(_LONG, self.follow)
        self.call.advance(61)
        self.assertEqual(self.call.heard, _LONG)
        self.assertEqual(self.followed, [60.0])
        self.assertIsNone(self.recital.saying)

    def test_little_waits(self) -> None:
        """No more than the call wants is handed over at a time."""
        self.recital.say(_LONG)
        self.assertLess(len(self.call.said), 8000 * 15)

    def test_in_pieces(self) -> None:
        """What comes piece by piece is heard piece by piece."""
        self.recital.begin(self.follow)
        self.recital.write(b"\x01" * 800)
        self.call.advance(1)
        self.recital.write(b"\x02" * 800)
        self.recital.end()
        self.call.advance(1)
        self.assertEqual(self.call.heard, b"\x01" * 800 + b"\x02" * 800)
        self.assertEqual(len(self.followed), 1)

    def test_stop(self) -> None:
        """What was not heard is given back, from the exact frame on."""
        self.recital.say(_LONG, self.follow)
        self.call.advance(2.51)
        rest = self.recital.stop("digit")
        self.assertEqual(rest, _LONG[20_000:])
        self.assertEqual(self.recital.stop("digit"), b"")
        self.call.advance(100)
        self.assertEqual(self.followed, [])
        self.assertEqual(self.call.events, [("interrupt", "digit")])

    def test_resume(self) -> None:
        """It goes on where it stopped, and what was to follow it follows."""
        self.recital.say(_LONG, self.follow)
        self.call.advance(2.5)
        self.recital.resume(self.recital.stop("barge_in"))
        self.call.advance(60)
        self.assertEqual(self.call.heard, _LONG)
        self.assertEqual(len(self.followed), 1)

    def test_write_after_stop(self) -> None:
        """A source that goes on after its recital was stopped is not heard."""
        self.recital.begin()
        self.recital.write(b"\x01" * 800)
        self.recital.stop("digit")
        self.recital.write(b"\x02" * 800)
        self.recital.end()
        self.call.advance(1)
        self.assertNotIn(2, self.call.heard)
