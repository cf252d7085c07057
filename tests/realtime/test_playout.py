"""The playout clock: how many frames are due, whatever the ticks do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import FRAME_US
from twistedvoice.realtime.playout import PlayoutClock

from ..carriers.junk import steady

LEADS = st.sampled_from([20_000, 40_000, 100_000, 250_000])
#: How long after the tick before each tick comes: early, in time, late, much too late.
PAUSES = st.lists(
    st.integers(0, 2_000) | st.integers(18_000, 22_000) | st.integers(0, 700_000),
    max_size=60,
)


def sent(playout: PlayoutClock, ticks: Iterable[int]) -> list[int]:
    """:returns: how many frames each tick sends when there is always one to send."""
    counts = []
    for now_us in ticks:
        due = max(0, playout.frames_due(now_us))
        for _ in range(due):
            playout.frame_sent(now_us)
        counts.append(due)
    return counts


class PaceTests(SynchronousTestCase):
    """Frames leave at the pace at which they are heard [TX-2, B5]."""

    def test_steady_ticks(self) -> None:
        """The lead is built at once, and then it is one frame a tick."""
        counts = sent(PlayoutClock(100_000), range(0, 1_000_000, FRAME_US))
        self.assertEqual(counts, [5, *[1] * 49])

    def test_lead_of_one_frame_sends_one_frame_a_tick(self) -> None:
        """A lead of 20 ms sends strictly one frame in each tick that is in time."""
        counts = sent(PlayoutClock(20_000), range(7, 1_000_007, FRAME_US))
        self.assertEqual(counts, [1] * 50)

    @steady
    @given(PAUSES)
    def test_lead_of_one_frame_never_sends_two(self, pauses: list[int]) -> None:
        """A lead of 20 ms sends no two frames in one tick, however late it is."""
        counts = sent(PlayoutClock(20_000), accumulate(pauses))
        self.assertLessEqual(set(counts), {0, 1})

    def test_block_from_45_to_79_ms(self) -> None:
        """After a block the late tick and the next one, 1 ms later, lose nothing."""
        ticks = [0, 20_000, 40_000, 79_000, *range(80_000, 1_000_000, FRAME_US)]
        self.assertEqual(sent(PlayoutClock(20_000), ticks), [1] * len(ticks))
        counts = sent(PlayoutClock(100_000), ticks)
        self.assertEqual(counts[:6], [5, 1, 1, 2, 0, 1])
        self.assertEqual(sum(counts), 54)

    def test_stall_within_the_lead(self) -> None:
        """A stall up to the lead less a tick leaves no hole and is made up whole."""
        playout = PlayoutClock(100_000)
        sent(playout, [0, 20_000])
        self.assertEqual(playout.playing_until_us, 120_000)
        self.assertEqual(sent(playout, [120_000]), [5])
        self.assertEqual(playout.playing_until_us, 220_000)

    def test_stall_beyond_the_lead(self) -> None:
        """What was missed beyond the lead is not made up; the clock goes on at now."""
        playout = PlayoutClock(100_000)
        self.assertEqual(sent(playout, [0, 4_255_000]), [5, 5])
        self.assertEqual(playout.playing_until_us, 4_355_000)

    def test_an_hour_without_drift(self) -> None:
        """An hour of ticks, each up to 2 ms late, sends an hour of sound."""
        hour = 3600 * 50
        ticks = (tick * FRAME_US + tick * 7919 % 2_000 for tick in range(hour))
        playout = PlayoutClock(100_000)
        sent(playout, ticks)
        sent(playout, [hour * FRAME_US])
        self.assertEqual(playout.playing_until_us, (hour + 5) * FRAME_US)


class LeadTests(SynchronousTestCase):
    """The carrier never holds more than the lead and the frame that reaches it."""

    @steady
    @given(LEADS, PAUSES)
    def test_never_beyond_the_lead(self, lead_us: int, pauses: list[int]) -> None:
        """Frames are sent while less than the lead is ahead, and no longer."""
        playout = PlayoutClock(lead_us)
        for now_us in accumulate(pauses):
            (count,) = sent(playout, [now_us])
            ahead_us = playout.playing_until_us - now_us
            self.assertLessEqual(count, -(-lead_us // FRAME_US))
            self.assertTrue(lead_us <= ahead_us < lead_us + FRAME_US, ahead_us)

    @steady
    @given(LEADS, PAUSES)
    def test_frames_do_not_overlap(self, lead_us: int, pauses: list[int]) -> None:
        """Each frame begins when the one before has ended, and never in the past."""
        playout, end_us = PlayoutClock(lead_us), 0
        for now_us in accumulate(pauses):
            for _ in range(playout.frames_due(now_us)):
                start_us = playout.frame_sent(now_us)
                self.assertEqual(start_us, max(now_us, end_us))
                end_us = start_us + FRAME_US

    def test_cleared(self) -> None:
        """After a clear nothing plays, and the lead is built anew from then."""
        playout = PlayoutClock(100_000)
        sent(playout, [0])
        playout.cleared(30_000)
        self.assertEqual(playout.playing_until_us, 30_000)
        self.assertEqual(sent(playout, [30_000]), [5])

    def test_clear_in_silence(self) -> None:
        """A clear long after the last sound moves no clock forward."""
        playout = PlayoutClock(100_000)
        sent(playout, [0])
        playout.cleared(900_000)
        self.assertEqual(playout.playing_until_us, 100_000)


class GrowingLeadTests(SynchronousTestCase):
    """A lead that may grow covers what happened, and shrinks when all is quiet."""

    def setUp(self) -> None:
        self.playout = PlayoutClock(100_000, 250_000)

    def adapted(self, *late_us: int) -> list[int]:
        """:returns: the lead after each of these visits, 20 ms apart."""
        leads = []
        for number, late in enumerate(late_us):
            self.playout.adapt(number * FRAME_US, late)
            leads.append(self.playout.lead_us)
        return leads

    def test_small_delays(self) -> None:
        """What the lead hides well changes nothing."""
        self.assertEqual(self.adapted(0, 7_000, 59_999), [100_000] * 3)

    def test_grows(self) -> None:
        """It covers the longest delay and 40 ms or more, up to its most."""
        leads = self.adapted(60_000, 79_000, 20_000, 110_000, 5_000_000)
        self.assertEqual(leads, [120_000, 120_000, 120_000, 160_000, 250_000])

    def test_shrinks(self) -> None:
        """After ten quiet seconds a frame of it goes, and so on until it rests."""
        self.playout.adapt(0, 85_000)
        leads = [self.playout.lead_us]
        for second in range(1, 60):
            self.playout.adapt(second * 1_000_000, 0)
            leads.append(self.playout.lead_us)
        self.assertEqual(leads[:10], [140_000] * 10)
        self.assertEqual(leads[10:20], [120_000] * 10)
        self.assertEqual(leads[20:], [100_000] * 40)

    def test_trouble_again(self) -> None:
        """Another delay begins the quiet time anew."""
        self.playout.adapt(0, 85_000)
        self.playout.adapt(9_000_000, 85_000)
        self.playout.adapt(18_000_000, 0)
        self.assertEqual(self.playout.lead_us, 140_000)
        self.playout.adapt(19_000_000, 0)
        self.assertEqual(self.playout.lead_us, 120_000)

    def test_fixed(self) -> None:
        """By default it stays what it is."""
        self.playout = PlayoutClock(40_000)
        self.assertEqual(self.adapted(0, 50_000, 3_000_000), [40_000] * 3)

    def test_stalls_that_come_again(self) -> None:
        """Stalls of up to 230 ms leave a hole only the first time."""
        holes = []
        now_us = 0
        for stall_us in (20_000, 220_000, 20_000, 220_000, 230_000, 20_000, 200_000):
            now_us += stall_us
            self.playout.adapt(now_us, stall_us - FRAME_US)
            hole_us = now_us - self.playout.playing_until_us
            for _ in range(self.playout.frames_due(now_us)):
                self.playout.frame_sent(now_us)
            holes.append(max(0, hole_us))
        self.assertEqual(holes, [20_000, 120_000, 0, 0, 0, 0, 0])
