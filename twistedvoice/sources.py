# -*- test-case-name: tests.test_sources -*-
"""Where the value of a setting comes from, and which source wins.

Options are stronger than the TOML file, that is stronger than the environment, and that
than the default. A secret comes from a file, the environment or systemd and from
nowhere else. Nothing is checked here but that names are known;
:mod:`twistedvoice.reading` asks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from attrs import field, frozen

from .errors import ConfigError
from .scanning import SWITCH
from .setting import Setting
from .settings import SETTINGS, TABLES, did_you_mean

__all__ = ["Given", "Sources", "read_toml"]

#: The simulator reads the auth token under this name too.
_ALIASES = {"twilio.auth_token": "TWISTEDVOICE_AUTH_TOKEN"}
#: What container platforms set for services that are called twistedvoice themselves.
_FOREIGN = re.compile(r"TWISTEDVOICE_(.+_)?(SERVICE_(HOST|PORT.*)|PORT(_[0-9]+_.*)?)")


class Given(NamedTuple):
    """A value as somebody gave it, not read yet."""

    value: object
    #: The option, file or variable it came from.
    where: str


@frozen(kw_only=True)
class Sources:
    """All that was given, by its source."""

    #: By long option name, as ``twisted.python.usage.Options`` holds them.
    options: Mapping[str, object] = field(repr=False)
    file_name: str
    #: By key, flat; the tables of :data:`~twistedvoice.settings.TABLES` are whole.
    file: Mapping[str, Any] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def open(cls, options: Mapping[str, object], environ: Mapping[str, str]) -> Sources:
        """
        Read the file that ``--config`` names, if it names one.

        :raises ConfigError: when it cannot be read or is not TOML.
        """
        name = options.get("config")
        table = read_toml(str(name)) if name else {}
        return cls(
            options=options,
            file_name=str(name or ""),
            file=dict(_flat(table)),
            environ=environ,
        )

    def find(self, setting: Setting) -> Given | None:
        """:returns: the strongest value given for a setting that is no secret."""
        option = self.options.get(setting.option)
        if option is not None and not (setting.is_flag and not option):
            value = True if setting.is_flag else option
            return Given(value, f"--{setting.option}")
        if setting.key in self.file:
            return Given(self.file[setting.key], self.file_name)
        if setting.environ in self.environ:
            return Given(self.environ[setting.environ], setting.environ)
        return None

    def find_secret(self, setting: Setting, path: object) -> Given | None:
        """
        :param path: the file that the settings name for this secret, or None.
        :raises OSError: when a file that should hold it cannot be read.
        """
        alias = _ALIASES.get(setting.key, setting.environ)
        places = [
            f"env:{setting.environ}",
            f"env:{alias}",
            f"credential:{setting.credential}",
        ]
        if path is not None:
            places = [f"file:{path}"]
        return next(filter(None, map(self.secret_at, places)), None)

    def secret_at(self, place: str) -> Given | None:
        """
        :param place: ``env:NAME``, ``file:PATH`` or ``credential:NAME``.
        :returns: None when no such variable or credential was handed to the process.
        :raises OSError: when the file cannot be read.
        :raises ValueError: when it is no such place.
        """
        scheme, _, name = place.partition(":")
        if scheme == "env":
            found = self.environ.get(name)
            return None if found is None else Given(found, name)
        if scheme == "file":
            return Given(_secret_in(Path(name)), name)
        if scheme == "credential":
            path = Path(self.environ.get("CREDENTIALS_DIRECTORY", ""), name)
            here = path.is_absolute() and path.exists()
            return Given(_secret_in(path), f"credential {name}") if here else None
        raise ValueError("no place for a secret")

    def misplaced(self, setting: Setting) -> str | None:
        """:returns: where a secret was written out though it must not be."""
        if self.options.get(setting.option) is not None:
            return "the command line"
        return self.file_name if setting.key in self.file else None

    def unknown(self) -> Iterator[tuple[str, str]]:
        """:returns: each name that is no setting, and the end of a sentence on it."""
        keys = [*(setting.key for setting in SETTINGS), *TABLES]
        for key in self.file:
            if key not in keys:
                yield key, did_you_mean(key, keys)
        names = [*(setting.environ for setting in SETTINGS), *_ALIASES.values(), SWITCH]
        accounts = self.file.get("twilio.subaccounts")
        places = accounts.values() if isinstance(accounts, dict) else ()
        names += [str(place).removeprefix("env:") for place in places]
        for name in self.environ:
            ours = name.startswith("TWISTEDVOICE_") and not _FOREIGN.fullmatch(name)
            if ours and name not in names:
                yield name, did_you_mean(name, names)


def read_toml(path: str) -> dict[str, Any]:
    """:raises ConfigError: with the file, and the line where the syntax is wrong."""
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from error


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and key not in TABLES:
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _secret_in(path: Path) -> str:
    # A secret has no line end, but the file that somebody wrote it to mostly does.
    # A file that is not text gives characters that no secret has.
    return path.read_text("utf-8", "replace").strip()
