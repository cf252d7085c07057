"""Hearing speech begin and end."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.ear import HUSH_MS, Ear

from .service import LOUD

QUIET = b"\xff" * 160
#: Noise of a line: samples near zero, of both signs.
HISS = b"\xfe\x7e\xf5\x75" * 40


class EarTests(SynchronousTestCase):
    """When speech begins and ends."""

    def test_speech_begins_with_its_first_loud_frame(self) -> None:
        """Two loud frames are speech; it began with the first of them."""
        ear = Ear()
        self.assertEqual(ear.listen(QUIET * 3 + LOUD), [])
        self.assertEqual(ear.listen(LOUD), [(60, "speech_started")])
        self.assertTrue(ear.hears_speech)

    def test_click_is_no_speech(self) -> None:
        """One loud frame alone is nothing."""
        ear = Ear()
        self.assertEqual(ear.listen((LOUD + QUIET) * 5), [])

    def test_noise_is_no_speech(self) -> None:
        """The hiss of a quiet line is nothing."""
        self.assertEqual(Ear().listen(HISS * 50), [])

    def test_breath_does_not_end_speech(self) -> None:
        """A silence shorter than the limit belongs to the speech."""
        ear = Ear()
        breath = QUIET * (HUSH_MS // 20 - 1)
        self.assertEqual(ear.listen(LOUD * 2 + breath + LOUD), [(0, "speech_started")])
        self.assertTrue(ear.hears_speech)

    def test_speech_ends_with_its_last_loud_frame(self) -> None:
        """After the limit speech is over, at the time of its last sound."""
        ear = Ear()
        turns = ear.listen(LOUD * 5 + QUIET * (HUSH_MS // 20))
        self.assertEqual(turns, [(0, "speech_started"), (100, "speech_ended")])
        self.assertFalse(ear.hears_speech)

    def test_sound_may_come_in_any_pieces(self) -> None:
        """How the sound is cut does not matter."""
        ear = Ear()
        sound = QUIET + LOUD * 3
        turns = [
            t for at in range(0, len(sound), 7) for t in ear.listen(sound[at : at + 7])
        ]
        self.assertEqual(turns, [(20, "speech_started")])
