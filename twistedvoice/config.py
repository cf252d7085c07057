# -*- test-case-name: tests.test_config -*-
"""The configuration: one frozen value, or every reason why there is none.

:func:`load` reads all that was given, checks what must fit together and reports all
problems at once. The value knows nothing of where it came from. ``tap`` and ``cli``
call this; nothing below them sees a :class:`Config`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Literal

from attrs import evolve, field, frozen

from .errors import ConfigError
from .kinds import is_loopback
from .reading import Reading, contradictions
from .settings import SETTINGS, TABLES
from .sources import Sources

__all__ = [
    "AccountConfig",
    "AgentConfig",
    "CarrierRecordingConfig",
    "Config",
    "ExportConfig",
    "LogConfig",
    "NumberConfig",
    "OutboxConfig",
    "OverloadConfig",
    "RecordingConfig",
    "RetentionConfig",
    "S3Config",
    "TwilioConfig",
    "WebhookConfig",
    "default_node_id",
    "load",
    "normal_number",
    "warnings",
]

#: The services that agents talk with, each with an account.
_ACCOUNTS = ("openai", "gemini", "deepgram", "llm", "cartesia")
#: What one call holds open: its socket, its recording (sound, lock and journal), and a
#: share of the HTTP connections that come and go beside it.
_FDS_PER_CALL = 5
#: What the process holds open without any call: ports, store, log, pools.
_FDS_OF_PROCESS = 64


@frozen(kw_only=True)
class AgentConfig:
    """An agent by name, and what it is made with."""

    #: Short name or dotted path.
    use: str
    #: Passed to the agent as they are.
    settings: Mapping[str, object] = field(repr=False)


@frozen(kw_only=True)
class NumberConfig:
    """What happens to calls to one number."""

    agent: str
    #: Path of a WAV file.
    greeting: str | None
    recording: bool
    consent: Literal["always", "never", "key"]
    consent_key: str
    transfer: str | None = field(repr=False)
    #: The most that a call may cost, in whatever its agent counts.
    spend_cap: float | None

    @property
    def may_record(self) -> bool:
        """Whether a call to this number may be recorded, here or by the carrier."""
        return self.recording and self.consent != "never"

    @property
    def awaited_key(self) -> str:
        """The key that must be pressed before a call is recorded; empty for none."""
        return self.consent_key if self.consent == "key" else ""


@frozen(kw_only=True)
class OverloadConfig:
    """When the service is too late for another call, and what that one gets."""

    #: 0 for never.
    late_ms: int
    #: A number; None for the busy tone.
    dial: str | None = field(repr=False)


@frozen(kw_only=True)
class LogConfig:
    """How the log is written."""

    format: Literal["text", "json"]
    level: Literal["debug", "info", "warn", "error", "critical"]


@frozen(kw_only=True)
class RecordingConfig:
    """How the service records."""

    without_audio: Literal["keep", "discard"]
    fsync: Literal["never", "second", "close"]
    #: What recordings are sealed with, None for no seal.
    key: str | None = field(repr=False)
    #: What they are encrypted with, None for nothing.
    encryption_key: str | None = field(repr=False)


@frozen(kw_only=True)
class RetentionConfig:
    """Which recordings are kept; None for no limit."""

    days: int | None
    gigabytes: int | None
    recordings: int | None


@frozen(kw_only=True)
class CarrierRecordingConfig:
    """Whether the carrier records too."""

    enabled: bool
    base_url: str
    #: Whether its file stays beside ours once they were compared.
    keep_copy: bool


@frozen(kw_only=True)
class ExportConfig:
    """What recordings are exported to."""

    format: Literal["off", "flac", "opus"]


@frozen(kw_only=True)
class S3Config:
    """Where recordings are uploaded to, and the key to it."""

    #: None for nowhere; else the key is there.
    bucket: str | None
    region: str
    #: URL of a storage that is not AWS.
    endpoint: str | None
    prefix: str
    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)


@frozen(kw_only=True)
class OutboxConfig:
    """How what must be done after a call is tried."""

    attempts: int


@frozen(kw_only=True)
class WebhookConfig:
    """Who is told when a recording is ready."""

    url: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    secret_secondary: str | None = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that sign."""
        secrets = (self.secret, self.secret_secondary)
        return tuple(secret for secret in secrets if secret is not None)


@frozen(kw_only=True)
class TwilioConfig:
    """The accounts at Twilio, and the keys to them."""

    account_sid: str | None
    auth_token: str | None = field(repr=False)
    auth_token_secondary: str | None = field(repr=False)
    #: Auth tokens of other accounts, by account.
    subaccounts: Mapping[str, str] = field(repr=False)
    api_key_sid: str | None
    api_key_secret: str | None = field(repr=False)

    def auth_tokens(self, account_sid: str) -> tuple[str, ...]:
        """:returns: the tokens that may have signed what comes for this account."""
        if account_sid in self.subaccounts:
            return (self.subaccounts[account_sid],)
        if self.account_sid not in (None, account_sid):
            return ()
        tokens = (self.auth_token, self.auth_token_secondary)
        return tuple(token for token in tokens if token is not None)

    @property
    def all_auth_tokens(self) -> tuple[str, ...]:
        """Every token that may have signed what names no account."""
        tokens = (self.auth_token, self.auth_token_secondary)
        own = (token for token in tokens if token is not None)
        return (*own, *self.subaccounts.values())

    @property
    def api_credentials(self) -> tuple[str, str] | None:
        """User and password for the REST API: the API key, or else the account."""
        pairs = (
            (self.api_key_sid, self.api_key_secret),
            (self.account_sid, self.auth_token),
        )
        for user, password in pairs:
            if user is not None and password is not None:
                return user, password
        return None


@frozen(kw_only=True)
class AccountConfig:
    """An account at a service that an agent talks with."""

    api_key: str | None = field(repr=False)
    url: str


@frozen(kw_only=True)
class Config:
    """All settings, read and fit to be used."""

    listen: str
    admin_listen: str
    share_port: bool
    workers: int
    public_url: str | None
    trust_loopback: bool
    agent: str
    agents: Mapping[str, AgentConfig]
    #: By number, and ``default``.
    numbers: Mapping[str, NumberConfig] = field(repr=False)
    after_stream: str = field(repr=False)
    max_calls: int | None
    overload: OverloadConfig
    drain_seconds: float
    longest_call_seconds: float
    silence_seconds: float
    start_seconds: float
    lead_ms: int | None
    comfort_silence: bool
    #: Path of an SQLite file, or ``memory:``.
    store: str
    node_id: str
    #: Paths; empty for off.
    cdr: str
    recordings: str
    recording: RecordingConfig
    retention: RetentionConfig
    carrier_recording: CarrierRecordingConfig
    export: ExportConfig
    s3: S3Config
    outbox: OutboxConfig
    webhook: WebhookConfig
    log: LogConfig
    twilio: TwilioConfig
    openai: AccountConfig
    gemini: AccountConfig
    deepgram: AccountConfig
    llm: AccountConfig
    cartesia: AccountConfig

    @property
    def accounts(self) -> dict[str, str]:
        """What agents may know of accounts elsewhere, by key; only what is set."""
        given: dict[str, str | None] = {}
        for name in _ACCOUNTS:
            account = getattr(self, name)
            given |= {f"{name}.api_key": account.api_key, f"{name}.url": account.url}
        return {key: value for key, value in given.items() if value is not None}

    @property
    def websocket_url(self) -> str | None:
        """``public_url`` as a ``wss:`` URL; ``ws:`` where that is not https."""
        return self.public_url and "ws" + self.public_url.removeprefix("http")

    @property
    def fetches_copies(self) -> bool:
        """
        Whether the carrier's files are compared with ours.

        Not where ours are encrypted: theirs would lie on the disk as they came.
        """
        is_plain = self.recording.encryption_key is None
        return bool(self.recordings) and self.carrier_recording.enabled and is_plain

    def number(self, to_number: str) -> NumberConfig:
        """:returns: what holds for calls to this number."""
        return self.numbers.get(normal_number(to_number), self.numbers["default"])

    def agent_named(self, name: str) -> AgentConfig:
        """:returns: the agent of ``[agents.NAME]``, or one with no settings."""
        return self.agents.get(name, AgentConfig(use=name, settings={}))

    def changed(self, other: Config) -> tuple[list[str], list[str]]:
        """
        Compare with what SIGHUP would change this to.

        :returns: the keys that differ: first those that may change while calls are
            live, then those that need a new process.
        """
        can: list[str] = []
        cannot: list[str] = []
        keys = {each.key: each.reload for each in SETTINGS if each.is_held}
        for key, reload in (keys | dict.fromkeys(TABLES, True)).items():
            value = attrgetter(key)
            if value(self) != value(other):
                (can if reload else cannot).append(key)
        return can, cannot

    def taking_over(self, now: Config) -> Config:
        """
        Say what holds after a reload: this, with what cannot change left as it is.

        :param now: the configuration of the running process.
        :raises ConfigError: when what is left would not fit to the rest.
        """
        if self.trust_loopback != now.trust_loopback:
            raise ConfigError(["trust_loopback: only a new process can change it"])
        merged = self
        for key in now.changed(self)[1]:
            group, _, name = key.rpartition(".")
            value = attrgetter(key)(now)
            if group:
                value = evolve(getattr(merged, group), **{name: value})
            merged = evolve(merged, **{group or name: value})
        return merged


def load(
    options: Mapping[str, object], environ: Mapping[str, str], *, node_id: str
) -> Config:
    """
    Read the configuration.

    :param options: by long name, None where not given: a
        ``twisted.python.usage.Options`` made with
        :func:`~twistedvoice.settings.usage_parameters` as it is.
    :param node_id: what this process is called where no setting says otherwise. On a
        reload, the name it has already.
    :raises ConfigError: with all problems there are.
    """
    sources = Sources.open(options, environ)
    reading = Reading.of(sources, node_id=node_id)
    problems = [*reading.problems, *contradictions(reading.values)]
    if problems:
        raise ConfigError(problems)
    return _built(reading.values)


def normal_number(said: str) -> str:
    """
    Write a number as the configuration does, ``+15550001234``.

    Carriers say a called number in other ways too, SIP trunks above all; a number that
    must not be recorded must be known in each.
    """
    user = said.strip().removeprefix("sips:").removeprefix("sip:").removeprefix("tel:")
    user = re.split("[@;]", user)[0]
    digits = re.sub(r"[\s().-]", "", user)
    return "+" + digits.lstrip("+") if re.fullmatch(r"\+?[0-9]+", digits) else user


def default_node_id(hostname: str, pid: int) -> str:
    """:returns: a node id that no other process alive on any host has."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", f"{hostname[:48]}-{pid}")


def warnings(config: Config, hard_fd_limit: int) -> list[str]:
    """:returns: a sentence on each setting that is allowed but may surprise."""
    found = []
    needed = (config.max_calls or 0) * _FDS_PER_CALL + _FDS_OF_PROCESS
    if needed > hard_fd_limit:
        found.append(
            f"max_calls: {config.max_calls} calls need {needed} open files"
            f" ({_FDS_PER_CALL} a call and {_FDS_OF_PROCESS} for the process), but the"
            f" hard limit is {hard_fd_limit}; raise LimitNOFILE or lower max_calls"
        )
    if not is_loopback(config.admin_listen):
        found.append(
            "admin_listen: is not bound to loopback; whoever reaches it can read the"
            " metrics"
        )
    if config.public_url and not config.public_url.startswith("https:"):
        found.append("public_url: is not https; Twilio streams to wss only")
    if config.s3.endpoint and not config.s3.endpoint.startswith("https:"):
        found.append("s3.endpoint: is not https; recordings are sent unencrypted")
    if not config.llm.url.startswith("https:"):
        found.append("llm.url: is not https; what callers say is sent unencrypted")
    return found


def _built(values: Mapping[str, Any]) -> Config:
    """Make the tree of the flat values."""
    top = {key: value for key, value in values.items() if "." not in key}
    top["agents"] = {
        name: AgentConfig(use=table.pop("use", name), settings=table)
        for name, table in ((name, dict(each)) for name, each in top["agents"].items())
    }
    top["numbers"] = {
        number: NumberConfig(**table) for number, table in top["numbers"].items()
    }
    return Config(
        overload=OverloadConfig(**_under("overload.", values)),
        recording=RecordingConfig(**_under("recording.", values)),
        retention=RetentionConfig(**_under("retention.", values)),
        carrier_recording=CarrierRecordingConfig(
            **_under("carrier_recording.", values)
        ),
        export=ExportConfig(**_under("export.", values)),
        s3=S3Config(**_under("s3.", values)),
        outbox=OutboxConfig(**_under("outbox.", values)),
        webhook=WebhookConfig(**_under("webhook.", values)),
        log=LogConfig(**_under("log.", values)),
        twilio=TwilioConfig(**_under("twilio.", values)),
        openai=AccountConfig(**_under("openai.", values)),
        gemini=AccountConfig(**_under("gemini.", values)),
        deepgram=AccountConfig(**_under("deepgram.", values)),
        llm=AccountConfig(**_under("llm.", values)),
        cartesia=AccountConfig(**_under("cartesia.", values)),
        **top,
    )


def _under(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key.removeprefix(prefix): value
        for key, value in values.items()
        if key.startswith(prefix)
    }
