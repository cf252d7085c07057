"""Tests for :mod:`twistedvoice.recording.heard`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.heard import HeardTrack, Jump

SIZE = 160
FAR = 10**10
MINUTE = 60 * 8000


def frame(number: int) -> bytes:
    """:returns: a frame that can be told from others."""
    return bytes([number % 250]) * SIZE


class HeardTestCase(SynchronousTestCase):
    """Has a track, and frames that come at their time."""

    def setUp(self) -> None:
        self.track = HeardTrack(MULAW_8K)
        self.now = 0

    def come(self, *numbers: int, stamp: int | None = None) -> None:
        """Let frames come one after the other, each stamped with its number."""
        for number in numbers:
            self.now += SIZE
            position = number * SIZE if stamp is None else stamp
            self.track.place(position, frame(number), self.now, self.now + MINUTE)

    def sound(self) -> dict[int, int]:
        """:returns: which frame begins in which place."""
        return {position: payload[0] for position, payload in self.track.take()}


class OrderTests(HeardTestCase):
    """Frames that are lost, late, repeated or out of order."""

    def test_lost(self) -> None:
        """What is lost leaves a gap of its exact length, told when it is final."""
        self.come(0, 1)
        self.now += 2 * SIZE
        self.come(4, 5)
        self.assertEqual(self.sound(), {0: 0, 160: 1, 640: 4, 800: 5})
        self.assertEqual(self.track.gaps(), [])
        self.assertEqual(self.track.finish(), [(320, 640)])

    def test_final_in_time(self) -> None:
        """A gap of ten seconds ago is final while the call goes on."""
        self.now = SIZE
        self.come(1, *range(2, 600))
        self.assertEqual(self.track.gaps(), [(0, SIZE)])
        self.assertEqual(self.track.gaps(), [])
        self.assertEqual(self.track.finish(), [])

    def test_out_of_order(self) -> None:
        """Frames that overtook each other lie in the order of their stamps."""
        self.come(0)
        self.now += 4 * SIZE
        self.come(3, 1, 4, 2)
        self.assertEqual(sorted(self.sound().values()), [0, 1, 2, 3, 4])
        self.assertEqual(self.track.finish(), [])
        self.assertEqual(self.track.dropped, 0)

    def test_repeated(self) -> None:
        """What is there already is dropped, also half a second of it in a row."""
        self.come(*range(40))
        self.come(*range(10, 35))
        self.come(40)
        self.assertEqual(len(self.sound()), 41)
        self.assertEqual(self.track.dropped, 25)
        self.assertEqual(self.track.jumps, [])

    def test_fills_half_a_gap(self) -> None:
        """Of a frame that fits a gap in part, that part is taken."""
        self.come(0)
        self.now += 4 * SIZE
        self.come(3, 4)
        self.track.place(80, frame(9), self.now, FAR)
        self.assertEqual(self.sound(), {0: 0, 480: 3, 640: 4, 160: 9})
        self.assertEqual(self.track.finish(), [(240, 480)])

    def test_empty(self) -> None:
        """A frame without sound is nothing."""
        self.track.place(1000, b"", FAR, FAR)
        self.assertEqual((self.track.end, self.track.finish()), (0, []))

    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(st.integers(0, 3), min_size=30, max_size=30),
        st.sets(st.integers(0, 27)),
    )
    def test_any_order(self, overtaken: list[int], lost: set[int]) -> None:
        """Frames that overtake a few others are in their places, each once."""
        track = HeardTrack(MULAW_8K)
        order = sorted(range(30), key=lambda number: number + overtaken[number])
        came = [number for number in order if number not in lost]
        for number in came:
            track.place(number * SIZE, frame(number), FAR, FAR)
        track.finish()
        self.assertEqual(dict(track.take()), {n * SIZE: frame(n) for n in came})

    def test_last_one_after_a_gap(self) -> None:
        """The last frame of all needs no other to be believed."""
        self.come(0)
        self.now += SIZE
        self.come(2)
        self.assertEqual(self.track.finish(), [(160, 320)])
        self.assertEqual(self.sound(), {0: 0, 320: 2})


class StampTests(HeardTestCase):
    """Stamps that cannot be."""

    def test_one_wrong_stamp(self) -> None:
        """It costs its own frame; the true frames after it are all there."""
        for wrong in (200 * 8, 300 * 8, 1200 * 8, 8000 * 8, 10**13):
            self.setUp()
            self.now = 20_000 if wrong < 20_000 else 0
            self.come(0, 1)
            self.come(2, stamp=wrong)
            self.come(*range(3, 30))
            self.assertEqual(self.track.finish(), [(320, 480)])
            self.assertEqual(list(self.sound().values()), [0, 1, *range(3, 30)])
            self.assertEqual(self.track.dropped, 1)

    def test_two_wrong_stamps(self) -> None:
        """Wrong stamps that do not follow each other confirm nothing."""
        self.come(0, 1)
        self.come(2, stamp=80_000)
        self.come(3, stamp=90_000)
        self.come(4, stamp=100_000)
        self.come(5, 6)
        self.assertEqual(list(self.sound().values()), [0, 1, 5, 6])
        self.assertEqual(self.track.dropped, 3)

    def test_stamps_behind_real_time(self) -> None:
        """A burst after a stall is in its place: real time has passed it."""
        self.come(0, 1)
        self.now += 100 * SIZE
        self.come(*range(2, 60))
        self.assertEqual(len(self.sound()), 60)
        self.assertEqual(self.track.finish(), [])

    def test_clock_jumps(self) -> None:
        """A jump ahead of real time is believed once three frames confirm it."""
        self.come(0, 1)
        self.come(*range(402, 405))
        self.assertEqual(
            list(self.sound()), [0, 160, 402 * SIZE, 403 * SIZE, 404 * SIZE]
        )
        self.assertEqual(self.track.finish(), [(320, 402 * SIZE)])
        self.assertEqual(self.track.jumps, [Jump(402 * SIZE, 0)])

    def test_clock_jumps_beyond_belief(self) -> None:
        """After a jump of hours real time places the frames, without a seam."""
        self.come(*range(10))
        for number in range(10, 20):
            self.come(number, stamp=10**12 + number * SIZE)
        self.assertEqual(list(self.sound().values()), list(range(20)))
        self.assertEqual(self.track.end, 20 * SIZE)
        self.assertEqual(self.track.jumps, [Jump(10 * SIZE, -(10**12))])
        self.assertEqual(self.track.dropped, 0)

    def test_clock_begins_anew(self) -> None:
        """After a second of stamps from the past real time places the frames."""
        self.come(*range(200))
        for number in range(100):
            self.come(number, stamp=number * SIZE)
        self.assertEqual(len(self.sound()), 300)
        self.assertEqual(self.track.end, 300 * SIZE)
        self.assertEqual(self.track.jumps, [Jump(200 * SIZE, 200 * SIZE)])

    def test_faster_than_time(self) -> None:
        """Who sends more than time has passed fills a minute ahead, and no more."""
        for number in range(10_000):
            self.track.place(number * SIZE, frame(number), 0, MINUTE)
        self.assertEqual(self.track.end, MINUTE)
        self.assertEqual(self.track.dropped, 7000)

    def test_many_jumps(self) -> None:
        """However often the clock jumps, the recording grows with real time."""
        for number in range(3000):
            self.come(number, stamp=number // 3 * 40 * 8000 + number % 3 * SIZE)
        self.assertLessEqual(self.track.end, self.now + MINUTE)

    def test_doubted_at_the_end(self) -> None:
        """What nothing confirmed before the end is dropped."""
        self.come(0)
        self.come(1, stamp=80_000)
        self.track.finish()
        self.assertEqual(self.track.dropped, 1)
