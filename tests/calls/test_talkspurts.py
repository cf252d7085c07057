"""Tests of ``twistedvoice.calls.talkspurts``."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.audio import pcm
from twistedvoice.calls.talkspurts import HANGOVER_MS, Talkspurts
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat

from ..simulator.babble import babble

__all__ = ["SpeechTests"]

WIDE = AudioFormat("l16", 16_000)


class SpeechTests(SynchronousTestCase):
    """An ear, and a caller whose frames come when they are whole and 7 ms later."""

    format = MULAW_8K

    def setUp(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.set_format(MULAW_8K)

    def set_format(self, sound: AudioFormat) -> None:
        """The call is in this format, and has just begun."""
        self.format = sound
        self.millis = 0
        self.talkspurts = Talkspurts(sound, lambda: (self.millis + 27) * 1000, self)

    def speech_began(self, at_us: int) -> None:
        """Write it down, without the way."""
        self.told.append(("began", at_us // 1000 - 7))

    def speech_ended(self, at_us: int) -> None:
        """Write it down, without the way."""
        self.told.append(("ended", at_us // 1000 - 7))

    def frame(self, share: float, loudness: int = 4000) -> bytes:
        """:returns: a frame of which that share is so loud."""
        size = self.format.rate // 50
        loud = int(size * share)
        samples = np.zeros(size, np.int16)
        samples[:loud:2], samples[1:loud:2] = loudness, -loudness
        return pcm.encode(samples, self.format)

    def hears(
        self, milliseconds: int, share: float = 0.0, loudness: int = 4000
    ) -> None:
        """So much of the same comes in."""
        payload = self.frame(share, loudness)
        for _ in range(milliseconds // 20):
            self.talkspurts.listen(payload, self.millis)
            self.millis += 20

    def test_ends_with_its_last_sound(self) -> None:
        """The end is where the sound ended, not where that was known."""
        for sound in (MULAW_8K, ALAW_8K, WIDE):
            self.set_format(sound)
            self.told.clear()
            self.hears(100)
            self.hears(400, 0.5)
            self.hears(HANGOVER_MS)
            self.assertEqual(self.told, [("began", 100)], sound)
            self.hears(20)
            self.assertEqual(self.told, [("began", 100), ("ended", 500)], sound)

    def test_cough(self) -> None:
        """A sound of 60 ms is no speech, however often it comes [BI-3]."""
        for _ in range(20):
            self.hears(60, 0.9)
            self.hears(20)
        self.hears(500)
        self.assertEqual(self.told, [])

    def test_noise(self) -> None:
        """A quiet line is no speech, nor are a few loud samples in each frame."""
        for sound in (MULAW_8K, ALAW_8K, WIDE):
            self.set_format(sound)
            self.hears(500, 1.0, 250)
            self.hears(500, 0.1)
        self.assertEqual(self.told, [])

    def test_pause_within(self) -> None:
        """A pause for breath belongs to the speech."""
        self.hears(200, 0.5)
        self.hears(240)
        self.hears(200, 0.5)
        self.hears(600)
        self.assertEqual(self.told, [("began", 0), ("ended", 640)])

    def test_carrier_that_sends_no_silence(self) -> None:
        """Where no frames come for silence, the next one says that speech had ended."""
        self.hears(200, 0.5)
        self.millis = 5000
        self.hears(200, 0.5)
        self.millis = 9000
        self.hears(20)
        self.assertEqual(
            self.told,
            [("began", 0), ("ended", 200), ("began", 5000), ("ended", 5200)],
        )

    def test_babble(self) -> None:
        """Something like speech is heard as one piece, to the frame."""
        sound = pcm.encode(babble(1, 1.6), MULAW_8K)
        self.hears(200)
        for at in range(0, len(sound), 160):
            self.talkspurts.listen(sound[at : at + 160], self.millis)
            self.millis += 20
        self.hears(600)
        [(_, began_ms), (_, ended_ms)] = self.told
        self.assertLessEqual(abs(began_ms - 200), 100)
        self.assertLessEqual(abs(ended_ms - 1800), 100)
