"""How much of an utterance was heard, to the sample of the clock."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import FRAME_US
from twistedvoice.realtime.spoken import Spoken

from ..carriers.junk import steady

#: The holes before each frame, most of them none.
HOLES = st.lists(st.just(0) | st.integers(0, 90_000), min_size=1, max_size=30)


def spoken_with(holes: Sequence[int]) -> tuple[Spoken, list[int]]:
    """:returns: an utterance with these holes, and where each frame of it starts."""
    spoken, starts, end_us = Spoken(0), list[int](), 1_000
    for hole_us in holes:
        starts.append(end_us + hole_us)
        spoken.frame_sent(starts[-1])
        end_us = starts[-1] + FRAME_US
    return spoken, starts


def heard_by_ear(starts: Sequence[int], now_us: int) -> int:
    """:returns: how much of frames that start then was heard, counted one by one."""
    return sum(min(max(now_us - start_us, 0), FRAME_US) for start_us in starts)


class SpokenTests(SynchronousTestCase):
    """What :class:`Spoken` knows of one utterance [BI-4]."""

    def test_nothing_sent(self) -> None:
        """Before its first frame nothing was heard, whatever the time."""
        spoken = Spoken(3)
        self.assertEqual((spoken.generation, spoken.sent_us), (3, 0))
        self.assertEqual(spoken.heard_us(5_000_000), 0)
        self.assertIsNone(spoken.span_us)

    def test_span(self) -> None:
        """It begins with its first frame and ends with its last, holes among them."""
        spoken, starts = spoken_with([0, 30_000, 0])
        self.assertEqual(spoken.span_us, (1_000, starts[-1] + FRAME_US))

    def test_heard(self) -> None:
        """What was heard grows with the clock, microsecond by microsecond."""
        spoken, _ = spoken_with([0, 0, 0])
        heard = [spoken.heard_us(now_us) for now_us in (0, 1_000, 1_001, 20_999)]
        self.assertEqual(heard, [0, 0, 1, 19_999])
        self.assertEqual(spoken.heard_us(61_000), 60_000)
        self.assertEqual(spoken.heard_us(9_000_000), 60_000)

    def test_hole_is_told(self) -> None:
        """A frame says how long it was silent before it, inside the utterance only."""
        spoken = Spoken(0)
        self.assertEqual(spoken.frame_sent(700_000), 0)
        self.assertEqual(spoken.frame_sent(720_000), 0)
        self.assertEqual(spoken.frame_sent(775_000), 35_000)

    @steady
    @given(HOLES, st.integers(0, 3_000_000))
    def test_holes_are_not_heard(self, holes: list[int], now_us: int) -> None:
        """At any time, what was heard is the played part of each frame."""
        spoken, starts = spoken_with(holes)
        self.assertEqual(spoken.heard_us(now_us), heard_by_ear(starts, now_us))
        self.assertEqual(spoken.sent_us, len(holes) * FRAME_US)

    @steady
    @given(HOLES, st.integers(0, 3_000_000), st.integers(0, 3_000_000))
    def test_cut(self, holes: list[int], cut_us: int, later_us: int) -> None:
        """A cut freezes what was heard, for good, and never adds to it."""
        spoken, starts = spoken_with(holes)
        spoken.cut(cut_us)
        heard_us = heard_by_ear(starts, cut_us)
        self.assertEqual(spoken.heard_us(cut_us + later_us), heard_us)
        self.assertEqual(spoken.sent_us, len(holes) * FRAME_US)

    @steady
    @given(st.integers(0, 500_000), st.integers(0, 500_000))
    def test_cut_twice(self, first_us: int, second_us: int) -> None:
        """Of two cuts the earlier counts."""
        spoken, starts = spoken_with([0] * 20)
        spoken.cut(first_us)
        spoken.cut(second_us)
        heard_us = heard_by_ear(starts, min(first_us, second_us))
        self.assertEqual(spoken.heard_us(900_000), heard_us)
