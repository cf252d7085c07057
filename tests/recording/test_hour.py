"""An hour in virtual time, whose recording is true to the frame from end to end."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.hour import Hour


class HourTests(SynchronousTestCase):
    """One long call."""

    def test_an_hour_of_trouble(self) -> None:
        """Stalls, bursts, loss, jitter and barge-ins: no frame is out of its place."""
        found = Hour().run()
        self.assertLess(abs(found.length_off_ms), 20)
        self.assertEqual((found.caller_wrong, found.caller_missing), (0, 0))
        self.assertGreaterEqual(found.gaps_ms, 0.95 * 20 * found.caller_lost)
        off = found.service_off_ms
        self.assertGreater(len(off), 50_000)
        # What was under way when a clear was sent, which takes a way to get there.
        self.assertLess(found.service_missing, len(off) // 100)
        # A hole in something that was then broken off may be judged wrongly.
        self.assertLess(sum(each >= 20 for each in off), len(off) // 1000)
        self.assertLess(max(off), 100)
        self.assertLess(max(off[-10_000:]), 20)
