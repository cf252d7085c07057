"""The settings of the agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.gemini.options import read_options
from twistedvoice.agents.model.memory import Line
from twistedvoice.errors import ConfigError

__all__ = ["OptionsTests"]


def setup(settings: dict[str, object], **rest: Any) -> dict[str, Any]:
    """:returns: the set-up that settings make."""
    wanted = {"tools": (), "said": (), "handle": "", **rest}
    return read_options(settings, Path()).setup(**wanted)


class OptionsTests(SynchronousTestCase):
    """What may be set, and what is wrong with it."""

    def test_nothing(self) -> None:
        """Without settings a session can be resumed, lasts, and is written down."""
        made = setup({})
        self.assertTrue(made["model"].startswith("models/"))
        self.assertEqual(made["sessionResumption"], {})
        self.assertIn("contextWindowCompression", made)
        self.assertIn("inputAudioTranscription", made)
        self.assertNotIn("tools", made)

    def test_set(self) -> None:
        """Each setting is where the API looks for it."""
        made = setup(
            {
                "model": "models/mine",
                "voice": "Kore",
                "language": "de-DE",
                "max_output_tokens": 400,
                "start_sensitivity": "low",
                "end_sensitivity": "low",
                "speech_ms": 200,
                "silence_ms": 700,
            }
        )
        self.assertEqual(made["model"], "models/mine")
        generation = made["generationConfig"]
        self.assertEqual(generation["maxOutputTokens"], 400)
        speech = generation["speechConfig"]
        self.assertEqual(speech["languageCode"], "de-DE")
        voice = speech["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"]
        self.assertEqual(voice, "Kore")
        detection = made["realtimeInputConfig"]["automaticActivityDetection"]
        expected = {
            "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
            "endOfSpeechSensitivity": "END_SENSITIVITY_LOW",
            "prefixPaddingMs": 200,
            "silenceDurationMs": 700,
        }
        self.assertEqual(detection, expected)

    def test_what_was_said(self) -> None:
        """What was said before is told with the instructions, by who said it."""
        said = [
            Line(who="agent", text="Hello", at_ms=0),
            Line(who="caller", text="Hi", at_ms=900),
        ]
        first, before = setup({"instructions": "Be brief."}, said=said)[
            "systemInstruction"
        ]["parts"]
        self.assertEqual(first, {"text": "Be brief."})
        self.assertTrue(before["text"].endswith("\nYou: Hello\nCaller: Hi"))

    def test_problems(self) -> None:
        """Everything that is wrong is found at once, each by its key."""
        wrong: dict[str, object] = {
            "start_sensitivity": "some",
            "end_sensitivity": "none",
            "speech_ms": -1,
            "silence_ms": 5,
            "max_output_tokens": 100_000,
            "functions": ["sing"],
            "turn_detection": "server_vad",
        }
        error = self.assertRaises(ConfigError, read_options, wrong, Path())
        found = {problem.partition(":")[0] for problem in error.problems}
        self.assertEqual(found, set(wrong))
