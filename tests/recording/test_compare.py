"""Tests of comparing two copies of a call: the figures, within stated bounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from tests.recording.copies import Samples, call, kept, later, wav
from tests.simulator.babble import RATE, babble, beside
from twistedvoice.audio import pcm
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.errors import AudioFormatError
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.compare import Comparison, Hole, compare

SECONDS = 20
CALLER, SERVICE = call(SECONDS)
#: A call that is long enough to tell a drift.
LONG = 70
LONG_CALL = call(LONG)
#: When the carrier's copy began, as a rule.
LATE = 1.3
SILENCE = np.zeros_like(CALLER)


def drifting(sound: Samples, ppm: float) -> Samples:
    """:returns: the sound by a clock that makes it so much shorter."""
    at = np.arange(0, len(sound) - 1, 1 + ppm / 1e6)
    return np.asarray(np.interp(at, np.arange(len(sound)), sound), np.int16)


def with_hole(sound: Samples, at: float, seconds: float) -> Samples:
    """:returns: the sound, silent for so long."""
    damaged = sound.copy()
    damaged[round(at * RATE) : round((at + seconds) * RATE)] = 0
    return damaged


def noisy(sound: Samples, decibels: float) -> Samples:
    """:returns: the sound with noise that much below it."""
    noise = np.random.default_rng(7).normal(size=len(sound)) * sound.std()
    return np.asarray(sound + noise / 10 ** (decibels / 20), np.int16)


class CompareTestCase(SynchronousTestCase):
    """Has two copies."""

    def compare(
        self, theirs: Sequence[Samples], ours: Sequence[Samples] = (CALLER, SERVICE)
    ) -> Comparison:
        """:returns: what is found of these channels."""
        return compare(
            kept(Path(self.mktemp()), *ours), kept(Path(self.mktemp()), *theirs)
        )


class AlikeTests(CompareTestCase):
    """What harms nothing, and is measured all the same."""

    def assert_offset(self, found: Comparison, seconds: float) -> None:
        """Both channels lie there, to the sample, from beginning to end."""
        for channel in found.channels.values():
            self.assertEqual(channel.offset_ms, seconds * 1000)
            self.assertEqual(channel.offset_end_ms, seconds * 1000)
            self.assertEqual(channel.wander_ms, 0.0)

    def test_same(self) -> None:
        """A copy of the same is alike in every figure."""
        found = self.compare((CALLER, SERVICE))
        self.assertEqual((found.verdict, found.swapped), ("alike", False))
        self.assertEqual(found.compared_ms, SECONDS * 1000)
        self.assertEqual((found.ours_ms, found.theirs_ms), (SECONDS * 1000,) * 2)
        self.assertEqual(
            (found.skew_ms, list(found.channels)), (0.0, ["caller", "service"])
        )
        self.assert_offset(found, 0.0)
        for channel in found.channels.values():
            self.assertEqual((channel.match, channel.level_db), (1.0, 0.0))
            self.assertEqual((channel.hole_count, channel.holes), (0, ()))

    def test_later(self) -> None:
        """A copy that began later, or earlier, is alike; the offset says when."""
        found = self.compare((later(LATE, CALLER), later(LATE, SERVICE)))
        self.assertEqual((found.verdict, found.compared_ms), ("alike", 18700))
        self.assert_offset(found, LATE)
        found = self.compare((beside(LATE, CALLER), beside(LATE, SERVICE)))
        self.assertEqual((found.verdict, found.compared_ms), ("alike", 20000))
        self.assert_offset(found, -LATE)

    def test_level(self) -> None:
        """Half as loud is 6 dB less."""
        found = self.compare((CALLER // 2, SERVICE * 2))
        self.assertEqual(found.verdict, "alike")
        self.assertEqual(found.channels["caller"].level_db, -6.0)
        self.assertEqual(found.channels["service"].level_db, 6.0)

    def test_swapped(self) -> None:
        """The service on the left is said, and compared with the service."""
        found = self.compare((later(LATE, SERVICE), later(LATE, CALLER // 2)))
        self.assertEqual((found.verdict, found.swapped), ("alike", True))
        self.assert_offset(found, LATE)
        self.assertEqual(found.channels["caller"].level_db, -6.0)

    def test_drift(self) -> None:
        """A clock that is 50 ppm off is found within 5 ppm, and harms nothing."""
        found = self.compare([drifting(side, 50) for side in LONG_CALL], LONG_CALL)
        self.assertEqual(found.verdict, "alike")
        for channel in found.channels.values():
            self.assertApproximates(channel.drift_ppm, 50.0, 5.0)
            self.assertApproximates(channel.offset_end_ms, LONG * 0.05, 0.6)

    def test_noise(self) -> None:
        """Noise 12 dB below the sound makes no hole, in speech or in pauses."""
        found = self.compare((noisy(CALLER, 12), noisy(SERVICE, 12)))
        self.assertEqual(found.verdict, "alike")
        self.assertGreater(found.channels["caller"].match or 0, 0.9)
        self.assert_offset(found, 0.0)

    def test_jitter_buffer(self) -> None:
        """Utterances that lie 60 ms apart from each other harm nothing."""
        moved = np.concatenate(
            [
                np.roll(turn, (at % 2) * 480)
                for at, turn in enumerate(np.split(LONG_CALL[1], LONG // 10))
            ]
        )
        found = self.compare((LONG_CALL[0], moved), LONG_CALL)
        self.assertEqual(found.verdict, "alike")
        self.assertApproximates(found.channels["service"].wander_ms, 45.0, 15.0)
        self.assertApproximates(found.skew_ms, 30.0, 30.0)

    def test_mulaw(self) -> None:
        """Our mu-law is like their linear samples, and theirs may be mu-law too."""
        ours = Path(self.mktemp())
        writer = WavWriter(ours, MULAW_8K, channels=2)
        writer.write(pcm.encode(np.stack([CALLER, SERVICE], 1).ravel(), MULAW_8K))
        writer.close()
        linear = kept(Path(self.mktemp()), CALLER, SERVICE)
        for theirs in (linear, ours):
            found = compare(ours, theirs)
            self.assertEqual(found.verdict, "alike")
            self.assertGreater(found.channels["caller"].match or 0, 0.99)

    def test_one_side_only(self) -> None:
        """A side that said nothing, in both, is silent; the call is alike."""
        found = self.compare((CALLER, SILENCE), (CALLER, SILENCE))
        self.assertEqual(found.verdict, "alike")
        self.assertEqual(found.channels["service"].verdict, "silent")
        self.assertIsNone(found.channels["service"].offset_ms)
        self.assertIsNone(found.skew_ms)

    def test_short_call(self) -> None:
        """A call of ten seconds is compared; it is too short to tell a drift."""
        short = slice(10 * RATE)
        found = self.compare((CALLER[short], SERVICE[short]), (CALLER, SERVICE))
        self.assertEqual((found.verdict, found.compared_ms), ("alike", 10_000))
        self.assertIsNone(found.channels["caller"].drift_ppm)


class UnlikeTests(CompareTestCase):
    """What is wrong, and is called so."""

    def test_hole(self) -> None:
        """300 ms that one copy lacks are found to 40 ms, and whose it is."""
        damaged = with_hole(SERVICE, 7.0, 0.3)
        found = self.compare((later(LATE, CALLER), later(LATE, damaged)))
        self.assertEqual(found.verdict, "holes")
        self.assertEqual(found.channels["caller"].verdict, "alike")
        service = found.channels["service"]
        self.assertEqual((service.hole_count, service.missing_in_ours_ms), (1, 0))
        self.assertApproximates(service.missing_in_theirs_ms, 300, 40)
        self.assertApproximates(service.holes[0].at_ms, 7000, 40)
        self.assertEqual(service.holes[0].missing_in, "theirs")
        found = self.compare((CALLER, SERVICE), (CALLER, damaged))
        service = found.channels["service"]
        self.assertEqual(service.missing_in_theirs_ms, 0)
        self.assertApproximates(service.missing_in_ours_ms, 300, 40)

    def test_silent_side(self) -> None:
        """A side that only one copy has is one hole after the other."""
        found = self.compare((CALLER, SILENCE))
        service = found.channels["service"]
        self.assertEqual((found.verdict, service.verdict), ("holes", "holes"))
        self.assertIsNone(service.match)
        self.assertGreater(service.missing_in_theirs_ms, 7_000)

    def test_many_holes(self) -> None:
        """No more than twenty holes are named; all are counted."""
        damaged = LONG_CALL[0].copy()
        for start in range(0, len(damaged), RATE // 2):
            damaged[start : start + 2400] = 0
        found = self.compare((damaged, LONG_CALL[1]), LONG_CALL).channels["caller"]
        self.assertGreater(found.hole_count, 20)
        self.assertEqual(len(found.holes), 20)

    def test_skew(self) -> None:
        """Sides that are 150 ms apart from each other are shifted; 60 are not."""
        for seconds, verdict in (
            (0.15, "shifted"),
            (-0.15, "shifted"),
            (0.06, "alike"),
        ):
            late = beside(seconds, SERVICE) if seconds > 0 else later(-seconds, SERVICE)
            found = self.compare((CALLER, late))
            self.assertEqual((found.verdict, found.skew_ms), (verdict, seconds * 1000))

    def test_much_drift(self) -> None:
        """A copy that is 2 in a thousand too short is shifted, and says how much."""
        found = self.compare([drifting(side, 2000) for side in LONG_CALL], LONG_CALL)
        self.assertEqual(found.verdict, "shifted")
        self.assertApproximates(found.channels["caller"].drift_ppm, 2000, 100)

    def test_jump(self) -> None:
        """A side that slips by 400 ms in the middle is shifted."""
        half = len(SERVICE) // 2
        slipped = beside(SERVICE[:half], 0.4, SERVICE[half:])
        found = self.compare((CALLER, slipped))
        self.assertEqual(found.channels["service"].verdict, "shifted")

    def test_other_call(self) -> None:
        """Another call is different, and nothing else is said of it."""
        found = self.compare((babble(98, SECONDS), babble(99, SECONDS)))
        self.assertEqual(found.verdict, "different")
        for channel in found.channels.values():
            self.assertLess(channel.match or 1, 0.5)
            self.assertEqual((channel.hole_count, channel.offset_ms), (0, None))

    def test_other_service(self) -> None:
        """One side that is another's is enough."""
        found = self.compare((CALLER, babble(99, SECONDS)))
        self.assertEqual(found.verdict, "different")
        self.assertEqual(found.channels["caller"].verdict, "alike")


class FilesTests(CompareTestCase):
    """What the files themselves are."""

    def test_silent(self) -> None:
        """Where nobody said anything there is nothing to compare."""
        for channels in ((SILENCE, SILENCE), (SILENCE[:0], SILENCE[:0])):
            found = self.compare(channels, channels)
            self.assertEqual((found.verdict, found.skew_ms), ("silent", None))

    def test_empty_copy(self) -> None:
        """An empty copy has nothing of ours, and nothing can be compared."""
        found = self.compare((SILENCE[:0], SILENCE[:0]))
        self.assertEqual((found.verdict, found.compared_ms), ("silent", 0))

    def test_mono(self) -> None:
        """One channel with both sides is said to be that, and not compared."""
        found = self.compare((CALLER,))
        self.assertEqual((found.verdict, found.channels), ("mono", {}))
        self.assertEqual(found.theirs_ms, SECONDS * 1000)

    def test_refused(self) -> None:
        """Files that do not fit, and what is no WAV file, are refused by name."""
        ours = kept(Path(self.mktemp()), CALLER[:RATE], SERVICE[:RATE])
        fast = kept(Path(self.mktemp()), CALLER[:RATE], SERVICE[:RATE], rate=16000)
        text = Path(self.mktemp())
        text.write_text("<h1>Not found</h1>")
        for theirs in (fast, text):
            with self.assertRaisesRegex(AudioFormatError, theirs.name):
                compare(ours, theirs)
        with self.assertRaises(AudioFormatError):
            compare(kept(Path(self.mktemp()), CALLER[:RATE]), ours)

    def test_cut_file(self) -> None:
        """A file that was cut short is compared as far as it goes."""
        ours = kept(Path(self.mktemp()), CALLER, SERVICE)
        theirs = Path(self.mktemp())
        theirs.write_bytes(wav(CALLER, SERVICE)[: 44 + 15 * RATE * 4 + 1])
        found = compare(ours, theirs)
        self.assertEqual((found.verdict, found.theirs_ms), ("alike", 15_000))


class ProcessTests(CompareTestCase):
    """The comparison as a process of its own."""

    def run_it(self, *words: str) -> subprocess.CompletedProcess[str]:
        """:returns: how the process ended."""
        command = [sys.executable, "-m", "twistedvoice.recording.compare", *words]
        environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=environ
        )

    def test_printed(self) -> None:
        """It prints one line of JSON with all that was found."""
        hole = with_hole(SERVICE, 7.0, 0.3)[: 20 * RATE]
        ours = kept(Path(self.mktemp()), CALLER, SERVICE)
        theirs = kept(Path(self.mktemp()), CALLER[: 20 * RATE], hole)
        ran = self.run_it(str(ours), str(theirs))
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        told = json.loads(ran.stdout)
        self.assertEqual((told["verdict"], ran.stdout.count("\n")), ("holes", 1))
        (found,) = told["channels"]["service"]["holes"]
        self.assertEqual(Hole(**found).missing_in, "theirs")

    def test_refused(self) -> None:
        """A file that cannot be read now is another thing than one that never can."""
        gone, text = Path(self.mktemp()), Path(self.mktemp())
        text.write_text("no sound")
        for path, status in ((gone, 1), (text, os.EX_DATAERR)):
            ran = self.run_it(str(path), str(path))
            self.assertEqual((ran.returncode, ran.stdout), (status, ""))
            self.assertIn(path.name, ran.stderr.splitlines()[-1])
