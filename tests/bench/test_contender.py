"""Tests for :mod:`twistedvoice.bench.contender`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.contender import BASELINE, disturbed, service
from twistedvoice.bench.double import DOUBLES
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
        command = contender.command(self.folder, {})
        self.assertEqual(command[1:5], ["-P", "-m", "twistedvoice", "serve"])
        config: dict[str, object] = vars_of(self.configured(command[5:]))
        self.assertEqual(config["recordings"], str(self.folder / "recordings"))
        self.assertEqual((config["lead_ms"], config["agent"]), (80, "echo"))
        self.assertEqual(contender.path, "/twilio/media")

    def test_unrecorded(self) -> None:
        """Without recordings nothing is recorded."""
        command = service("x", "echo", recordings=False).command(self.folder, {})
        self.assertFalse(vars_of(self.configured(command[5:]))["recordings"])

    def test_prompt(self) -> None:
        """The prompt is longer than a run, and its settings can be used."""
        command = service("x", "prompt", recordings=True).command(self.folder, {})
        self.assertEqual(vars_of(self.configured(command[5:]))["agent"], "talk")
        self.assertGreater((self.folder / "talk.wav").stat().st_size, 8000 * 299)

    def test_models(self) -> None:
        """A model is played on this machine, with the keys that its double lets in."""
        for agent, play in DOUBLES.items():
            contender = service("x", agent, recordings=True)
            self.assertEqual(contender.double, agent)
            accounts = play(Clock()).accounts(4711)
            command = contender.command(self.folder, accounts)
            config = vars_of(self.configured(command[5:]))
            self.assertEqual(config["agent"], agent)
            found: Mapping[str, str] = config["accounts"]  # type: ignore[assignment]
            self.assertEqual({name: found[name] for name in accounts}, accounts)

    def test_disturbed(self) -> None:
        """What disturbs a service stands before its own options."""
        command = disturbed("x", "echo", ["--busy-thread"], ["--lead-ms=80"])
        words = command.command(self.folder, {})
        at = words.index("--")
        self.assertEqual(words[3 : at + 1][1:], ["service", "--busy-thread", "--"])
        self.assertEqual(words[-1], "--lead-ms=80")
        self.configured(words[at + 1 :])

    def test_baseline(self) -> None:
        """The baseline needs nothing."""
        self.assertEqual(BASELINE.command(self.folder, {})[-1], "baseline")
        self.assertEqual(list(self.folder.iterdir()), [])


def vars_of(config: object) -> dict[str, object]:
    """:returns: what a value holds, by name."""
    names = [each for each in dir(config) if not each.startswith("_")]
    return {name: getattr(config, name) for name in names}
