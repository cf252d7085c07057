# -*- test-case-name: tests.test_kinds -*-
"""The kinds of value that a setting may hold, and how each is read.

A kind reads text from anywhere - a command line, TOML, the environment, a default - and
the TOML values that are its own. It knows no setting; :mod:`twistedvoice.settings`
gives each setting its kind.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from attrs import frozen
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from .calls.overload import LIMITS_MS

__all__ = [
    "ACCESS_KEY_ID",
    "ACCOUNT_SID",
    "AFTER_STREAM",
    "AGENT",
    "AMOUNT_OR_NONE",
    "API_KEY_SID",
    "BUCKET",
    "ENDPOINT",
    "FILE_TO_READ",
    "KEY_PREFIX",
    "LATE_MS_OR_OFF",
    "NODE_ID",
    "PATH",
    "PATH_OR_OFF",
    "PHONE_NUMBER",
    "PHONE_NUMBER_OR_NONE",
    "RECEIVER",
    "REGION",
    "SECONDS",
    "SECRET",
    "SECRET_FILE",
    "SOCKET_URL",
    "SWITCH",
    "URL",
    "Kind",
    "choice",
    "endpoint_parts",
    "is_loopback",
    "is_tcp",
    "whole",
]


@frozen(kw_only=True)
class Kind:
    """One kind of value."""

    #: Completes "give ..." in an error message and in the documentation.
    allowed: str
    #: Raises ``ValueError`` when the text is not one of these.
    parse: Callable[[str], object]
    #: The TOML types it takes, apart from strings.
    native: tuple[type, ...] = ()
    #: Values that are wrong are not repeated in the message.
    private: bool = False

    def read(self, value: object) -> object:
        """
        :param value: text, or a value as TOML gives it.
        :raises ValueError: when it is not of this kind; the message quotes the value,
            unless that is private.
        """
        if isinstance(value, str) or type(value) in self.native:
            try:
                return self.parse(str(value))
            except ValueError:
                pass
        raise ValueError("this value" if self.private else repr(value))


def endpoint_parts(description: str) -> tuple[list[str], dict[str, str]]:
    r"""
    Take an endpoint description apart as Twisted does.

    :returns: the plain arguments, the type first, and the ``name=value`` ones.
    :raises ValueError: when it ends in the middle of a ``\`` escape.
    """
    parts = [[""]]
    for piece in re.findall(r"\\.|.", description, re.DOTALL):
        if piece == "\\":
            raise ValueError(description)
        if piece == ":":
            parts.append([""])
        elif piece == "=" and len(parts[-1]) == 1:
            parts[-1].append("")
        else:
            parts[-1][-1] += piece[-1]
    plain = [part[0] for part in parts if len(part) == 1]
    return plain, dict(part for part in parts if len(part) == 2)


def is_loopback(description: str) -> bool:
    """
    :param description: a valid endpoint description.
    :returns: whether only this machine can reach it, for certain.
    """
    (kind, *_), named = endpoint_parts(description)
    return kind == "unix" or (
        kind in _NETWORK and named.get("interface") in ("127.0.0.1", "::1")
    )


def is_tcp(description: str) -> bool:
    """
    :param description: a valid endpoint description.
    :returns: whether it listens on a TCP port, with TLS or without.
    """
    (kind, *_), _ = endpoint_parts(description)
    return kind in _NETWORK


def choice(*names: str) -> Kind:
    """:returns: the kind that is one of ``names``."""
    return Kind(
        allowed="one of " + ", ".join(names),
        parse=_matching("|".join(map(re.escape, names))),
    )


def whole(least: int, most: int | None = None) -> Kind:
    """:returns: the kind that is a whole number from ``least`` to ``most``."""

    def parse(text: str) -> int:
        number = int(text)
        if number < least or (most is not None and number > most):
            raise ValueError
        return number

    bounds = f"{least} or more" if most is None else f"from {least} to {most}"
    return Kind(allowed=f"a whole number, {bounds}", parse=parse, native=(int,))


#: The endpoint types with a port and an interface.
_NETWORK = ("tcp", "tcp6", "ssl")
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
#: Hosts that are this machine, for certain.
_HERE = ("127.0.0.1", "::1", "localhost")
_NUMBER = r"\+[1-9][0-9]{1,14}"


def _matching(pattern: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError
        return text

    return parse


def _or_none(parse: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda text: parse(text) if text else None


def _endpoint(text: str) -> str:
    plain, _ = endpoint_parts(text)
    known = {"tcp", "ssl", "unix"}
    known.update(each.prefix for each in getPlugins(IStreamServerEndpointStringParser))
    if len(plain) < 1 or plain[0] not in known:
        raise ValueError
    if plain[0] in _NETWORK and not 0 <= int("".join(plain[1:2])) <= 65535:
        raise ValueError
    return text


def _socket_url(text: str) -> str:
    _url("http" + _matching(r"wss?://[!-~]+")(text).removeprefix("ws"))
    # A key is sent there.
    if text.startswith("ws:") and urlsplit(text).hostname not in _HERE:
        raise ValueError
    return text


def _url(text: str) -> str:
    # No more than this, so that it can be signed and put before a path as it is.
    parts = urlsplit(_matching(r"https?://[!-~]+")(text))
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError
    if parts.port == 0:
        raise ValueError
    return text.rstrip("/")


def _receiver(text: str) -> str:
    parts = urlsplit(_matching(r"https?://[!-~]+")(text))
    if not parts.hostname or parts.fragment or parts.username or parts.port == 0:
        raise ValueError
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ValueError
    return seconds


def _amount_or_none(text: str) -> float | None:
    amount = float(text or "nan")
    if text and not 0 <= amount < math.inf:
        raise ValueError
    return amount if text else None


def _late_ms(text: str) -> int:
    late_ms = int(text)
    if late_ms not in (0, *LIMITS_MS):
        raise ValueError
    return late_ms


def _switch(text: str) -> bool:
    return bool(("false", "true").index(text.lower()))


def _file(text: str) -> str:
    if not os.path.isfile(text):
        raise ValueError
    return text


ENDPOINT = Kind(
    allowed="a Twisted endpoint, such as tcp:8080:interface=127.0.0.1",
    parse=_endpoint,
)
URL = Kind(allowed="a URL, such as https://voice.example.com", parse=_url)
RECEIVER = Kind(
    allowed="a URL without a user, such as https://example.com/recordings",
    parse=_receiver,
)
SOCKET_URL = Kind(
    allowed="a wss URL, such as wss://api.example.com/v1, or ws to this machine",
    parse=_socket_url,
)
AGENT = Kind(
    allowed="a short name, such as echo, or package.module:Class",
    parse=_matching(r"[A-Za-z_][\w-]*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?"),
)
PATH = Kind(allowed="a path", parse=_matching(r"(?s)[^\0]+"))
PATH_OR_OFF = Kind(allowed="a path, or '' for off", parse=_matching(r"(?s)[^\0]*"))
FILE_TO_READ = Kind(allowed="the path of a file, or '' for none", parse=_or_none(_file))
SECONDS = Kind(allowed="seconds above 0", parse=_seconds, native=(int, float))
AMOUNT_OR_NONE = Kind(
    allowed="an amount, 0 or more, or '' for no limit",
    parse=_amount_or_none,
    native=(int, float),
)
LATE_MS_OR_OFF = Kind(
    allowed=f"one of {', '.join(map(str, LIMITS_MS))}, or 0 for off",
    parse=_late_ms,
    native=(int,),
)
SWITCH = Kind(allowed="true or false", parse=_switch, native=(bool,))
NODE_ID = Kind(
    allowed="1 to 64 letters, digits, '-', '_' or '.'",
    parse=_matching(r"[A-Za-z0-9_.-]{1,64}"),
)
ACCOUNT_SID = Kind(
    allowed="AC and 32 hexadecimal digits", parse=_matching("AC[0-9a-f]{32}")
)
API_KEY_SID = Kind(
    allowed="SK and 32 hexadecimal digits", parse=_matching("SK[0-9a-f]{32}")
)
PHONE_NUMBER = Kind(
    allowed="a number as +15550001234", parse=_matching(_NUMBER), private=True
)
PHONE_NUMBER_OR_NONE = Kind(
    allowed="a number as +15550001234, or '' for none",
    parse=_or_none(_matching(_NUMBER)),
    private=True,
)
AFTER_STREAM = Kind(
    allowed="one of hangup, rejoin, dial:+15550001234",
    parse=_matching(rf"hangup|rejoin|dial:{_NUMBER}"),
    private=True,
)
BUCKET = Kind(
    allowed="the name of a bucket: 3 to 63 small letters, digits, '-' or '.'",
    parse=_matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
)
REGION = Kind(allowed="a region, such as eu-west-1", parse=_matching("[a-z0-9-]+"))
# Names for which no two programs disagree on how to quote them.
KEY_PREFIX = Kind(
    allowed="names with slashes between them, such as voice/recordings, or ''",
    parse=_matching(rf"({_NAME}(/{_NAME})*)?"),
)
ACCESS_KEY_ID = Kind(
    allowed="letters, digits, '-', '_' or '.'", parse=_matching(r"[A-Za-z0-9_.-]+")
)
SECRET = Kind(
    allowed="a secret without spaces", parse=_matching(r"[!-~]+"), private=True
)
SECRET_FILE = Kind(allowed="the path of a file with the secret", parse=PATH.parse)
