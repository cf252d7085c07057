"""Tests of the language of S3."""

from __future__ import annotations

from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import ErrandFailed
from twistedvoice.interfaces import HttpResponse
from twistedvoice.outbox.s3 import Bucket, checked, element, etag_of


def answer(body: str = "", status: int = 200, **headers: str) -> HttpResponse:
    """:returns: what a storage answers."""
    return HttpResponse(status=status, headers=headers, body=body.encode())


class BucketTests(SynchronousTestCase):
    """Where objects are, and what is asked of the storage."""

    def test_urls(self) -> None:
        """AWS has a host for each bucket, unless its name has dots; others have one."""
        for name, endpoint, url in (
            ("calls", None, "https://calls.s3.eu-west-1.amazonaws.com/a/b.wav"),
            ("my.calls", None, "https://s3.eu-west-1.amazonaws.com/my.calls/a/b.wav"),
            ("calls", "http://minio:9000", "http://minio:9000/calls/a/b.wav"),
        ):
            bucket = Bucket(name=name, region="eu-west-1", endpoint=endpoint)
            self.assertEqual(bucket.url("a/b.wav"), url)

    def test_quoted(self) -> None:
        """What a URL gives a meaning to is quoted in keys and ids."""
        bucket = Bucket(name="calls", region="us-east-1", endpoint="http://s3")
        self.assertEqual(bucket.url("a b?#é/c"), "http://s3/calls/a%20b%3F%23%C3%A9/c")
        self.assertEqual(
            bucket.put_part("k", "a+/= &", 7, b"").url,
            "http://s3/calls/k?uploadId=a%2B%2F%3D%20%26&partNumber=7",
        )

    def test_end_upload(self) -> None:
        """All parts are listed in order, with their tags as they were answered."""
        bucket = Bucket(name="calls", region="us-east-1", endpoint="http://s3")
        request = bucket.end_upload("k", "u", ['"1"', "<&>"])
        parts = ElementTree.fromstring(request.body or b"").findall("{*}Part")
        self.assertEqual(
            [(part[0].text, part[1].text) for part in parts],
            [("1", '"1"'), ("2", "<&>")],
        )


class AnswersTests(SynchronousTestCase):
    """What is read from answers."""

    def assert_failed(self, response: HttpResponse, said: str) -> None:
        """The answer says no, and this is said of it."""
        error = self.assertRaises(ErrandFailed, checked, response)
        self.assertEqual(str(error), f"the storage answered {said}")

    def test_yes(self) -> None:
        """Answers without errors pass, whatever they hold."""
        for body in ("", "<A><Error/></A>", "no XML"):
            self.assertEqual(checked(answer(body, 204)).status, 204)

    def test_no(self) -> None:
        """The status is told, and the storage's word; no text of strangers is."""
        error = "<Error><Code>SlowDown</Code><Message>key AKIA</Message></Error>"
        self.assert_failed(answer(error, 503), "503 SlowDown")
        self.assert_failed(answer("<html>", 502), "502")
        self.assert_failed(answer("", 403), "403")
        self.assert_failed(answer("", 307), "307")

    def test_late_no(self) -> None:
        """An error may come with 200, after white space."""
        error = "<Error xmlns='a'><Code>InternalError</Code></Error>"
        self.assert_failed(
            answer(f"  \n<?xml version='1.0'?>{error}"), "200 InternalError"
        )

    def test_elements(self) -> None:
        """Elements are found in any name space; without them it is not S3."""
        for body in (
            "<R><UploadId>u1</UploadId></R>",
            "<R xmlns='a'><UploadId>u1</UploadId></R>",
        ):
            self.assertEqual(element(answer(body), "UploadId"), "u1")
        for body in ("", "<R/>", "<R><UploadId/></R>"):
            self.assertRaises(ErrandFailed, element, answer(body), "UploadId")

    def test_garbage(self) -> None:
        """What is no XML, or far more of it than S3 says, is nobody's word."""
        for encoding in ("none", "utf-32", "gbk"):
            body = f"<?xml version='1.0' encoding='{encoding}'?><Error/>"
            self.assertEqual(checked(answer(body)).status, 200)
        self.assertEqual(checked(answer(f"<Error>{'x' * 40_000}</Error>")).status, 200)

    def test_etag(self) -> None:
        """The tag of what was put is in a header."""
        self.assertEqual(etag_of(answer(etag='"1"')), '"1"')
        self.assertRaises(ErrandFailed, etag_of, answer())
