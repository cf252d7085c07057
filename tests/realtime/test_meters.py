"""What a stream counts, and the bounds of its ledger."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.realtime.meters import StreamMeters, Underrun


class StreamMetersTests(SynchronousTestCase):
    """The counts of one stream."""

    def test_underran(self) -> None:
        """A hole is counted by its reason, added up, and written down."""
        meters = StreamMeters()
        meters.underran(1_000, 35_000, "agent")
        meters.underran(90_000, 5_000, "reactor")
        meters.underran(200_000, 6_000, "agent")
        self.assertEqual(meters.underruns, {"agent": 2, "reactor": 1})
        self.assertEqual(meters.underrun_us, 46_000)
        self.assertEqual(meters.ledger[0], Underrun(1_000, 35_000, "agent"))

    def test_ledger_is_bounded(self) -> None:
        """A call of nothing but holes counts all of them and keeps the first fifty."""
        meters = StreamMeters()
        for number in range(1_000):
            meters.underran(number, 10_000, "socket")
        self.assertEqual(meters.underruns["socket"], 1_000)
        self.assertEqual(meters.underrun_us, 10_000_000)
        self.assertEqual([hole.at_us for hole in meters.ledger], list(range(50)))

    def test_streams_share_nothing(self) -> None:
        """Two streams count for themselves."""
        one, two = StreamMeters(), StreamMeters()
        one.underran(0, 9_000, "agent")
        one.lateness.observe(3)
        self.assertEqual(two, StreamMeters(lateness=two.lateness))
        self.assertEqual(two.lateness.count, 0)
