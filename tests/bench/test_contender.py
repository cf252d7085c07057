"""Tests for :mod:`twistedvoice.bench.contender`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.contender import BASELINE, disturbed, service
from twistedvoice.tap import Options, configure


class ContenderTests(SynchronousTestCase):
    """Command lines."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def configured(self, words: list[str]) -> object:
        """:returns: the configuration that the service makes of its options."""
        options = Options()
        options.parseOptions([word for word in words if word.startswith("--")])
        config, _ = configure(options, {}, "node")
        return config

    def test_service(self) -> None:
        """The service is the one that is run, with all that it does by default."""
        contender = service("service", "echo", recordings=True, more=["--lead-ms=80"])
        command = contender.command(self.folder)
        self.assertEqual(command[1:5], ["-P", "-m", "twistedvoice", "serve"])
        config: dict[str, object] = vars_of(self.configured(command[5:]))
        self.assertEqual(config["recordings"], str(self.folder / "recordings"))
        self.assertEqual((config["lead_ms"], config["agent"]), (80, "echo"))
        self.assertEqual(contender.path, "/twilio/media")

    def test_unrecorded(self) -> None:
        """Without recordings nothing is recorded."""
        command = service("x", "echo", recordings=False).command(self.folder)
        self.assertFalse(vars_of(self.configured(command[5:]))["recordings"])

    def test_prompt(self) -> None:
        """The prompt is longer than a run, and its settings can be used."""
        command = service("x", "prompt", recordings=True).command(self.folder)
        self.assertEqual(vars_of(self.configured(command[5:]))["agent"], "talk")
        self.assertGreater((self.folder / "talk.wav").stat().st_size, 8000 * 299)

    def test_openai(self) -> None:
        """The model is the double on this machine, with the key that it lets in."""
        command = service("x", "openai", recordings=True).command(self.folder)
        config = vars_of(self.configured(command[5:]))
        self.assertEqual(config["agent"], "openai")
        accounts: dict[str, str] = config["accounts"]  # type: ignore[assignment]
        self.assertEqual(accounts["openai.api_key"], "sk-double")
        self.assertTrue(accounts["openai.url"].startswith("ws://127.0.0.1:8900/"))

    def test_disturbed(self) -> None:
        """What disturbs a service stands before its own options."""
        command = disturbed("x", "echo", ["--busy-thread"], ["--lead-ms=80"])
        words = command.command(self.folder)
        at = words.index("--")
        self.assertEqual(words[3 : at + 1][1:], ["service", "--busy-thread", "--"])
        self.assertEqual(words[-1], "--lead-ms=80")
        self.configured(words[at + 1 :])

    def test_baseline(self) -> None:
        """The baseline needs nothing."""
        self.assertEqual(BASELINE.command(self.folder)[-1], "baseline")
        self.assertEqual(list(self.folder.iterdir()), [])


def vars_of(config: object) -> dict[str, object]:
    """:returns: what a value holds, by name."""
    names = [each for each in dir(config) if not each.startswith("_")]
    return {name: getattr(config, name) for name in names}
