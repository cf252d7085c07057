"""An hour on the phone in virtual time: stalls, bursts, interrupts, and no drift."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from .doubles import Exchange, Notebook, limits_of

__all__ = ["HourTests"]

_FRAME = bytes(range(1, 161)).replace(b"\xff", b"\x01")


class HourTests(SynchronousTestCase):
    """One long call."""

    def setUp(self) -> None:
        self.lot = Random(60)
        self.agent = Notebook()
        self.exchange = Exchange(
            agent=lambda: self.agent, limits=limits_of(longest=1e6)
        )
        self.line = self.exchange.dial()
        # The clock moves in whole periods: at each step the call's own tick is due.
        self.exchange.advance(0.01)
        self.sent_at: list[float] = []

    def step(self, periods: int = 1) -> None:
        """Let whole periods pass as one, as when the reactor is held up."""
        self.exchange.clock.advance(periods * 0.02)

    def assertConserved(self) -> None:
        """Check that every frame is accounted for [OB-1]."""
        [call] = self.exchange.switchboard
        meters = call.stream.meters
        ends = meters.sent + meters.flushed + meters.rejected + meters.dropped
        self.assertEqual(meters.queued, ends + call.stream.waiting)

    def test_an_hour_of_trouble(self) -> None:
        """After an hour the books are right, and no burst was longer than the lead."""
        for minute in range(60):
            self.a_minute(minute)
            self.assertConserved()
        # Trouble has raised the lead to its most, 250 ms.
        self.assertLessEqual(self.most_at_once(), 13)
        self.assertEqual(self.line.buffer.cleared % 160, 0)
        self.line.stop()
        [cdr] = self.exchange.cdrs
        self.assertEqual(cdr["duration_ms"], round(self.exchange.clock.seconds() * 1e3))
        arrived = len(self.line.arrivals("media"))
        self.assertEqual(cdr["frames_sent"], arrived)
        self.assertEqual(
            len(self.line.listen())
            + self.line.buffer.cleared
            + self.line.buffer.waiting,
            arrived * 160,
        )
        self.assertEqual(self.exchange.leftovers(), [])

    def a_minute(self, minute: int) -> None:
        """Talk for a while, be held up, be interrupted, fall silent."""
        utterance = self.agent.call.speak()
        for _ in range(200):
            if self.lot.random() < 0.2:
                utterance.write(_FRAME * self.lot.randrange(10))
            stall = self.lot.randrange(2, 40) if self.lot.random() < 0.01 else 1
            self.step(stall)
        if minute % 2:
            self.agent.call.interrupt("speech")
        utterance.end()
        while self.agent.call.is_playing:
            self.step()
        self.step(round(3000 * (minute + 1) - self.exchange.clock.seconds() * 50))

    def most_at_once(self) -> int:
        """:returns: how many frames ever arrived at the same time."""
        arrivals = self.line.arrivals("media")
        counts: dict[float, int] = {}
        for at in arrivals:
            counts[at] = counts.get(at, 0) + 1
        return max(counts.values())

    def test_ends_of_an_hour(self) -> None:
        """Speech at both ends of an hour keeps its pace, to the microsecond."""
        paces = [self.pace_of_a_minute()]
        self.exchange.clock.advance(58 * 60)
        paces.append(self.pace_of_a_minute())
        self.assertEqual(paces, [{20_000}, {20_000}])
        self.assertEqual(self.line.buffer.underruns, [])
        self.assertConserved()

    def pace_of_a_minute(self) -> set[int]:
        """:returns: every gap between frames, once the lead is built."""
        already = len(self.line.arrivals("media"))
        utterance = self.agent.call.say(_FRAME * 3_000)
        for _ in range(3_010):
            self.step()
        self.assertEqual(utterance.heard_ms(), 60_000)
        arrivals = self.line.arrivals("media")[already + 5 :]
        self.assertEqual(len(arrivals), 3_000 - 5)
        return {
            round(later * 1e6) - round(earlier * 1e6)
            for earlier, later in pairwise(arrivals)
        }
