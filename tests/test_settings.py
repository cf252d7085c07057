"""Tests of the table of settings."""

from __future__ import annotations

from twisted.python.usage import Options
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.settings import (
    NUMBER_SETTINGS,
    SETTINGS,
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
