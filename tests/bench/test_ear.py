"""Tests for :mod:`twistedvoice.bench.ear`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.ear import Ear

MS = 1_000_000
FRAME = 160


class EarTests(SynchronousTestCase):
    """A playout buffer, and gaps between frames."""

    def setUp(self) -> None:
        self.ear = Ear(60 * MS)

    def sound(self, *times_ms: float) -> None:
        """A frame comes at each of these times."""
        for at_ms in times_ms:
            self.ear.sound(int(at_ms * MS), FRAME)

    def test_even(self) -> None:
        """Frames on the grid are no deviation and no hole."""
        self.sound(*range(0, 1000, 20))
        heard = self.ear.heard(0, 1000 * MS)
        self.assertEqual(len(heard.deviations_ms), 49)
        self.assertEqual(heard.deviations_ms.max(), 0)
        self.assertEqual((heard.sound_ns, heard.underruns_ns), (1000 * MS, []))

    def test_deviations(self) -> None:
        """Early and late count the same, against the length of the frame before."""
        self.sound(0, 25, 40)
        self.ear.sound(60 * MS, 2 * FRAME)
        self.sound(100)
        off = self.ear.heard(0, 1000 * MS).deviations_ms
        self.assertEqual(off.tolist(), [5, 5, 0, 0])

    def test_late_within_the_buffer(self) -> None:
        """What comes while something still plays is no hole, however late."""
        self.sound(0, 80)
        self.assertEqual(self.ear.heard(0, 1000 * MS).underruns_ns, [])

    def test_underrun(self) -> None:
        """What comes after all was played is a hole, and the buffer waits anew."""
        self.sound(0, 90)
        self.assertEqual(self.ear.heard(0, 1000 * MS).underruns_ns, [10 * MS])
        self.assertEqual(self.ear.played_at(90 * MS), 170 * MS)

    def test_window(self) -> None:
        """Only what comes in the window counts; a gap needs both of its ends."""
        self.sound(0, 100, 120, 150)
        heard = self.ear.heard(100 * MS, 150 * MS)
        self.assertEqual(heard.deviations_ms.tolist(), [0])
        self.assertEqual((heard.sound_ns, heard.underruns_ns), (40 * MS, [20 * MS]))
        self.assertEqual(self.ear.heard(101 * MS, 150 * MS).underruns_ns, [])

    def test_nothing(self) -> None:
        """An ear that heard nothing has no gaps."""
        heard = self.ear.heard(0, MS)
        self.assertEqual((len(heard.deviations_ms), heard.sound_ns), (0, 0))
        self.assertEqual(self.ear.played_at(7), 7)

    def test_clear(self) -> None:
        """After a clear the next sound begins anew, without a hole."""
        self.sound(0)
        self.ear.clear()
        self.assertEqual(self.ear.played_at(5 * MS), 5 * MS)
        self.sound(900)
        self.assertEqual(self.ear.heard(0, 1000 * MS).underruns_ns, [])
