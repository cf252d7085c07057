"""A receiver's check that a webhook is from the service: the whole of it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

TOLERANCE_SECONDS = 300


def verified(
    secret: str, headers: Mapping[str, str], body: bytes, now: float
) -> object:
    """
    Check and read a webhook.

    :param secret: what ``webhook.secret`` is, ``whsec_`` and all.
    :param headers: by name in lower case.
    :param body: the bytes as they came, before anything has parsed them.
    :param now: seconds since the epoch.
    :raises ValueError: when it is not from the service, or an old one sent again.
    """
    if abs(now - int(headers["webhook-timestamp"])) > TOLERANCE_SECONDS:
        raise ValueError("too old")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    for given in headers["webhook-signature"].split():
        if hmac.compare_digest(given, wanted):
            return json.loads(body)
    raise ValueError("not signed by us")
