# -*- test-case-name: tests.audio.test_beep -*-
"""Beeps are found in what machines play, and in nothing else on a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents import prompts
from twistedvoice.audio import pcm
from twistedvoice.audio.beep import Beeps
from twistedvoice.audio.tones import dtmf
from twistedvoice.audio.wav import load
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat
from twistedvoice.simulator import speech

__all__ = ["BeepTests", "sounding"]

WIDE = AudioFormat("l16", 16000)


def sounding(
    milliseconds: int,
    *hertz: float,
    level: float = 4000,
    sound: AudioFormat = MULAW_8K,
) -> bytes:
    """:returns: tones of a level each, over the noise of a good line."""
    seconds = np.arange(milliseconds * sound.rate // 1000) / sound.rate
    wave: npt.NDArray[np.float64] = np.random.default_rng(7).normal(0, 10, len(seconds))
    for each in hertz:
        wave += level * np.sin(2 * np.pi * each * seconds)
    return pcm.encode(np.rint(wave).astype(np.int16), sound)


def ends_of_beeps(audio: bytes, sound: AudioFormat = MULAW_8K) -> list[int]:
    """:returns: when beeps were noticed, in milliseconds."""
    beeps, size = Beeps(sound), sound.frame_bytes
    return [
        start // size * 20
        for start in range(0, len(audio) - size + 1, size)
        if beeps.frame(audio[start : start + size])
    ]


class BeepTests(SynchronousTestCase):
    """One tone, and what is like one."""

    def assertBeeps(
        self, hertz: Sequence[float], milliseconds: int, times: int, **how: float
    ) -> None:
        """Check how often a tone between silences is taken for a beep."""
        tone = sounding(milliseconds, *hertz, **how)  # type: ignore[arg-type]
        audio = sounding(310) + tone + sounding(400)
        self.assertEqual(len(ends_of_beeps(audio)), times, (hertz, milliseconds))

    def test_beeps(self) -> None:
        """Each frequency, length and level that machines have is a beep."""
        for hertz in range(400, 2001, 37):
            self.assertBeeps([hertz], 220, 1)
        for milliseconds in (210, 500, 1000, 2900):
            self.assertBeeps([1000], milliseconds, 1)
        for level in (400, 16000, 32000):
            self.assertBeeps([1000], 400, 1, level=level)

    def test_noisy_line(self) -> None:
        """It is heard over noise of a level 15 dB below it."""
        noise = np.random.default_rng(3).normal(0, 500, 8000)
        quiet = sounding(310) + sounding(400, 1000) + sounding(290)
        noisy = pcm.decode(quiet, MULAW_8K) + np.rint(noise).astype(np.int16)
        self.assertEqual(len(ends_of_beeps(pcm.encode(noisy, MULAW_8K))), 1)

    def test_when(self) -> None:
        """It is noticed a tenth of a second after its end."""
        audio = sounding(310) + sounding(400, 1000) + sounding(400)
        [at] = ends_of_beeps(audio)
        self.assertLessEqual(abs(at - 810), 20)

    def test_formats(self) -> None:
        """It is heard in each format."""
        for sound in (ALAW_8K, WIDE):
            tone = sounding(400, 1000, sound=sound)
            audio = tone + sounding(400, sound=sound)
            self.assertEqual(len(ends_of_beeps(audio, sound)), 1)

    def test_not_beeps(self) -> None:
        """What is too short, too long, too high, too low or too faint is none."""
        for hertz, milliseconds in ((1000, 150), (1000, 3200), (300, 400), (2200, 400)):
            self.assertBeeps([hertz], milliseconds, 0)
        self.assertBeeps([1000], 400, 0, level=150)

    def test_two_tones(self) -> None:
        """Ringing, a busy line, its dial tone and keys are pairs of tones."""
        for pair in ((440, 480), (480, 620), (350, 440)):
            self.assertBeeps(pair, 1000, 0)
        self.assertEqual(ends_of_beeps(dtmf("159D" * 10, MULAW_8K)), [])

    def test_no_silence_after_it(self) -> None:
        """A tone into which somebody speaks, or that changes, is none."""
        hello = load(Path(speech.__path__[0]) / "caller_hello.wav", MULAW_8K)
        self.assertEqual(ends_of_beeps(sounding(400, 1000) + hello[1600:]), [])
        siren = sounding(400, 1000) + sounding(400, 1300) + sounding(400, 1000)
        self.assertEqual(ends_of_beeps(siren), [])

    def test_speech_and_music(self) -> None:
        """No word of the sample prompts has a beep in it, nor has the tune."""
        files = [
            path
            for package in (prompts, speech)
            for path in Path(package.__path__[0]).glob("*.wav")
        ]
        for path in files:
            audio = load(path, MULAW_8K) + sounding(400)
            self.assertEqual(ends_of_beeps(audio), [], path.name)

    def test_odd_frame(self) -> None:
        """What is no frame of 20 ms is not looked at."""
        self.assertFalse(Beeps(MULAW_8K).frame(b"\x00" * 159))
