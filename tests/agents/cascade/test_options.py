# -*- test-case-name: tests.agents.cascade.test_options -*-
"""The settings of the cascade."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.cascade.options import read_options
from twistedvoice.agents.cascade.tts import Voice
from twistedvoice.errors import ConfigError

__all__ = ["OptionsTests"]


class OptionsTests(SynchronousTestCase):
    """What may be set, and what is wrong."""

    def test_defaults(self) -> None:
        """Everything may be left out."""
        options = read_options({}, Path())
        self.assertEqual((options.language, options.silence_ms), ("en", 500))
        self.assertEqual(options.voice.language, "en")

    def test_settings(self) -> None:
        """The language is that of hearing and of speaking."""
        options = read_options(
            {
                "model": "m",
                "listening_model": "l",
                "speaking_model": "s",
                "voice": "v",
                "language": "de",
                "silence_ms": 400,
                "reconnects": 0,
            },
            Path(),
        )
        self.assertEqual(options.voice, Voice(model="s", voice="v", language="de"))
        self.assertEqual((options.model, options.listening_model), ("m", "l"))
        self.assertEqual((options.silence_ms, options.conduct.reconnects), (400, 0))

    def test_problems(self) -> None:
        """All that is wrong is told at once."""
        settings = {"silence_ms": 1, "functions": ["transfer", "x"], "voices": "v"}
        error = self.assertRaises(ConfigError, read_options, settings, Path())
        for key in ("silence_ms", "functions", "transfer", "voices"):
            self.assertIn(f"{key}: ", str(error))

    def problems(self, installed: bool, **settings: object) -> list[str]:
        """:returns: what is wrong with a cascade that hears and speaks here."""
        local = {"hearing": "whisper", "speaking": "local", **settings}
        found = object() if installed else None
        error = self.assertRaises(
            ConfigError, read_options, local, Path("/f"), lambda name: found
        )
        return list(error.problems)

    def test_on_this_machine(self) -> None:
        """What hears here needs its extra and a model, and what speaks here English."""
        missing = "whisper_model: is missing; give the folder of a model"
        self.assertEqual(self.problems(installed=True), [missing])
        files = "model.bin, config.json, tokenizer.json"
        self.assertEqual(
            self.problems(installed=True, whisper_model="m", language="de"),
            [
                f"whisper_model: no {files} in /f/m",
                "language: must be English for the voice on this machine",
            ],
        )
        hearing, _, speaking = self.problems(installed=False)
        self.assertIn("hearing: needs faster_whisper, webrtcvad: pip", hearing)
        self.assertIn("speaking: needs pocketsphinx, hibari, webrtcvad: pip", speaking)
