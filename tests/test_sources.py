"""Tests of where settings come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import ConfigError
from twistedvoice.setting import Setting
from twistedvoice.settings import SETTINGS
from twistedvoice.sources import Sources, read_toml

_BY_KEY = {setting.key: setting for setting in SETTINGS}
_LISTEN = _BY_KEY["listen"]
_TOKEN = _BY_KEY["twilio.auth_token"]


class SourcesTests(SynchronousTestCase):
    """What is found, and where."""

    def sources(
        self,
        toml: str = "",
        environ: Mapping[str, str] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Sources:
        """All sources, with ``toml`` in a file of its own."""
        self.path = self.mktemp()
        Path(self.path).write_text(toml)
        return Sources.open({"config": self.path, **(options or {})}, environ or {})

    def assertFound(
        self, sources: Sources, setting: Setting, value: object, where: str
    ) -> None:
        """The setting has this value, from there."""
        self.assertEqual(sources.find(setting), (value, where))

    def test_strength(self) -> None:
        """An option beats the file, the file the environment."""
        environ = {"TWISTEDVOICE_LISTEN": "c"}
        self.assertFound(
            self.sources('listen = "b"', environ, {"listen": "a"}),
            _LISTEN,
            "a",
            "--listen",
        )
        sources = self.sources('listen = "b"', environ, {"listen": None})
        self.assertFound(sources, _LISTEN, "b", self.path)
        self.assertFound(self.sources("", environ), _LISTEN, "c", "TWISTEDVOICE_LISTEN")
        self.assertIsNone(self.sources().find(_LISTEN))

    def test_no_file(self) -> None:
        """There need not be a file."""
        self.assertIsNone(Sources.open({"config": None}, {}).find(_LISTEN))

    def test_levels(self) -> None:
        """A dot in a key is a table in the file and two underscores in a variable."""
        setting = _BY_KEY["log.format"]
        sources = self.sources('[log]\nformat = "json"')
        self.assertFound(sources, setting, "json", self.path)
        self.assertFound(
            self.sources("", {"TWISTEDVOICE_LOG__FORMAT": "json"}),
            setting,
            "json",
            "TWISTEDVOICE_LOG__FORMAT",
        )

    def test_flag(self) -> None:
        """A flag switches on; one that was not given says nothing."""
        setting = _BY_KEY["trust_loopback"]
        sources = self.sources(options={"trust-loopback": 1})
        self.assertFound(sources, setting, True, "--trust-loopback")
        sources = self.sources("trust_loopback = true", {}, {"trust-loopback": 0})
        self.assertFound(sources, setting, True, self.path)

    def test_empty_option(self) -> None:
        """An option that is empty was given all the same."""
        sources = self.sources('recordings = "/r"', {}, {"recordings": ""})
        self.assertFound(sources, _BY_KEY["recordings"], "", "--recordings")

    def test_unknown(self) -> None:
        """Names that are no settings are told apart, with the nearest that is one."""
        sources = self.sources(
            "lissten = 1\n[log]\ncolour = 2\n[agents.x]\nany = 3",
            {"TWISTEDVOICE_MAX_CALS": "1", "OTHER": "1", "TWISTEDVOICE_AUTH_TOKEN": ""},
        )
        self.assertEqual(
            list(sources.unknown()),
            [
                ("lissten", "; did you mean listen?"),
                ("log.colour", "; did you mean log.format?"),
                (
                    "TWISTEDVOICE_MAX_CALS",
                    "; did you mean TWISTEDVOICE_MAX_CALLS?",
                ),
            ],
        )

    def test_names_of_container_platforms(self) -> None:
        """What a platform sets for a service of our name is not taken for ours."""
        names = ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP_ADDR")
        environ = {f"TWISTEDVOICE_{name}": "1" for name in names}
        environ["TWISTEDVOICE_ADMIN_SERVICE_HOST"] = "1"
        self.assertEqual(list(self.sources("", environ).unknown()), [])

    def test_name_of_the_switch(self) -> None:
        """What counts before there are settings is no setting, but known."""
        self.assertEqual(
            list(self.sources("", {"TWISTEDVOICE_PURE": "1"}).unknown()), []
        )

    def test_names_of_subaccount_secrets(self) -> None:
        """A variable that a subaccount names is known."""
        sources = self.sources(
            '[twilio.subaccounts]\nAC1 = "env:TWISTEDVOICE_TWO"',
            {"TWISTEDVOICE_TWO": "x"},
        )
        self.assertEqual(list(sources.unknown()), [])


class SecretTests(SynchronousTestCase):
    """Where secrets are found."""

    def setUp(self) -> None:
        """Write one secret to a file, one to a directory of credentials."""
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)
        self.path = os.path.join(self.directory, "file")
        Path(self.path).write_text("from-file\n")
        Path(self.directory, _TOKEN.credential).write_text("from-systemd\n")

    def assertSecret(
        self, environ: dict[str, str], path: str | None, value: str, where: str
    ) -> None:
        """The auth token is this, and comes from there."""
        sources = Sources.open({}, environ)
        self.assertEqual(sources.find_secret(_TOKEN, path), (value, where))

    def test_strength(self) -> None:
        """A file beats the environment, and that beats systemd."""
        environ = {
            "TWISTEDVOICE_TWILIO__AUTH_TOKEN": "full",
            "TWISTEDVOICE_AUTH_TOKEN": "short",
            "CREDENTIALS_DIRECTORY": self.directory,
        }
        self.assertSecret(environ, self.path, "from-file", self.path)
        name = "TWISTEDVOICE_TWILIO__AUTH_TOKEN"
        self.assertSecret(environ, None, "full", name)
        del environ[name]
        self.assertSecret(environ, None, "short", "TWISTEDVOICE_AUTH_TOKEN")
        del environ["TWISTEDVOICE_AUTH_TOKEN"]
        where = "credential twilio_auth_token"
        self.assertSecret(environ, None, "from-systemd", where)

    def test_none(self) -> None:
        """A secret need not be anywhere."""
        self.assertIsNone(Sources.open({}, {}).find_secret(_TOKEN, None))

    def test_no_credentials_directory(self) -> None:
        """Without systemd no file in the working directory is a credential."""
        name = self.mktemp()
        Path(name).write_text("x")
        self.assertIsNone(Sources.open({}, {}).secret_at(f"credential:{name}"))

    def test_missing_file(self) -> None:
        """A file that is named must be there."""
        sources = Sources.open({}, {})
        with self.assertRaises(OSError):
            sources.find_secret(_TOKEN, self.path + "x")

    def test_no_place(self) -> None:
        """What names no place is refused, and not repeated: it may be the secret."""
        sources = Sources.open({}, {})
        error = self.assertRaises(ValueError, sources.secret_at, "hush")
        self.assertNotIn("hush", str(error))

    def test_misplaced(self) -> None:
        """A secret that is written out is found, wherever it is."""
        option = Sources.open({"twilio-auth-token": "x"}, {})
        self.assertEqual(option.misplaced(_TOKEN), "the command line")
        path = self.mktemp()
        Path(path).write_text('twilio.auth_token = "x"')
        self.assertEqual(Sources.open({"config": path}, {}).misplaced(_TOKEN), path)
        self.assertIsNone(Sources.open({}, {}).misplaced(_TOKEN))


class ReadTomlTests(SynchronousTestCase):
    """Reading a file of settings."""

    def test_syntax(self) -> None:
        """Wrong syntax is reported with the file and the line."""
        path = self.mktemp()
        Path(path).write_text("a = 1\nb =\n")
        (problem,) = self.assertRaises(ConfigError, read_toml, path).problems
        self.assertIn(path, problem)
        self.assertIn("line 2", problem)

    def test_not_text(self) -> None:
        """A file that is not UTF-8 is not TOML."""
        path = self.mktemp()
        Path(path).write_bytes(b"a = '\xff'")
        (problem,) = self.assertRaises(ConfigError, read_toml, path).problems
        self.assertIn("is not TOML", problem)

    def test_missing(self) -> None:
        """A file that is not there is reported by its name."""
        path = self.mktemp()
        (problem,) = self.assertRaises(ConfigError, read_toml, path).problems
        self.assertEqual(problem, f"{path}: cannot be read: No such file or directory")
