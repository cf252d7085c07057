"""Tests for :mod:`twistedvoice.recording.farend`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.farend import FarEnd, Shift

FRAME = 20_000
SECOND = 1_000_000


class FarEndTests(SynchronousTestCase):
    """Where our sound is heard."""

    def setUp(self) -> None:
        self.far = FarEnd()

    def say(self, start_us: int, frames: int, ahead_us: int = 0) -> list[int]:
        """Play frames without a hole. :returns: where they lie."""
        return [
            self.far.place(start_us + number * FRAME, FRAME, ahead_us)
            for number in range(frames)
        ]

    def known(self, delay_us: int) -> None:
        """Let a first utterance tell the delay; it ends at one second."""
        self.say(0, 50)
        self.far.echoed(SECOND, SECOND + delay_us, 0)

    def test_unknown(self) -> None:
        """Until something is known, sound lies where our clock says."""
        self.assertEqual(self.say(SECOND, 2), [SECOND, SECOND + FRAME])
        self.assertEqual(self.far.delay_us, 0)

    def test_first_echo(self) -> None:
        """The first echo moves what was said so far, and places what follows."""
        self.say(0, 50)
        shifts = self.far.echoed(SECOND, SECOND + 80_000, 0)
        self.assertEqual(shifts, [Shift(0, SECOND, 80_000)])
        self.assertEqual(self.say(3 * SECOND, 1), [3 * SECOND + 80_000])

    def test_as_expected(self) -> None:
        """An echo up to a frame late says nothing new."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        self.assertEqual(self.far.echoed(4 * SECOND, 4 * SECOND + 99_000, 0), [])
        self.assertEqual(self.far.delay_us, 80_000)

    def test_earlier_than_expected(self) -> None:
        """An echo is never early, so an earlier one is nearer to the truth."""
        self.known(95_000)
        self.say(3 * SECOND, 50)
        shifts = self.far.echoed(4 * SECOND, 4 * SECOND + 80_000, 0)
        placed = 3 * SECOND + 95_000
        self.assertEqual(shifts, [Shift(placed, placed + SECOND, -15_000)])

    def test_small_hole(self) -> None:
        """The carrier's buffer plays on through a hole that is shorter than it."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        at_us = 4 * SECOND + 30_000
        self.assertEqual(self.say(at_us, 1), [4 * SECOND + 80_000])

    def test_large_hole(self) -> None:
        """After a longer hole the buffer fills anew."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        self.assertEqual(self.say(4 * SECOND + 90_000, 1), [4 * SECOND + 170_000])

    def test_hole_that_used_the_buffer_up(self) -> None:
        """Only what follows the hole moves: what came before it was right."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        start_us = 4 * SECOND + 85_000
        self.say(start_us, 50)
        end_us = start_us + SECOND
        shifts = self.far.echoed(end_us, end_us + 10_000, 0)
        placed = start_us + 80_000
        self.assertEqual(shifts, [Shift(placed, placed + SECOND, -70_000)])

    def test_holes_add_up(self) -> None:
        """What an earlier hole took of the buffer is not there for the next."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        self.say(4 * SECOND + FRAME, 50)
        self.say(5 * SECOND + 3 * FRAME, 50)
        end_us = 6 * SECOND + 3 * FRAME
        self.far.echoed(end_us, end_us + 80_000, 0)
        self.say(8 * SECOND, 50)
        at_us = 9 * SECOND + 2 * FRAME
        self.assertEqual(self.say(at_us, 1), [9 * SECOND + 80_000])

    def test_broken_off(self) -> None:
        """An echo says nothing of a hole in what was said before a pause."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        self.say(4 * SECOND + 30_000, 50)
        cut_us = self.far.cleared(4 * SECOND + 500_000, 0)
        self.say(6 * SECOND, 50)
        shifts = self.far.echoed(7 * SECOND, 7 * SECOND + 74_000, 0)
        middle_us, last_us = 4 * SECOND + 80_000, 6 * SECOND + 80_000
        self.assertEqual(
            shifts,
            [
                Shift(3 * SECOND + 80_000, middle_us, -6_000),
                Shift(middle_us, cut_us, -6_000),
                Shift(last_us, last_us + SECOND, -6_000),
            ],
        )

    def test_later_sound_follows(self) -> None:
        """What was placed after the sound that moves, moves with the new delay."""
        self.say(0, 50)
        self.say(2 * SECOND, 10)
        shifts = self.far.echoed(SECOND, SECOND + 60_000, 0)
        self.assertEqual(
            shifts,
            [Shift(0, SECOND, 60_000), Shift(2 * SECOND, 2_200_000, 60_000)],
        )

    def test_confirmed_stays(self) -> None:
        """What an echo confirmed is never moved again."""
        self.known(80_000)
        self.say(SECOND + 10_000, 50)
        shifts = self.far.echoed(2 * SECOND + 10_000, 2 * SECOND, 0)
        for at_us, _, by_us in shifts:
            self.assertGreaterEqual(at_us + by_us, SECOND + 80_000)

    def test_strange_echo(self) -> None:
        """An echo of nothing that was said moves nothing."""
        self.assertEqual(self.far.echoed(SECOND, SECOND, 0), [])
        self.known(80_000)
        self.assertEqual(self.far.echoed(SECOND // 2, 9 * SECOND, 0), [])

    def test_cleared(self) -> None:
        """A clear cuts where the carrier gets it; sound after it waits anew."""
        self.known(80_000)
        self.say(3 * SECOND, 50)
        cut_us = 3 * SECOND + 500_000
        self.assertEqual(self.far.cleared(cut_us, 0), cut_us)
        self.assertEqual(self.say(cut_us, 1), [cut_us + 80_000])

    def test_cleared_before_it_was_heard(self) -> None:
        """Of what the buffer still held nothing is heard."""
        self.known(80_000)
        self.say(3 * SECOND, 3)
        self.far.cleared(3 * SECOND + 60_000, 0)
        self.assertEqual(self.say(3 * SECOND + 60_000, 1), [3 * SECOND + 140_000])

    def test_carrier_ahead(self) -> None:
        """What the carrier's clock is ahead is added, and is no delay."""
        self.assertEqual(self.say(0, 50, 500_000)[0], 500_000)
        self.far.echoed(SECOND, SECOND + 560_000, 500_000)
        self.assertEqual(self.far.delay_us, 60_000)
        self.assertEqual(self.say(5 * SECOND, 1, 510_000), [5 * SECOND + 570_000])
