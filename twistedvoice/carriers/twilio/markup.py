# -*- test-case-name: tests.carriers.test_twilio_markup -*-
"""TwiML: what a voice webhook answers, and what a live call is updated with.

Each function returns one whole document. Values are escaped here and nowhere else;
which answer a call deserves is decided by the caller.

Written after https://www.twilio.com/docs/voice/twiml (2026-08).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from attrs import field, frozen

__all__ = [
    "After",
    "Dial",
    "HangUp",
    "Redirect",
    "busy",
    "connect_stream",
    "redirect",
    "stream_url",
    "transfer",
]

#: What Twilio allows for the name and the value of one parameter together.
_MOST_PARAMETER = 499
#: Characters that XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@frozen
class HangUp:
    """The call is over."""


@frozen
class Redirect:
    """The call goes on with the markup at ``url``, to rejoin the service, say."""

    url: str


@frozen
class Dial:
    """The caller is put through to ``number``."""

    number: str = field(repr=False)


#: What happens to a call once its stream has ended, however it ended.
After = HangUp | Redirect | Dial


def connect_stream(url: str, params: Mapping[str, str], *, after: After) -> str:
    """
    Open a bidirectional stream, and say what follows it.

    :param url: see :func:`stream_url`; Twilio drops query strings or fails with
        31920, so what the stream must know goes into ``params``.
    :param params: comes back in the stream's ``start``.
    :raises ValueError: when Twilio would not take the URL or a parameter.
    """
    if "?" in url:
        raise ValueError("a stream's URL has no query string; use a parameter")
    stream = f"<Stream url={_quoted(url)}>{''.join(map(_parameter, params.items()))}"
    return _response(f"<Connect>{stream}</Stream></Connect>{_verb(after)}")


def busy() -> str:
    """:returns: refuses the call with a busy tone; it is never answered or charged."""
    return _response('<Reject reason="busy"/>')


def transfer(number: str) -> str:
    """:returns: puts the caller through to ``number``."""
    return _response(_verb(Dial(number)))


def redirect(url: str) -> str:
    """:returns: goes on with the markup at ``url``."""
    return _response(_verb(Redirect(url)))


def stream_url(public_url: str, path: str) -> str:
    """
    Give the address of a WebSocket; in markup, and under its upgrade's signature.

    :param public_url: where the service is reached, ``https://host`` or longer.
    :param path: starts with a slash.
    """
    return "ws" + public_url.removeprefix("http").rstrip("/") + path


def _response(verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'


def _verb(after: After) -> str:
    match after:
        case HangUp():
            return "<Hangup/>"
        case Redirect(url):
            return f"<Redirect>{_escaped(url)}</Redirect>"
        case Dial(number):
            return f"<Dial>{_escaped(number)}</Dial>"


def _parameter(item: tuple[str, str]) -> str:
    name, value = item
    if len(name) + len(value) > _MOST_PARAMETER:
        raise ValueError(f"the parameter {name[:40]!r} is too long for Twilio")
    return f"<Parameter name={_quoted(name)} value={_quoted(value)}/>"


def _escaped(text: str) -> str:
    # A bare carriage return would be read as a line feed.
    return escape(_checked(text), {"\r": "&#13;"})


def _quoted(text: str) -> str:
    return quoteattr(_checked(text))


def _checked(text: str) -> str:
    if _NOT_XML.search(text):
        raise ValueError("a character that XML cannot carry")
    return text
