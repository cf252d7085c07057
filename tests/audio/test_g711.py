"""Tests for :mod:`twistedvoice.audio.g711`."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import soundfile
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import g711

ALL_CODES = bytes(range(256))
ALL_SAMPLES = np.arange(-32768, 32768).astype(np.int16)
LAWS: tuple[tuple[g711.Law, str], ...] = (("mulaw", "ULAW"), ("alaw", "ALAW"))


def libsndfile_encoded(samples: npt.NDArray[np.int16], subtype: str) -> bytes:
    """:returns: what an independent implementation makes of ``samples``."""
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, subtype=subtype, format="RAW")
    return file.getvalue()


def libsndfile_decoded(payload: bytes, subtype: str) -> npt.NDArray[np.int16]:
    """:returns: what an independent implementation reads in ``payload``."""
    samples: npt.NDArray[np.int16]
    samples, _ = soundfile.read(
        io.BytesIO(payload),
        dtype="int16",
        samplerate=8000,
        channels=1,
        subtype=subtype,
        format="RAW",
    )
    return samples


class DecodeTests(SynchronousTestCase):
    """Reading G.711."""

    def test_known_codes(self) -> None:
        """The values of the standard come out."""
        mulaw = g711.decode(b"\xff\x7f\x00\x80\xfe\x7e", "mulaw").tolist()
        self.assertEqual(mulaw, [0, 0, -32124, 32124, 8, -8])
        alaw = g711.decode(b"\xd5\x55\xaa\x2a", "alaw").tolist()
        self.assertEqual(alaw, [8, -8, 32256, -32256])

    def test_every_code_as_libsndfile(self) -> None:
        """Another implementation reads every code the same."""
        for law, subtype in LAWS:
            np.testing.assert_array_equal(
                g711.decode(ALL_CODES, law), libsndfile_decoded(ALL_CODES, subtype)
            )

    def test_nothing(self) -> None:
        """No bytes are no samples."""
        self.assertEqual(g711.decode(b"", "mulaw").tolist(), [])


class EncodeTests(SynchronousTestCase):
    """Writing G.711."""

    def test_every_sample_as_libsndfile(self) -> None:
        """Another implementation writes every sample the same."""
        for law, subtype in LAWS:
            self.assertEqual(
                g711.encode(ALL_SAMPLES, law), libsndfile_encoded(ALL_SAMPLES, subtype)
            )

    def test_round_trip(self) -> None:
        """Every code comes back, but for the negative zero of mu-law."""
        for law, expected in (
            ("alaw", ALL_CODES),
            ("mulaw", ALL_CODES.replace(b"\x7f", b"\xff")),
        ):
            self.assertEqual(
                g711.encode(g711.decode(ALL_CODES, law), law),  # type: ignore[arg-type]
                expected,
            )

    def test_silence(self) -> None:
        """Zero is written as each law's silence."""
        zero = np.zeros(1, np.int16)
        self.assertEqual(g711.encode(zero, "mulaw"), b"\xff")
        self.assertEqual(g711.encode(zero, "alaw"), b"\xd5")
