"""An hour in virtual time, whose recording is true to the frame from end to end."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.hour import Hour


class HourTests(SynchronousTestCase):
    """One long call."""

    def test_an_hour_of_trouble(self) -> None:
        """Stalls, bursts, loss, jitter and barge-ins: every frame lies in its place."""
        found = Hour().run()
        self.assertLess(abs(found.length_off_ms), 20)
        # Two stamps of five hundred may be wrong by the same, shortly one after
        # the other: that is what a gap looks like.
        self.assertLessEqual(found.caller_wrong, 4)
        self.assertLessEqual(found.caller_missing, 4)
        self.assertGreaterEqual(found.gaps_ms, 0.95 * 20 * found.caller_lost)
        off = found.service_off_ms
        self.assertGreater(len(off), 50_000)
        # What was under way when a clear was sent, which takes a way to get there.
        self.assertLess(found.service_missing, len(off) // 100)
        # A hole in something that was then broken off may be judged wrongly, while
        # little is known of the carrier's buffer.
        self.assertLess(sum(each >= 20 for each in off), len(off) // 100)
        self.assertLess(max(off), 100)
        self.assertLess(max(off[-10_000:]), 20)
