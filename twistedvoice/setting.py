# -*- test-case-name: tests.test_settings -*-
"""What a setting is: its names in every source, its kind, its default.

The table of them is :mod:`twistedvoice.settings`.
"""

from __future__ import annotations

from attrs import frozen

from .kinds import SECRET, SECRET_FILE, SWITCH, Kind

__all__ = ["Setting", "secret"]


@frozen(kw_only=True)
class Setting:
    """One thing an operator may set."""

    #: As in TOML; a dot separates levels.
    key: str
    kind: Kind
    #: Text as an operator would write it; ``{state}`` stands for the state directory
    #: and ``{node}`` for the id of this process. None: not set.
    default: str | None = None
    help: str
    #: Whether SIGHUP may change it while calls are live.
    reload: bool = False

    @property
    def option(self) -> str:
        """The long option, without its dashes in front."""
        return self.key.replace(".", "-").replace("_", "-")

    @property
    def environ(self) -> str:
        """The name of the environment variable."""
        return "TWISTEDVOICE_" + self.key.replace(".", "__").upper()

    @property
    def credential(self) -> str:
        """The name of the systemd credential; only a secret has one."""
        return self.key.replace(".", "_")

    @property
    def shown_default(self) -> str:
        """The default for people to read; empty when there is none."""
        return (self.default or "").format(state="STATE", node="HOST-PID")

    @property
    def is_flag(self) -> bool:
        """Whether the option takes no value: it can switch on, but not off."""
        return self.kind is SWITCH

    @property
    def is_secret(self) -> bool:
        """Whether the value may stand in no file of settings and on no command line."""
        return self.kind is SECRET

    @property
    def is_held(self) -> bool:
        """Whether the configuration has it: all but where a secret is kept."""
        return self.kind is not SECRET_FILE


def secret(key: str, help: str, *, reload: bool) -> tuple[Setting, Setting]:  # noqa: A002
    """:returns: a secret, and the setting that names a file which holds it."""
    return (
        Setting(key=key, kind=SECRET, help=help, reload=reload),
        Setting(key=f"{key}_file", kind=SECRET_FILE, help=f"File that holds {key}."),
    )
