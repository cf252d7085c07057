"""Tests for :mod:`twistedvoice.audio.loudness`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from tests.recording.copies import RATE, kept
from twistedvoice.audio.loudness import Loudness, loudness, loudness_of, runs
from twistedvoice.audio.wav import WavFile


class LoudnessTests(SynchronousTestCase):
    """How loud a file is."""

    def loudness(
        self, *channels: np.ndarray[tuple[int], np.dtype[np.int16]]
    ) -> list[Loudness]:
        """:returns: the loudness of a file with these channels."""
        with WavFile(kept(Path(self.mktemp()), *channels)) as file:
            return loudness(file)

    def test_levels(self) -> None:
        """Each whole frame of each channel has its level, across all chunks."""
        step = np.repeat(np.arange(4000, dtype=np.int16), 160)
        left, right = self.loudness(step, step[::-1])
        self.assertEqual(len(left.rms), 4000)
        np.testing.assert_allclose(left.rms, np.arange(4000))
        np.testing.assert_allclose(right.rms, np.arange(4000)[::-1])

    def test_begun_frame(self) -> None:
        """A frame that is not whole does not count; an empty file has none."""
        for samples, frames in ((0, 0), (159, 0), (161, 1)):
            left, _ = self.loudness(*[np.full(samples, 900, np.int16)] * 2)
            self.assertEqual(len(left.rms), frames)

    def test_sound_and_silence(self) -> None:
        """Sound and silence are told by the channel's own speech and noise."""
        random = np.random.default_rng(1)
        speech = random.normal(size=2 * RATE) * 4000
        pause = random.normal(size=3 * RATE)
        for noise, is_silence in ((0, True), (30, True), (800, False)):
            channel = np.concatenate([speech, pause * noise]).astype(np.int16)
            found, _ = self.loudness(channel, channel)
            self.assertTrue(found.sound[:100].all(), noise)
            self.assertFalse(found.sound[100:].any(), noise)
            self.assertEqual(bool(found.silence[100:].all()), is_silence)

    def test_in_memory(self) -> None:
        """Sound in memory is as loud as it is in a file, whatever its length."""
        noise = np.random.default_rng(2).normal(size=1999) * 2000
        channel = noise.astype(np.int16)
        in_file, _ = self.loudness(channel, channel)
        in_memory = loudness_of(channel, RATE)
        np.testing.assert_allclose(in_memory.rms, in_file.rms)
        self.assertEqual(in_memory.limit, in_file.limit)
        self.assertEqual(len(loudness_of(channel[:0], RATE).rms), 0)

    def test_runs(self) -> None:
        """Each run has a begin and an end, also at the edges."""
        flags = np.array([True, True, False, True, False, False, True])
        self.assertEqual(runs(flags), [(0, 2), (3, 4), (6, 7)])
        self.assertEqual(runs(~flags), [(2, 3), (4, 6)])
        self.assertEqual(runs(flags[:0]), [])
