# -*- test-case-name: tests.outbox.test_sigv4 -*-
"""Signs requests to S3 (AWS Signature Version 4), by the parts of botocore's signer.

No I/O and no clock: the moment is an argument. botocore is the extra ``s3``; nothing
else here uses it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import evolve

from ..interfaces import HttpRequest

__all__ = ["Signer"]


class Signer:
    """Signs with one key; importing what does it takes a moment, once."""

    def __init__(
        self, *, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        """:raises ImportError: when the extra is not installed."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import ReadOnlyCredentials

        credentials = ReadOnlyCredentials(access_key_id, secret_access_key, None)
        self._auth: Any = S3SigV4Auth(credentials, "s3", region)
        self._aws_request: Any = AWSRequest

    def signed(self, request: HttpRequest, sha256: str, at: datetime) -> HttpRequest:
        """
        Sign all of ``request``, its headers and its body.

        :param sha256: of the body, in hex; the server holds the body against it.
        :param at: now, in UTC; the signature is good for a quarter of an hour.
        :returns: the request with the headers that prove it.
        """
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        headers = {
            **request.headers,
            "X-Amz-Content-SHA256": sha256,
            "X-Amz-Date": stamp,
        }
        asked = self._aws_request(request.method, request.url, headers)
        asked.context["timestamp"] = stamp
        auth = self._auth
        text = auth.string_to_sign(asked, auth.canonical_request(asked))
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={auth.scope(asked)},"
            f" SignedHeaders={auth.signed_headers(auth.headers_to_sign(asked))},"
            f" Signature={auth.signature(text, asked)}"
        )
        return evolve(request, headers=headers)
