"""Tests for :mod:`twistedvoice.recording.stereo`."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio.wav import read_wav
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.recording.mixer import Late, Moved
from twistedvoice.recording.pieces import CALLER, SERVICE
from twistedvoice.recording.sidecar import checksum
from twistedvoice.recording.stereo import Stereo


class StereoTests(SynchronousTestCase):
    """Changes in the file of a recording."""

    def open(self, sound: AudioFormat, seconds: float = 2.5) -> Stereo:
        """:returns: a recording in which both sides are the byte 0x11."""
        self.path = Path(self.mktemp())
        writer = WavWriter(self.path, sound, 2)
        writer.write(b"\x11" * round(sound.bytes_per_second * 2 * seconds))
        writer.close()
        file = FileIO(self.path, "r+")
        self.addCleanup(file.close)
        return Stereo.of(file, "a")

    def test_wide_samples(self) -> None:
        """Samples of two bytes stay whole, and the other side as it is."""
        stereo = self.open(AudioFormat("l16", 8000))
        stereo.apply([Late(SERVICE, 100, b"\x01\x02" * 50), Moved([(100, 150, 7)])])
        caller, service = read_wav(self.path).samples.T
        self.assertEqual(set(caller.tolist()), {0x1111})
        self.assertEqual(service[100:107].tolist(), [0] * 7)
        self.assertEqual(service[107:157].tolist(), [0x0201] * 50)

    def test_over_the_edges(self) -> None:
        """What would lie before the beginning or after the end is left out."""
        stereo = self.open(MULAW_8K)
        for position, size in ((19_950, 100), (-50, 60), (30_000, 1)):
            stereo.apply([Late(CALLER, position, b"\x22" * size)])
        caller = self.path.read_bytes()[58::2]
        self.assertEqual(caller, b"\x22" * 10 + b"\x11" * 19_940 + b"\x22" * 50)

    def test_sums(self) -> None:
        """Each second has its checksum, the rest too; known ones are taken."""
        stereo = self.open(MULAW_8K)
        first, second, rest = stereo.sums()
        self.assertEqual(first["blake2b"], checksum(b"\x11" * 16_000))
        self.assertEqual((rest["at"], rest["ms"]), (2000, 500))
        self.assertEqual(rest["blake2b"], checksum(b"\x11" * 8000))
        known = {**second, "blake2b": "known"}
        self.assertEqual(list(stereo.sums([known, rest]))[1], known)

    def test_damaged(self) -> None:
        """A second that is not what its checksum says is found, and made silent."""
        stereo = self.open(MULAW_8K)
        lines = list(stereo.sums())
        stereo.apply([Late(CALLER, 8000, b"\x22")])
        self.assertEqual(list(stereo.damaged(lines)), [1])
        stereo.silence([(8000, 16000)])
        samples = read_wav(self.path).samples
        self.assertEqual(set(samples[8000:16_000].ravel().tolist()), {0})
        self.assertEqual((samples[16_000:] != 0).all(), True)

    def test_seconds_of(self) -> None:
        """The seconds that edits change are known beforehand."""
        stereo = self.open(MULAW_8K)
        edits: list[Late | Moved] = [
            Late(CALLER, 7999, b"ab"),
            Moved([(100, 200, 16_000)]),
        ]
        self.assertEqual(set(stereo.seconds_of(edits)), {0, 1, 2})
        self.assertEqual(set(stereo.seconds_of([Late(CALLER, 8000, b"a")])), {1})
