"""Tests of ``twistedvoice.calls.goodbye``: hanging up after the last words [TD-2]."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from .doubles import BinaryLine, Exchange, Line, Notebook, tone

__all__ = ["GoodbyeTests"]


class GoodbyeTests(SynchronousTestCase):
    """Never before the words were heard, and always in the end."""

    def begin(self, line_class: type[Line] = Line, delay: float = 0.0) -> Line:
        """:returns: a line whose agent said a second of sound as its last words."""
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)
        line = self.exchange.dial(line_class=line_class, delay=delay)
        self.call = self.agent.call
        self.utterance = self.call.say(tone(1000, self.call.format))
        self.call.hang_up_after(self.utterance)
        return line

    def closes_at(self, line: Line, *, within: float) -> float:
        """:returns: when the socket closed."""
        while not line.closed:
            self.assertLess(self.exchange.clock.seconds(), within)
            self.exchange.advance(0.01)
        self.assertEqual(line.closed, ["hung_up"])
        self.assertEqual(self.exchange.leftovers(), [])
        return self.exchange.clock.seconds()

    def test_heard(self) -> None:
        """The call ends when the words were heard, to the last frame."""
        line = self.begin()
        at = self.closes_at(line, within=1.2)
        self.assertGreaterEqual(at, 1.0)
        self.assertEqual(line.listen(), tone(1000))

    def test_heard_far_away(self) -> None:
        """With a long way, the call ends when the carrier says that they were heard."""
        line = self.begin(delay=0.4)
        at = self.closes_at(line, within=2.2)
        self.assertGreaterEqual(at, 1.8)
        self.assertEqual(line.listen(), tone(1000))

    def test_without_marks(self) -> None:
        """Without marks the clock says when the words were heard."""
        line = self.begin(BinaryLine)
        self.assertGreaterEqual(self.closes_at(line, within=1.3), 1.0)
        self.assertEqual(len(line.arrivals("media")), 50)

    def test_no_mark_comes(self) -> None:
        """When the mark never comes, a deadline ends the call."""
        line = self.begin()
        line.echoes = False
        self.assertGreaterEqual(self.closes_at(line, within=4.5), 3.9)

    def test_interrupted(self) -> None:
        """An interrupt takes the hang-up back for good [BI-6]."""
        line = self.begin()
        self.exchange.advance(0.5)
        self.call.interrupt("speech")
        self.exchange.advance(20)
        self.assertEqual(line.closed, [])
        self.assertEqual(self.successResultOf(self.utterance.finished()), "cleared")

    def test_interrupted_and_said_again(self) -> None:
        """After an interrupt a new goodbye works as the first would have."""
        line = self.begin()
        self.exchange.advance(0.5)
        self.call.interrupt("speech")
        self.exchange.advance(0.5)
        self.call.hang_up_after(self.call.say(tone(500)))
        self.assertGreaterEqual(self.closes_at(line, within=1.7), 1.5)

    def test_peer_reads_late(self) -> None:
        """A peer that stops reading for a while hears the words all the same."""
        line = self.begin()
        self.exchange.advance(0.3)
        line.writable = False
        self.exchange.advance(4.5)
        self.assertEqual(line.closed, [])
        line.writable = True
        self.closes_at(line, within=6)
        self.assertEqual(line.listen(), tone(1000))

    def test_words_are_made_slowly(self) -> None:
        """Words that are still being made are waited for, longer than a mark is."""
        line = self.begin()
        self.call.interrupt("start again")
        utterance = self.call.speak()
        self.call.hang_up_after(utterance)
        self.exchange.advance(8)
        self.assertEqual(line.closed, [])
        utterance.write(tone(200))
        utterance.end()
        self.closes_at(line, within=8.5)
        self.assertEqual(line.listen(), tone(200))

    def test_words_are_never_made(self) -> None:
        """Words that never come do not hold the call for ever."""
        line = self.begin()
        self.call.interrupt("start again")
        self.call.hang_up_after(self.call.speak())
        self.assertGreaterEqual(self.closes_at(line, within=60), 20)

    def test_more_is_said_behind(self) -> None:
        """What was said behind the last words is still sent."""
        line = self.begin()
        self.call.say(tone(300))
        self.closes_at(line, within=1.5)
        self.assertEqual(line.listen(), tone(1000) + tone(300))

    def test_caller_leaves_first(self) -> None:
        """When the caller leaves first, nothing of it is left."""
        line = self.begin()
        self.exchange.advance(0.5)
        line.stop()
        self.assertEqual(line.closed, ["completed"])
        self.assertEqual(self.exchange.leftovers(), [])
