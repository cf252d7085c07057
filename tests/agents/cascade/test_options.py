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
