"""Tests of signatures: AWS's own examples, and a computation of the tests' own.

The examples are those of "Authenticating Requests: Using the Authorization Header" in
the reference of Amazon S3.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.outbox.proof import signature_of, signature_right
from twistedvoice.interfaces import HttpRequest
from twistedvoice.outbox.s3 import Bucket
from twistedvoice.outbox.sigv4 import Signer

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOST = "https://examplebucket.s3.amazonaws.com"
MOMENT = datetime(2013, 5, 24, tzinfo=UTC)
EMPTY = hashlib.sha256(b"").hexdigest()


class SignerTests(SynchronousTestCase):
    """Requests that are signed with the key of AWS's examples."""

    def setUp(self) -> None:
        self.signer = Signer(
            region="us-east-1",
            access_key_id="AKIAIOSFODNN7EXAMPLE",
            secret_access_key=SECRET,
        )

    def signed(self, request: HttpRequest) -> HttpRequest:
        """:returns: the request as it is sent."""
        digest = hashlib.sha256(request.body or b"").hexdigest()
        return self.signer.signed(request, digest, MOMENT)

    def test_examples(self) -> None:
        """The signatures are those of AWS's examples."""
        for path, headers, signature in (
            (
                "/test.txt",
                {"Range": "bytes=0-9"},
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "/?lifecycle=",
                {},
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "/?max-keys=2&prefix=J",
                {},
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ):
            request = HttpRequest(method="GET", url=HOST + path, headers=headers)
            signed = self.signed(request)
            self.assertEqual(signature_of(signed), signature)
            self.assertEqual(signature_right(signed, SECRET), signature)

    def test_example_of_put(self) -> None:
        """The signature of a body is that of AWS's example."""
        request = HttpRequest(
            method="PUT",
            url=f"{HOST}/test%24file.text",
            body=b"Welcome to Amazon S3.",
            headers={
                "Date": "Fri, 24 May 2013 00:00:00 GMT",
                "x-amz-storage-class": "REDUCED_REDUNDANCY",
            },
        )
        self.assertEqual(
            signature_of(self.signed(request)),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        )

    def test_ours(self) -> None:
        """Every request of ours is signed as the documentation says."""
        for endpoint in (None, "http://127.0.0.1:9000"):
            bucket = Bucket(name="calls", region="us-east-1", endpoint=endpoint)
            for request in (
                bucket.put("a/2026/n-1_x.y.wav", b"sound", "audio/wav"),
                bucket.begin_upload("n-1.wav", "audio/wav"),
                bucket.put_part("n-1.wav", "up+/= &~.id", 2, b"part"),
                bucket.end_upload("n-1.wav", "up+/= &~.id", ['"1"', '"2"']),
                bucket.drop_upload("n-1.wav", "up+/= &~.id"),
            ):
                signed = self.signed(request)
                right = signature_right(signed, SECRET)
                self.assertEqual(signature_of(signed), right)

    def test_all_is_signed(self) -> None:
        """Another key, place, header, body or time has another signature."""
        signed = self.signed(
            HttpRequest(method="PUT", url=f"{HOST}/a?b=c", headers={"X-One": "1"})
        )
        right = signature_of(signed)
        others = [
            signature_right(evolve(signed, method="POST"), SECRET),
            signature_right(evolve(signed, url=f"{HOST}/b?b=c"), SECRET),
            signature_right(evolve(signed, url=f"{HOST}/a?b=d"), SECRET),
            signature_right(signed, SECRET.lower()),
        ]
        for name in ("X-One", "X-Amz-Content-SHA256", "X-Amz-Date"):
            headers = {**signed.headers, name: "other"}
            others.append(signature_right(evolve(signed, headers=headers), SECRET))
        self.assertNotIn(right, others)
        self.assertEqual(len({*others}), 7)

    def test_no_secret_sent(self) -> None:
        """The secret is not in what is sent."""
        signed = self.signed(HttpRequest(method="GET", url=HOST))
        self.assertNotIn(SECRET, str(signed.headers))
        self.assertEqual(signed.headers["X-Amz-Content-SHA256"], EMPTY)
