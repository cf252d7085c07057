"""Tests of the table of settings."""

from __future__ import annotations

from pathlib import Path

from twisted.python.usage import Options
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.setting import Setting
from twistedvoice.settings import (
    NUMBER_SETTINGS,
    SETTINGS,
    TABLES,
    did_you_mean,
    usage_parameters,
)


class _Options(Options):
    optParameters, optFlags = usage_parameters()


class SettingTests(SynchronousTestCase):
    """What follows from a row of the table."""

    def test_names(self) -> None:
        """A key gives the names of its option, variable and credential."""
        (setting,) = (s for s in SETTINGS if s.key == "twilio.auth_token")
        self.assertEqual(setting.option, "twilio-auth-token")
        self.assertEqual(setting.environ, "TWISTEDVOICE_TWILIO__AUTH_TOKEN")
        self.assertEqual(setting.credential, "twilio_auth_token")

    def test_names_are_unique(self) -> None:
        """No two settings share an option or a variable."""
        for names in (
            [setting.option for setting in SETTINGS],
            [setting.environ for setting in SETTINGS],
        ):
            self.assertEqual(len(set(names)), len(names))

    def test_defaults_are_allowed(self) -> None:
        """Every default is of its setting's kind."""
        for setting in (*SETTINGS, *NUMBER_SETTINGS):
            if setting.default is not None:
                setting.kind.read(setting.shown_default)


class OptionsTests(SynchronousTestCase):
    """The options of the command line."""

    def test_given(self) -> None:
        """An option holds what was given, a flag that it was."""
        options = _Options()
        options.parseOptions(["--log-format", "json", "--trust-loopback", "-c", "x"])
        self.assertEqual(options["log-format"], "json")
        self.assertEqual(options["trust-loopback"], 1)
        self.assertEqual(options["config"], "x")

    def test_not_given(self) -> None:
        """An option that was not given does not stand in for its default."""
        options = _Options()
        options.parseOptions([])
        self.assertEqual({value for value in options.values() if value}, set())

    def test_help(self) -> None:
        """The help says what each option is for, and its default."""
        text = " ".join(_Options().getUsage().split())
        self.assertIn("--recordings=", text)
        self.assertIn("[default: STATE/recordings]", text)
        self.assertIn("or TWISTEDVOICE_TWILIO__AUTH_TOKEN.", text)


class DidYouMeanTests(SynchronousTestCase):
    """The offer of a name for one that is unknown."""

    def test_near(self) -> None:
        """The nearest name is offered."""
        known = ["max_calls", "listen"]
        self.assertEqual(did_you_mean("maxcalls", known), "; did you mean max_calls?")

    def test_far(self) -> None:
        """Nothing is offered where nothing is near."""
        self.assertEqual(did_you_mean("zebra", ["max_calls", "listen"]), "")


class DocumentationTests(SynchronousTestCase):
    """Whether docs/configuration.rst tells the truth."""

    def setUp(self) -> None:
        """Read the page."""
        docs = Path(__file__).parents[1] / "docs"
        self.page = (docs / "configuration.rst").read_text("utf-8")

    def entry(self, setting: Setting) -> str:
        """How the page names a setting that is no secret."""
        default = setting.shown_default
        shown = f"default ``{default}``" if default else "not set"
        reloaded = "; reloaded" if setting.reload else ""
        return (
            f"``{setting.key}``\n   ``--{setting.option}``,"
            f" ``{setting.environ}``; {shown}{reloaded}\n\n"
        )

    def test_settings(self) -> None:
        """Each setting has an entry with its names, its default, and its reload."""
        for setting in SETTINGS:
            if setting.is_held and not setting.is_secret:
                self.assertIn(self.entry(setting), self.page)

    def test_late_ms(self) -> None:
        """The limits of lateness that may be set are all there."""
        (setting,) = (each for each in SETTINGS if each.key == "overload.late_ms")
        self.assertIn(setting.kind.allowed, " ".join(self.page.split()))

    def test_secrets(self) -> None:
        """Each secret has a row with every place where it is looked for."""
        for setting in SETTINGS:
            if setting.is_secret:
                self.assertIn(f"\n``{setting.key}`` ", self.page)
                self.assertIn(f"| ``{setting.key}_file``\n", self.page)
                self.assertIn(f"| ``{setting.environ}``\n", self.page)
                self.assertIn(f"| credential ``{setting.credential}``\n", self.page)

    def test_numbers(self) -> None:
        """Each setting of a number has an entry of its own."""
        numbers = self.page.partition("\nNumbers\n---")[2].partition("\nAgents\n---")[0]
        for setting in NUMBER_SETTINGS:
            self.assertIn(f"\n``{setting.key}``\n   ", numbers)

    def test_tables(self) -> None:
        """Each table has an example."""
        for table in TABLES:
            self.assertIn(f"\n   [{table}", self.page)
