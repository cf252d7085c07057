# -*- test-case-name: tests.speech.test_vad -*-
"""Tests of the verdict on each 20 ms."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice.simulator.speech
from twistedvoice.audio import pcm
from twistedvoice.audio.wav import load
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat
from twistedvoice.speech.vad import (
    Detector,
    EnergyDetector,
    SpeechDetector,
    new_detector,
)

_WIDE = AudioFormat("l16", 16_000)
_SPEECH = Path(twistedvoice.simulator.speech.__file__).parent


def noise(amplitude: float, seconds: float, sound: AudioFormat = MULAW_8K) -> bytes:
    """:returns: the same hiss each time."""
    size = round(sound.rate * seconds)
    samples = np.random.default_rng(1).normal(0, amplitude, size)
    return pcm.encode(samples.astype(np.int16), sound)


def voiced(detector: Detector, audio: bytes, sound: AudioFormat = MULAW_8K) -> float:
    """:returns: the share of frames that are taken for speech."""
    size = sound.frame_bytes
    verdicts = [
        detector.is_voiced(audio[start : start + size])
        for start in range(0, len(audio), size)
    ]
    return sum(verdicts) / len(verdicts)


class DetectorTests(SynchronousTestCase):
    """What every detector must tell."""

    def make(self, sound: AudioFormat = MULAW_8K) -> Detector:
        """:returns: a detector that has heard nothing yet."""
        return EnergyDetector(sound)

    def test_speech(self) -> None:
        """Most of a spoken sentence is speech, from its first word on."""
        for sound in (MULAW_8K, ALAW_8K, _WIDE):
            line = load(_SPEECH / "caller_hello.wav", sound)
            line = line[: len(line) - len(line) % sound.frame_bytes]
            self.assertGreater(voiced(self.make(sound), line, sound), 0.6)

    def test_silence(self) -> None:
        """Silence and the faint hiss of a line are no speech."""
        for sound in (MULAW_8K, ALAW_8K, _WIDE):
            detector = self.make(sound)
            self.assertEqual(voiced(detector, sound.silence(8000), sound), 0)
            self.assertEqual(voiced(detector, noise(20, 2, sound), sound), 0)

    def test_noise_is_learnt(self) -> None:
        """A line that begins to hiss is speech for a few seconds at most."""
        detector = self.make()
        voiced(detector, noise(250, 6))
        self.assertEqual(voiced(detector, noise(250, 2)), 0)
        line = load(_SPEECH / "caller_hello.wav", MULAW_8K)
        self.assertGreater(voiced(detector, line[: len(line) // 160 * 160]), 0.4)


class SpeechDetectorTests(DetectorTests):
    """The detector with webrtcvad."""

    if find_spec("webrtcvad") is None:
        skip = "webrtcvad is not installed: pip install 'twistedvoice[local]'"

    def make(self, sound: AudioFormat = MULAW_8K) -> Detector:
        return new_detector(sound)


class _Refuses:
    """A judge to whom nothing sounds like speech."""

    def is_speech(self, samples: bytes, rate: int) -> bool:
        return False


class ChoiceTests(SynchronousTestCase):
    """Which detector a call gets."""

    def test_not_installed(self) -> None:
        """Without webrtcvad, or at a rate that it does not take, the level decides."""
        self.assertIsInstance(new_detector(MULAW_8K, lambda name: None), EnergyDetector)
        odd = AudioFormat("l16", 11_025)
        self.assertIsInstance(new_detector(odd, lambda name: name), EnergyDetector)

    def test_both_must_agree(self) -> None:
        """What is loud but does not sound like speech is none."""
        line = load(_SPEECH / "caller_hello.wav", MULAW_8K)
        line = line[: len(line) // 160 * 160]
        self.assertEqual(voiced(SpeechDetector(MULAW_8K, _Refuses()), line), 0)
