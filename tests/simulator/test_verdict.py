"""Tests for :mod:`twistedvoice.simulator.verdict`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.babble import RATE, beside
from tests.simulator.calls import HEARD, SAID, finished_call
from twistedvoice.audio import pcm
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.errors import AudioFormatError
from twistedvoice.formats import MULAW_8K
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.verdict import (
    Verdict,
    call_problems,
    judge_tracks,
    track_problems,
)

SILENCE = np.zeros(22 * RATE, np.int16)


class VerdictTests(SynchronousTestCase):
    """The exit code."""

    def test_exit_codes(self) -> None:
        """Right is 0, late is 3, and wrong is 1 whether late or not."""
        codes = [
            Verdict(problems=problems, underruns=underruns).exit_code
            for problems in ([], ["bad"])
            for underruns in (0, 2)
        ]
        self.assertEqual(codes, [0, 3, 1, 1])


class CallProblemsTests(SynchronousTestCase):
    """What went wrong on the line."""

    def test_good_call(self) -> None:
        """A call that went to its end has no problem, even with underruns."""
        journal = finished_call()
        journal.underruns.append((1000.0, 30.0))
        self.assertEqual(list(call_problems(journal)), [])

    def test_bad_call(self) -> None:
        """Each thing that went wrong is a sentence."""
        journal = Journal(outcome="hung_up")
        journal.note(1.0, "problem", "not JSON")
        self.assertEqual(
            list(call_problems(journal)),
            [
                "the call ended as 'hung up'",
                "the caller heard nothing",
                "the service sent what a carrier refuses: not JSON",
            ],
        )


class TracksTests(SynchronousTestCase):
    """The recording against what was on the line."""

    def recorded(self, *tracks: NDArray[np.int16]) -> Path:
        """:returns: a recording with these tracks."""
        path = Path(self.mktemp())
        size = min(map(len, tracks))
        together = np.stack([track[:size] for track in tracks], axis=1).reshape(-1)
        writer = WavWriter(path, MULAW_8K, len(tracks))
        writer.write(pcm.encode(together, MULAW_8K))
        writer.close()
        return path

    def wrong_sides(self, *tracks: NDArray[np.int16]) -> list[str]:
        """:returns: whose track is wrong in a recording with these tracks."""
        found = judge_tracks(finished_call(), self.recorded(*tracks))
        self.assertEqual(list(found), ["caller", "service"])
        wrong = [side for side, each in found.items() if not each.right]
        self.assertEqual(len(list(track_problems(found))), len(wrong))
        return wrong

    def test_right(self) -> None:
        """The caller on the left and the service on the right are right."""
        self.assertEqual(self.wrong_sides(SAID, HEARD), [])

    def test_before_the_playout_buffer(self) -> None:
        """The service records what it sent, which the ear hears a little later."""
        early = beside(HEARD[60 * RATE // 1000 :], 0.06)
        self.assertEqual(self.wrong_sides(SAID, early), [])

    def test_swapped(self) -> None:
        """Swapped tracks are both wrong."""
        self.assertEqual(self.wrong_sides(HEARD, SAID), ["caller", "service"])

    def test_shifted(self) -> None:
        """A track that is 320 ms late is wrong, and only that one."""
        self.assertEqual(self.wrong_sides(SAID, beside(0.32, HEARD)), ["service"])
        self.assertEqual(self.wrong_sides(beside(0.32, SAID), HEARD), ["caller"])

    def test_silent(self) -> None:
        """A silent track is wrong."""
        self.assertEqual(self.wrong_sides(SAID, SILENCE), ["service"])
        self.assertEqual(self.wrong_sides(SILENCE, HEARD), ["caller"])

    def test_one_channel(self) -> None:
        """A recording with one channel cannot be judged."""
        path = self.recorded(SAID)
        error = self.assertRaises(AudioFormatError, judge_tracks, finished_call(), path)
        self.assertIn("1 channels, not 2", str(error))
