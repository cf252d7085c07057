# -*- test-case-name: tests.test_reading -*-
"""Reading every setting from its sources, and collecting every problem on the way.

A setting that cannot be read leaves a problem and no value; the rest goes on, so that
an operator sees all that is wrong at once. :func:`contradictions` then looks at what
must fit together. :mod:`twistedvoice.config` calls both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import Factory, define

from .delivery import undeliverable
from .kinds import (
    ACCOUNT_SID,
    AGENT,
    PHONE_NUMBER,
    SECRET,
    Kind,
    endpoint_parts,
    is_loopback,
    is_tcp,
)
from .logs import masked
from .recording.cipher import parse_key
from .recording.seal import LEAST_KEY_BYTES
from .setting import Setting
from .settings import NUMBER_SETTINGS, SETTINGS, did_you_mean
from .sources import Given, Sources

__all__ = ["Reading", "contradictions"]

#: The longest node id that a worker's number still fits behind.
_LONGEST_PARENT = 58


@define(kw_only=True)
class Reading:
    """The values that could be read, by key, and what was wrong with the rest."""

    _sources: Sources
    values: dict[str, Any] = Factory(dict)
    problems: list[str] = Factory(list)

    @classmethod
    def of(cls, sources: Sources, *, node_id: str) -> Reading:
        """Read all settings and tables."""
        reading = cls(sources=sources)
        for name, hint in sources.unknown():
            reading.problems.append(f"{name}: is not a setting{hint}")
        reading._read_settings(node_id)
        reading._read_secrets()
        reading._read_subaccounts()
        reading._read_agents()
        reading._read_numbers()
        return reading

    def _read_settings(self, node_id: str) -> None:
        state = _state_directory(self._sources.environ)
        for setting in SETTINGS:
            if not setting.is_secret:
                given = self._sources.find(setting)
                if given is None and setting.default is not None:
                    text = setting.default.format(state=state, node=node_id)
                    given = Given(text, "the default")
                self._take(self.values, setting.key, setting.kind, given)

    def _read_secrets(self) -> None:
        for setting in SETTINGS:
            if setting.is_secret:
                path = self.values.pop(f"{setting.key}_file", None)
                if where := self._sources.misplaced(setting):
                    self.problems.append(_misplaced(setting, where))
                else:
                    self._read_secret(setting, path)

    def _read_secret(self, setting: Setting, path: str | None) -> None:
        try:
            given = self._sources.find_secret(setting, path)
        except OSError as error:
            self.problems.append(f"{setting.key}: {_unreadable(error)}")
        else:
            self._take(self.values, setting.key, SECRET, given)

    def _read_subaccounts(self) -> None:
        tokens = self.values["twilio.subaccounts"] = {}
        for account, place in self._table("twilio.subaccounts").items():
            label = f"twilio.subaccounts.{account}"
            self._take({}, "", ACCOUNT_SID, Given(account, label), label=label)
            try:
                given = self._sources.secret_at(str(place))
            except OSError as error:
                self.problems.append(f"{label}: {_unreadable(error)}")
            except ValueError:
                self.problems.append(
                    f"{label}: is no place for a secret; give env:NAME, file:PATH or"
                    " credential:NAME"
                )
            else:
                if given is None:
                    self.problems.append(f"{label}: there is nothing at {place}")
                self._take(tokens, account, SECRET, given, label=label)

    def _read_agents(self) -> None:
        agents = self.values["agents"] = self._tables("agents")
        for name, table in agents.items():
            use = Given(table.get("use", name), self._sources.file_name)
            self._take(table, "use", AGENT, use, label=f"agents.{name}.use")

    def _read_numbers(self) -> None:
        tables = self._tables("numbers")
        usual = {
            each.key: each.kind.read(each.default)
            for each in NUMBER_SETTINGS
            if each.default is not None
        }
        usual["agent"] = self.values.get("agent")
        usual |= self._number("default", tables.pop("default", {}))
        self.values["numbers"] = {"default": usual}
        for number, table in tables.items():
            own = self._number(number, table)
            self.values["numbers"][number] = usual | own

    def _number(self, number: str, table: Mapping[str, object]) -> dict[str, object]:
        label = f'numbers."{number if number == "default" else masked(number)}"'
        if number != "default":
            self._take(
                {}, "", PHONE_NUMBER, Given(number, "the name of a table"), label=label
            )
        known = {setting.key: setting.kind for setting in NUMBER_SETTINGS}
        own: dict[str, object] = {}
        for key, value in table.items():
            if key in known:
                given = Given(value, self._sources.file_name)
                self._take(own, key, known[key], given, label=f"{label}.{key}")
            else:
                hint = did_you_mean(key, list(known))
                self.problems.append(f"{label}.{key}: is not a setting{hint}")
        return own

    def _tables(self, key: str) -> dict[str, dict[str, Any]]:
        """:returns: copies of the tables under ``key``."""
        found = {}
        for name, table in self._table(key).items():
            if isinstance(table, dict):
                found[name] = dict(table)
            else:
                self.problems.append(f"{key}: holds a value; give tables, [{key}.NAME]")
        return found

    def _table(self, key: str) -> dict[str, Any]:
        table = self._sources.file.get(key, {})
        if isinstance(table, dict):
            return table
        self.problems.append(f"{key}: is a value; give a table, [{key}]")
        return {}

    def _take(
        self,
        into: dict[str, Any],
        key: str,
        kind: Kind,
        given: Given | None,
        *,
        label: str = "",
    ) -> None:
        try:
            into[key] = given and kind.read(given.value)
        except ValueError as error:
            self.problems.append(
                f"{label or key}: {error} from {given and given.where} cannot be used;"
                f" give {kind.allowed}"
            )


def contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """
    Check what must fit together.

    :param values: by key. One that could not be read is missing, and is not held
        against the others.
    :returns: a problem for each rule that is broken.
    """
    if values.get("trust_loopback"):
        yield from _against_trust(values)
    elif "trust_loopback" in values:
        yield from _missing_proof(values)
        if values.get("after_stream", "hangup") != "hangup":
            # Hanging up is then more than closing the stream.
            yield from _missing_account(values, "after_stream is not hangup")
    yield from _against_workers(values)
    if len(values.get("recording.key") or LEAST_KEY_BYTES * "-") < LEAST_KEY_BYTES:
        yield (
            "recording.key: is too short to keep anybody from guessing it; give"
            f" {LEAST_KEY_BYTES} characters or more"
        )
    yield from _against_encryption(values)
    key, secret = "twilio.api_key_sid", "twilio.api_key_secret"
    for one, other in ((key, secret), (secret, key)):
        if values.get(one) and values.get(other, "") is None:
            yield f"{other}: is not set, but {one} is; give both or none"
    if values.get("carrier_recording.enabled"):
        yield from _missing_account(values, "carrier_recording.enabled is true")
    yield from undeliverable(values)


def _against_encryption(values: Mapping[str, Any]) -> Iterator[str]:
    key = values.get("recording.encryption_key")
    if not key:
        return
    try:
        parse_key(key)
    except ValueError as error:
        yield (
            f"recording.encryption_key: {error}; give the base64 or the hex of 32"
            " random bytes"
        )
    for other, off in (
        ("export.format", "off"),
        ("carrier_recording.keep_copy", False),
    ):
        if values.get(other, off) != off:
            yield (
                f"{other}: leaves sound on the disk that is not encrypted, but"
                " recording.encryption_key is set; give one of them"
            )


def _against_workers(values: Mapping[str, Any]) -> Iterator[str]:
    listen = values.get("listen")
    if listen and values.get("share_port") and not is_tcp(listen):
        yield "share_port: is for TCP ports; give listen as tcp:PORT or ssl:PORT:..."
    workers = values.get("workers", 1)
    if workers == 1:
        return
    if values.get("store") == "memory:":
        yield (
            f"store: memory: cannot be shared, but workers is {workers}; give the path"
            " of a file"
        )
    if listen and not _can_be_inherited(listen):
        yield (
            f"listen: workers is {workers}, and their parent can hand down only tcp:,"
            " tcp6:, ssl: and systemd: with a domain other than UNIX"
        )
    node_id = values.get("node_id", "")
    if len(node_id) > _LONGEST_PARENT:
        yield (
            f"node_id: is longer than {_LONGEST_PARENT} characters, but workers is"
            f" {workers}, and each adds its number"
        )


def _can_be_inherited(description: str) -> bool:
    (kind, *_), named = endpoint_parts(description)
    # A worker that closes a UNIX socket would remove it from the file system.
    return is_tcp(description) or (kind == "systemd" and named.get("domain") != "UNIX")


def _against_trust(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("public_url"):
        yield (
            "trust_loopback: cannot be together with public_url, by which the service"
            " is reached from outside; give one of them"
        )
    if "listen" in values and not is_loopback(values["listen"]):
        yield (
            "trust_loopback: cannot be when listen is not bound to this machine; give"
            " listen as tcp:PORT:interface=127.0.0.1 or unix:PATH"
        )


def _missing_proof(values: Mapping[str, Any]) -> Iterator[str]:
    start = "or, to try it without Twilio: twistedvoice demo, or --trust-loopback"
    if values.get("public_url", "") is None:
        yield (
            "public_url: is not set, and Twilio's signatures cannot be checked without"
            f" it; give the https URL of this service, {start}"
        )
    if values.get("twilio.auth_token", "") is None:
        yield (
            "twilio.auth_token: is not set, and Twilio's signatures cannot be checked"
            " without it; give TWISTEDVOICE_AUTH_TOKEN in the environment,"
            " twilio.auth_token_file, or the systemd credential twilio_auth_token,"
            f" {start}"
        )


def _missing_account(values: Mapping[str, Any], reason: str) -> Iterator[str]:
    if values.get("twilio.account_sid", "") is None:
        yield f"twilio.account_sid: is not set, but {reason}"
    keys = ("twilio.auth_token", "twilio.api_key_secret")
    if all(values.get(key, "") is None for key in keys):
        yield (
            f"twilio.api_key_sid: Twilio's API needs a key, since {reason}; give"
            " twilio.api_key_sid and twilio.api_key_secret, or twilio.auth_token"
        )


def _misplaced(setting: Setting, where: str) -> str:
    return (
        f"{setting.key}: a secret must not be on {where}; give {setting.environ} in the"
        f" environment, {setting.key}_file, or the systemd credential"
        f" {setting.credential}"
    )


def _unreadable(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}; give a file that can be read"


def _state_directory(environ: Mapping[str, str]) -> str:
    """:returns: where systemd or the XDG rules put what the service keeps."""
    if given := environ.get("STATE_DIRECTORY"):
        return given.split(":")[0]
    if given := environ.get("XDG_STATE_HOME"):
        return f"{given}/twistedvoice"
    home = environ.get("HOME")
    return f"{home}/.local/state/twistedvoice" if home else "/var/lib/twistedvoice"
