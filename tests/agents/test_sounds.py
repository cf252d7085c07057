# -*- test-case-name: tests.agents.test_sounds -*-
"""Prompts are read once for each format, and all that cannot be read is told."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.menus import SECOND, prompt_folder, sound_of
from twistedvoice.agents.sounds import Sounds
from twistedvoice.errors import ConfigError
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat


class SoundsTests(SynchronousTestCase):
    """Files as sound in the format of a call."""

    def setUp(self) -> None:
        self.folder = prompt_folder(Path(self.mktemp()))
        self.path = self.folder / "main.wav"
        self.sounds = Sounds([("greeting", self.path), ("sorry", self.path)])

    def test_encoded(self) -> None:
        """A file is given in the format that is asked for."""
        mulaw = self.sounds.encoded_as(MULAW_8K)
        self.assertEqual(mulaw, {self.path: sound_of("main")})
        wide = self.sounds.encoded_as(AudioFormat("l16", 16000))
        self.assertEqual(len(wide[self.path]), SECOND * 4)

    def test_read_once(self) -> None:
        """What was read for a format stays, even when the file has gone."""
        first = self.sounds.encoded_as(MULAW_8K)
        self.path.unlink()
        self.assertIs(self.sounds.encoded_as(MULAW_8K), first)
        self.assertRaises(ConfigError, self.sounds.encoded_as, ALAW_8K)

    def test_problems(self) -> None:
        """Every file that cannot be used is told, with its key."""
        noise = self.folder / "noise.wav"
        noise.write_bytes(b"noise")
        gone = self.folder / "gone.wav"
        sounds = Sounds([("greeting", noise), ("sorry", self.path), ("goodbye", gone)])
        error = self.assertRaises(ConfigError, sounds.encoded_as, MULAW_8K)
        self.assertEqual(
            [problem.partition(":")[0] for problem in error.problems],
            ["greeting", "goodbye"],
        )
        self.assertIn("noise.wav", error.problems[0])
        self.assertIn("gone.wav", error.problems[1])
