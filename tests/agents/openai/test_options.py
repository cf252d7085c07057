"""The settings of the agent."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.openai.agent import OpenAi
from twistedvoice.agents.openai.options import read_options
from twistedvoice.errors import ConfigError

__all__ = ["OptionsTests"]


class OptionsTests(SynchronousTestCase):
    """What may be set, and what is wrong with it."""

    def test_nothing(self) -> None:
        """Without settings there is an agent; it may do nothing but talk."""
        options = read_options({}, Path())
        self.assertEqual(
            (options.conduct.functions, options.conduct.transfer), ([], "")
        )
        self.assertTrue(options.conduct.apology.is_file())

    def test_instructions_from_a_file(self) -> None:
        """Instructions may be in a file beside the configuration."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "clerk.txt").write_text("Be a clerk.")
        options = read_options({"instructions_file": "clerk.txt"}, folder)
        self.assertEqual(options.conduct.instructions, "Be a clerk.")

    def test_private(self) -> None:
        """What an agent is told, and a number, are not shown."""
        options = read_options(
            {"instructions": "hush", "transfer": "+15550100"}, Path()
        )
        self.assertNotRegex(repr(options), r"hush|\+1555")

    def test_problems(self) -> None:
        """Everything that is wrong is found at once, each by its key."""
        wrong: dict[str, object] = {
            "instructions": "a",
            "instructions_file": "nowhere.txt",
            "turn_detection": "guess",
            "eagerness": "soon",
            "speed": 3,
            "noise_reduction": "some",
            "functions": ["sing"],
            "on_failure": "transfer",
            "reconnects": -1,
            "modell": "gpt",
        }
        error = self.assertRaises(ConfigError, read_options, wrong, Path())
        found = {problem.partition(":")[0] for problem in error.problems}
        self.assertEqual(found, {*wrong, "transfer"} - {"instructions", "on_failure"})

    def test_of_the_other_kind(self) -> None:
        """A setting of one turn detection means nothing to the other."""
        for settings in (
            {"turn_detection": "semantic_vad", "threshold": 0.4},
            {"turn_detection": "semantic_vad", "silence_ms": 400},
            {"eagerness": "low"},
        ):
            with self.assertRaises(ConfigError):
                read_options(settings, Path())

    def test_prompts(self) -> None:
        """A prompt that cannot be read is found when the service starts."""
        for key in ("greeting", "apology"):
            with self.assertRaises(ConfigError) as caught:
                OpenAi.configure({key: "nowhere.wav"}, Path())
            self.assertIn(f"{key}:", str(caught.exception))

    def test_number_without_a_plus(self) -> None:
        """A number is written as the world does."""
        with self.assertRaises(ConfigError):
            read_options({"transfer": "5550100"}, Path())
