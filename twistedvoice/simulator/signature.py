# -*- test-case-name: tests.simulator.test_signature -*-
"""Signs requests the way the carrier does, for services that check.

Written from the carrier's published description, apart from the service's own check,
so that the two cannot share a mistake.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

__all__ = ["HEADER", "sign"]

HEADER = "X-Twilio-Signature"


def sign(token: str, url: str, form: Iterable[tuple[str, str]] = ()) -> str:
    """
    :param url: as requested, byte for byte; for an upgrade as the markup gives it.
    :param form: what is posted; a pair that comes twice counts once.
    :returns: the value of the header named ``HEADER``.
    """
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")
