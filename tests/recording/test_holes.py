"""Tests of finding what one copy lacks."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.loudness import Loudness
from twistedvoice.recording.holes import Span, holes

LOUD, QUIET = 3000.0, 1.0


def spoken(*parts: tuple[int, float]) -> Loudness:
    """:returns: a channel of so many frames of so much, one after the other."""
    rms = np.concatenate([np.full(frames, level) for frames, level in parts])
    return Loudness(rms, 300.0)


class HolesTests(SynchronousTestCase):
    """What one copy lacks."""

    def test_hole(self) -> None:
        """Sound against silence is a hole, whole and where it is."""
        has = spoken((50, QUIET), (100, LOUD), (50, QUIET))
        lacks = spoken((50, QUIET), (30, LOUD), (15, QUIET), (55, LOUD), (50, QUIET))
        self.assertEqual(list(holes(has, lacks)), [Span(80, 15)])
        self.assertEqual(list(holes(lacks, has)), [])

    def test_short(self) -> None:
        """What is missing for less than 200 ms is no hole."""
        has = spoken((200, LOUD))
        for frames, count in ((9, 0), (12, 1)):
            lacks = spoken((100, LOUD), (frames, QUIET), (100 - frames, LOUD))
            self.assertEqual(len(list(holes(has, lacks))), count)

    def test_across_a_syllable(self) -> None:
        """A short pause of the speaker does not cut a hole in two."""
        has = spoken((100, LOUD), (8, QUIET), (92, LOUD))
        lacks = spoken((90, LOUD), (40, QUIET), (70, LOUD))
        self.assertEqual(list(holes(has, lacks)), [Span(90, 40)])

    def test_beside(self) -> None:
        """Sound that lies up to 80 ms beside its place is not missing."""
        has = spoken((50, QUIET), (100, LOUD), (50, QUIET), (20, LOUD), (30, QUIET))
        for aside in (-4, 3, 4):
            lacks = Loudness(np.roll(has.rms, aside), has.limit)
            self.assertEqual(list(holes(has, lacks)), [], aside)
            self.assertEqual(list(holes(lacks, has)), [], aside)

    def test_fading(self) -> None:
        """What is between sound and silence is not missing, and lacks nothing."""
        has, fades = spoken((100, LOUD)), spoken((100, 200.0))
        self.assertEqual(list(holes(has, fades)), [])
        self.assertEqual(list(holes(fades, spoken((100, QUIET)))), [])
