"""Interrupts at any moment: the ear, the wire and the books agree [BI-1, BI-4, B10]."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.interfaces import Utterance

from .doubles import Exchange, Notebook

__all__ = ["InterruptTests"]


class InterruptTests(SynchronousTestCase):
    """A caller who speaks into everything, at moments drawn by lot."""

    def interrupt_often(self, seed: int, delay: float, times: int) -> None:
        """Say, interrupt, write late chunks; check each time."""
        self.lot = Random(seed)
        self.agent = Notebook()
        self.exchange = Exchange(agent=lambda: self.agent)
        self.line = self.exchange.dial(delay=delay)
        for turn in range(times):
            self.say_and_interrupt(turn, delay)
        self.assertBooks(times)
        self.line.stop()
        self.assertEqual(self.exchange.leftovers(), [])

    def say_and_interrupt(self, turn: int, delay: float) -> None:
        """Say some things, cut them off, and compare with the ear."""
        said = [self.say(1 + (2 * turn + half) % 120) for half in (0, 1)]
        self.exchange.advance(self.lot.randrange(1, 900_000) / 1e6)
        at = len(self.line.wire)
        cut = [each for each in said if not each[1].finished().called]
        self.agent.call.interrupt("speech")
        for _, utterance in cut:
            utterance.write(b"\x7e" * self.lot.randrange(1000))
            utterance.end()
        self.exchange.advance(2 * delay + self.lot.randrange(60_000) / 1e6)
        late = [what for kind, what, when in self.line.wire[at:] if kind == "media"]
        if not delay:
            self.assertEqual(late, [])
        heard = self.line.listen()
        for byte, utterance in said:
            heard_ms = heard.count(byte) / 8
            self.assertLessEqual(abs(utterance.heard_ms() - heard_ms), 1.0, turn)
            outcome = "cleared" if (byte, utterance) in cut else "played"
            self.assertEqual(self.successResultOf(utterance.finished()), outcome)
        self.assertNotIn(b"\x7e", heard)
        self.line.heard.clear()

    def say(self, byte: int) -> tuple[int, Utterance]:
        """:returns: an utterance, whole or not, and the byte that it is made of."""
        size = self.lot.randrange(4_000, 12_000)
        if self.lot.random() < 0.5:
            return byte, self.agent.call.say(bytes([byte]) * size)
        utterance = self.agent.call.speak()
        for _ in range(8):
            utterance.write(bytes([byte]) * (size // 8))
        return byte, utterance

    def assertBooks(self, times: int) -> None:
        """Check that nothing was counted twice, or not at all."""
        [call] = self.exchange.switchboard
        meters = call.stream.meters
        self.assertEqual(meters.queued, meters.sent + meters.flushed)
        self.assertEqual(len(self.line.arrivals("clear")), times)
        self.assertEqual(self.agent.events.count(("interrupted", "speech")), times)
        self.assertEqual(call.voice.interrupts, times)
        self.assertGreaterEqual(call.voice.marks.outcomes["cleared"], times)

    def test_near(self) -> None:
        """Without delay, what was heard is exact."""
        self.interrupt_often(1, 0.0, 100)

    def test_far(self) -> None:
        """With a delay the clear catches the sound where it was asked for."""
        for delay in (0.03, 0.12):
            self.interrupt_often(2, delay, 40)

    def test_after_all_was_made(self) -> None:
        """An interrupt works when all was sent and the rest only plays [B9]."""
        agent = Notebook()
        exchange = Exchange(agent=lambda: agent)
        line = exchange.dial()
        utterance = agent.call.say(b"\x11" * 800)
        exchange.advance(0.06)
        [call] = exchange.switchboard
        self.assertEqual(call.stream.waiting, 0)
        self.assertEqual(agent.call.interrupt("speech"), 50)
        exchange.advance(0.2)
        self.assertEqual(len(line.listen()), 400)
        self.assertEqual(utterance.heard_ms(), 50)
        self.assertEqual(len(line.arrivals("clear")), 1)

    def test_mark_came_too_early(self) -> None:
        """A carrier that says too early that all was heard can still be silenced."""
        agent = Notebook()
        exchange = Exchange(agent=lambda: agent)
        line = exchange.dial()
        agent.call.say(b"\x11" * 800)
        exchange.advance(0.06)
        line.echo("m1")
        self.assertEqual(agent.call.interrupt("speech"), 50)
        self.assertEqual(line.wire[-1][0], "clear")

    def test_within_a_turn(self) -> None:
        """The clear is on the wire when the interrupt returns [BI-5]."""
        agent = Notebook()
        exchange = Exchange(agent=lambda: agent)
        line = exchange.dial()
        agent.call.say(b"\x11" * 8000)
        exchange.advance(0.3)
        agent.call.interrupt("speech")
        self.assertEqual(line.wire[-1][0], "clear")

    def test_clear_passes_a_full_socket(self) -> None:
        """A clear goes out though the peer does not read; it is no sound [B11]."""
        agent = Notebook()
        exchange = Exchange(agent=lambda: agent)
        line = exchange.dial()
        agent.call.say(b"\x11" * 8000)
        exchange.advance(0.3)
        line.writable = False
        exchange.advance(0.1)
        agent.call.interrupt("speech")
        self.assertEqual(line.wire[-1][0], "clear")
