"""Tests for :mod:`twistedvoice.cli`; what runs a reactor is in tests/integration."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice import __version__
from twistedvoice.cli import main

_GOOD = ("--trust-loopback", "--agent=echo")


class CliTestCase(SynchronousTestCase):
    """A command in this process, without settings in its environment."""

    def setUp(self) -> None:
        """What is printed is caught."""
        self.out, self.errors = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.errors)
        clean = {k: v for k, v in os.environ.items() if "TWISTEDVOICE" not in k}
        self.patch(os, "environ", clean)

    def exits(self, *words: str) -> int | str | None:
        """:returns: the exit status of a command that ends from within."""
        error: SystemExit = self.assertRaises(SystemExit, main, words)
        return error.code


class MainTests(CliTestCase):
    """Which command is meant."""

    def test_help(self) -> None:
        """Who asks for help gets it, with 0."""
        for words in ((), ("--help",), ("-h",), ("help",)):
            self.assertEqual(main(words), 0)
        for command in (
            "serve",
            "demo",
            "call",
            "bench",
            "check-config",
            "recordings",
            "outbox",
        ):
            self.assertIn(f"\n  {command}", self.out.getvalue())
        self.assertEqual(self.errors.getvalue(), "")

    def test_unknown(self) -> None:
        """A command that is none gets help too, with 2."""
        self.assertEqual(main(("sreve",)), 2)
        self.assertIn("'sreve' is no command\nusage: ", self.errors.getvalue())
        self.assertEqual(self.out.getvalue(), "")

    def test_no_file(self) -> None:
        """A file that is not there is named as it was given."""
        url = "http://127.0.0.1:8080/twilio/voice"
        self.assertEqual(main(("call", url, "--say", "nowhere.wav")), 2)
        self.assertEqual(
            self.errors.getvalue(),
            "twistedvoice call: nowhere.wav: No such file or directory\n",
        )

    def test_version(self) -> None:
        """The version is told."""
        self.assertEqual(main(("--version",)), 0)
        self.assertEqual(self.out.getvalue(), f"twistedvoice {__version__}\n")

    def test_help_of_commands(self) -> None:
        """Each command explains itself, under its own name."""
        for command in ("serve", "check-config", "demo", "call", "bench"):
            self.assertEqual(self.exits(command, "--help"), 0)
            self.assertIn(f"sage: twistedvoice {command} [", self.out.getvalue())

    def test_wrong_words(self) -> None:
        """Words that mean nothing to a command are 2, with its name."""
        for command in ("serve", "check-config"):
            self.assertEqual(main((command, "--bogus")), 2)
            self.assertIn(f"twistedvoice {command}: ", self.errors.getvalue())
        for command in ("demo", "call"):
            self.assertEqual(self.exits(command, "--bogus"), 2)

    def test_interrupted(self) -> None:
        """Ctrl-C before the reactor runs ends a command as a shell expects."""

        class Interrupted(io.StringIO):
            def write(self, text: str) -> int:
                raise KeyboardInterrupt

        self.patch(sys, "stdout", Interrupted())
        self.assertEqual(main(("check-config", *_GOOD)), 130)


class CheckConfigTests(CliTestCase):
    """``check-config``."""

    def test_good(self) -> None:
        """A good configuration is 0, and nothing is made of it."""
        folder = Path(self.mktemp())
        words = (f"--recordings={folder}", f"--cdr={folder}/x", f"--store={folder}/y")
        self.assertEqual(main(("check-config", *_GOOD, *words)), 0)
        self.assertEqual(self.out.getvalue(), "the configuration is good\n")
        self.assertFalse(folder.exists())

    def test_warning(self) -> None:
        """What may surprise is told, and is no mistake."""
        self.assertEqual(main(("check-config", *_GOOD, "--max-calls=99999999")), 0)
        self.assertIn("warning: max_calls: ", self.out.getvalue())

    def test_bad(self) -> None:
        """Everything that is wrong is told at once, with 2."""
        self.assertEqual(main(("check-config", "--max-calls=x", "--lead-ms=1")), 2)
        for key in ("max_calls", "lead_ms", "public_url", "twilio.auth_token"):
            self.assertIn(f"\n  {key}: ", self.errors.getvalue())

    def test_bad_agent(self) -> None:
        """An agent that cannot be made is a mistake too."""
        words = ("check-config", "--trust-loopback", "--agent=nowhere:Agent")
        self.assertEqual(main(words), 2)
        self.assertIn("agent nowhere:Agent: ", self.errors.getvalue())


class ServeTests(CliTestCase):
    """``serve``, as far as it does not serve."""

    def test_bad(self) -> None:
        """A configuration that cannot be used is 2, and all of it is told."""
        self.assertEqual(main(("serve", "--max-calls=x")), 2)
        self.assertIn("The configuration cannot be used.", self.errors.getvalue())
        self.assertIn("\n  max_calls: ", self.errors.getvalue())


class WorkerTests(CliTestCase):
    """``worker``, which is no command for people."""

    def test_alone(self) -> None:
        """Who gives it is told what to give, and is not offered it."""
        self.assertEqual(main(("worker",)), 2)
        self.assertIn("give serve", self.errors.getvalue())
        main(())
        self.assertNotIn("worker", self.out.getvalue())


class CallTests(CliTestCase):
    """``call``, as far as nobody is called."""

    def test_no_url(self) -> None:
        """Whom to call must be said."""
        self.assertEqual(self.exits("call"), 2)

    def test_wrong_keys(self) -> None:
        """A telephone has no other keys."""
        self.assertEqual(self.exits("call", "http://x/", "--digits", "1,x"), 2)
        self.assertIn("no keys of a telephone", self.errors.getvalue())

    def test_wrong_place(self) -> None:
        """A place to connect to has a port."""
        for place in ("host", ":80", "host:http"):
            self.assertEqual(self.exits("call", "http://x/", "--connect-to", place), 2)

    def test_nothing_to_say(self) -> None:
        """A file that is not there, or has no sound, is 2 and named."""
        silent = Path(self.mktemp())
        silent.write_text("no sound")
        for path in ("nowhere.wav", str(silent)):
            self.assertEqual(main(("call", "http://x/", "--say", path)), 2)
            self.assertIn(path, self.errors.getvalue())
