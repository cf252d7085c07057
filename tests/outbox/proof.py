"""AWS Signature Version 4, once more, as its documentation tells it.

Shares no code with what it checks, nor with botocore.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from urllib.parse import urlsplit

from twistedvoice.interfaces import HttpRequest

__all__ = ["signature_of", "signature_right"]


def signature_of(request: HttpRequest) -> str:
    """:returns: the signature that a request carries."""
    return request.headers["Authorization"].rpartition("Signature=")[2]


def signature_right(request: HttpRequest, secret: str) -> str:
    """:returns: the signature that a request must carry."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    said = re.match(
        r"AWS4-HMAC-SHA256 Credential=\w+/(\S+), SignedHeaders=(\S+),",
        headers["authorization"],
    )
    assert said is not None
    scope, names = said.groups()
    url = urlsplit(request.url)
    headers["host"] = url.netloc
    lines = [
        request.method,
        url.path,
        "&".join(sorted(url.query.split("&"))),
        *(f"{name}:{headers[name]}" for name in names.split(";")),
        "",
        names,
        headers["x-amz-content-sha256"],
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    key = b"AWS4" + secret.encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
