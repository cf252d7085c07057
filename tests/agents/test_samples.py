# -*- test-case-name: tests.agents.test_samples -*-
"""The sound files that ship are what their page says: speech at a telephone's level."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import numpy.typing as npt
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents import prompts
from twistedvoice.audio.wav import Sound, read_wav
from twistedvoice.simulator import speech

FILES = [
    path
    for package in (prompts, speech)
    for path in sorted(Path(package.__path__[0]).glob("*.wav"))
]
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sample-prompts.rst"


def dbfs(value: float) -> float:
    """:returns: a level of 16-bit samples in decibels below full scale."""
    return float(20 * np.log10(value / 32768))


def frame_levels(sound: Sound) -> npt.NDArray[np.float64]:
    """:returns: the RMS of each 20 ms."""
    samples = sound.mono().astype(np.float64)
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    levels: npt.NDArray[np.float64] = np.sqrt(np.mean(frames**2, axis=1))
    return levels


class SampleTests(SynchronousTestCase):
    """Each file, measured."""

    def test_all_are_documented(self) -> None:
        """The page has every file, and the files stay small."""
        page = PAGE.read_text("utf-8")
        self.assertEqual(len(FILES), 13)
        for path in FILES:
            self.assertIn(f"``{path.name}``", page)
        self.assertLess(sum(path.stat().st_size for path in FILES), 1_500_000)

    def test_level(self) -> None:
        """Speech is at -20 dBFS, and nothing clips."""
        for path in FILES:
            sound = read_wav(path)
            levels = frame_levels(sound)
            spoken = levels[levels > levels.max() * 10 ** (-25 / 20)]
            level = dbfs(float(np.sqrt(np.mean(spoken**2))))
            self.assertTrue(-22 < level < -19, f"{path.name}: {level}")
            peak = int(np.abs(sound.samples.astype(np.int32)).max())
            self.assertLess(dbfs(peak), -3)

    def test_trimmed(self) -> None:
        """Speech begins, and ends, within a fifth of a second of its file."""
        for path in FILES:
            levels = frame_levels(read_wav(path))
            loud = np.flatnonzero(levels > levels.max() * 10 ** (-40 / 20))
            self.assertLess(loud[0], 10, path.name)
            self.assertGreater(loud[-1], len(levels) - 10, path.name)

    def test_telephone(self) -> None:
        """Files are mono at the telephone's rate, and need no resampling."""
        for path in FILES:
            sound = read_wav(path)
            self.assertEqual((sound.rate, sound.samples.shape[1]), (8000, 1))

    def test_hold_tune(self) -> None:
        """The tune is what its notes make it, and is repeated without a click."""
        tune = runpy.run_path(str(ROOT / "tools" / "make_hold_tune.py"))["tune"]()
        [path] = [path for path in FILES if path.name == "hold.wav"]
        samples = read_wav(path).mono().astype(np.int32)
        self.assertLessEqual(int(np.abs(samples - tune).max()), 1)
        steps = np.abs(np.diff(samples))
        self.assertLess(abs(int(samples[0]) - int(samples[-1])), steps.max())
