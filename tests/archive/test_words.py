"""Tests for :mod:`twistedvoice.archive.words`."""

from __future__ import annotations

from argparse import ArgumentTypeError

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.archive import words


class AskedTests(SynchronousTestCase):
    """What people write."""

    def test_age(self) -> None:
        """Minutes, hours, days and weeks."""
        asked = [words.age(text) for text in ("90m", "12h", "30d", "1.5w")]
        self.assertEqual(asked, [5400, 43_200, 2_592_000, 907_200])

    def test_size(self) -> None:
        """Units are of a thousand, in any case, with or without their B."""
        asked = [words.size(text) for text in ("10", "5kb", "500MB", "1.5g", "2TB")]
        self.assertEqual(
            asked, [10, 5000, 500_000_000, 1_500_000_000, 2_000_000_000_000]
        )

    def test_moment(self) -> None:
        """A day, a time with or without a zone, and an age before now."""
        for text, seconds in (
            ("1970-01-02", 86_400),
            ("1970-01-01T01:00", 3600),
            ("1970-01-01T01:00+01:00", 0),
            ("1h", 96_400),
        ):
            self.assertEqual(words.moment(text, 100_000), seconds)

    def test_wrong(self) -> None:
        """What cannot be read is an error that says what can."""
        for text in ("", "x", "-1d", "5", "30 days"):
            self.assertRaises(ArgumentTypeError, words.age, text)
            error = self.assertRaises(ArgumentTypeError, words.moment, text, 0)
            self.assertIn("2026-11-20", str(error))
        for text in ("", "x", "-1", "5 apples"):
            self.assertRaises(ArgumentTypeError, words.size, text)


class ToldTests(SynchronousTestCase):
    """What they are told."""

    def test_lengths(self) -> None:
        """Lengths and times on a recording."""
        told = [words.clock(each) for each in (0, 61_600, 3_723_000)]
        self.assertEqual(told, ["0:00", "1:02", "1:02:03"])
        self.assertEqual(words.precise(123_250.1), "2:03.250")
        self.assertEqual(words.time_told(86_399), "1970-01-01 23:59:59")

    def test_sizes(self) -> None:
        """Sizes have the largest unit that they reach."""
        told = [words.size_told(each) for each in (999, 1000, 1_250_000, 3 * 10**12)]
        self.assertEqual(told, ["999 B", "1.0 kB", "1.2 MB", "3.0 TB"])

    def test_several(self) -> None:
        """One is not several."""
        told = [words.several(each, "recording") for each in (0, 1, 2)]
        self.assertEqual(told, ["0 recordings", "1 recording", "2 recordings"])
