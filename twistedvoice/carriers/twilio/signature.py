# -*- test-case-name: tests.carriers.test_twilio_signature -*-
"""Whether a request was signed by Twilio: pure functions of secret, URL and form.

Each check takes all tokens that count, the primary and, while it is rotated, the
secondary. Empty tokens count for nothing: an empty key is one that everybody has. The
URL is built by the caller from the configured public URL, never from what the request
says of itself. A signature has no time in it, so it can be replayed: whoever opens a
stream must show a token as well.

Written after https://www.twilio.com/docs/usage/security (2026-08).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from urllib.parse import parse_qs

__all__ = ["sign", "verify_body", "verify_form", "verify_upgrade"]

#: Scheme, host, port, and the rest without its fragment, which is never signed.
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>[^/?#]+?)(?P<port>:\d+)?(?P<rest>[/?][^#]*)?(#.*)?",
    re.DOTALL,
)


def sign(token: str, url: str, form: Iterable[tuple[str, str]] = ()) -> str:
    """
    Sign a request as Twilio does.

    :param form: the decoded pairs of the body, in any order; a pair that comes twice
        counts once.
    """
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.digest(_utf8(token), _utf8(signed), hashlib.sha1)
    return b64encode(digest).decode("ascii")


def verify_form(
    tokens: Sequence[str], url: str, form: Iterable[tuple[str, str]], header: str
) -> bool:
    """
    Check a webhook that was posted as a form.

    :param header: ``X-Twilio-Signature``, empty when there was none.
    """
    pairs = tuple(form)
    return _signed_as(tokens, _with_and_without_port(url), pairs, header)


def verify_body(tokens: Sequence[str], url: str, body: bytes, header: str) -> bool:
    """Check a webhook that was posted as anything else: its URL holds a digest."""
    said = parse_qs(url.partition("#")[0].partition("?")[2]).get("bodySHA256", [""])
    if not _same(hashlib.sha256(body).hexdigest(), said[0]):
        return False
    return _signed_as(tokens, _with_and_without_port(url), (), header)


def verify_upgrade(tokens: Sequence[str], url: str, header: str) -> bool:
    """
    Check the upgrade to a WebSocket.

    It is not documented which form of the URL Twilio signs, so all that were seen or
    that its own libraries try are allowed; none is weaker than another.

    :param url: what the markup said, ``wss://...``.
    """
    return _signed_as(tokens, _upgrade_urls(url), (), header)


def _signed_as(
    tokens: Sequence[str],
    urls: Iterable[str],
    form: Sequence[tuple[str, str]],
    header: str,
) -> bool:
    candidates = product(filter(None, tokens), tuple(urls))
    return any(_same(sign(token, url, form), header) for token, url in candidates)


def _with_and_without_port(url: str) -> Iterator[str]:
    """Twilio's own libraries accept both, since the signing side is not constant."""
    scheme, host, port, rest = _parts(url)
    yield f"{scheme}://{host}{rest}"
    yield f"{scheme}://{host}{port or _default_port(scheme)}{rest}"


def _upgrade_urls(url: str) -> Iterator[str]:
    scheme, host, port, path = _parts(url)
    toggled = path.removesuffix("/") if path.endswith("/") else path + "/"
    ports = ("", ":443", ":80", port) if port else ("", ":443", ":80")
    for said, rest, number in product(
        (scheme, scheme.replace("ws", "http")), (path, toggled), ports
    ):
        yield f"{said}://{host}{number}{rest}"


def _default_port(scheme: str) -> str:
    return ":443" if scheme == "https" else ":80"


def _parts(url: str) -> tuple[str, str, str, str]:
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("not an absolute URL")
    return found["scheme"], found["host"], found["port"] or "", found["rest"] or ""


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(_utf8(ours), _utf8(theirs))


def _utf8(text: str) -> bytes:
    # What came over HTTP may hold half characters; it is then merely not signed.
    return text.encode("utf-8", "surrogatepass")
