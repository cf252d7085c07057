# -*- test-case-name: tests.outbox.test_s3 -*-
"""The language of S3: requests and answers as values, for one bucket.

No I/O, and nothing is signed here. Knows the five requests that put an object into a
bucket, whole or in parts, and how errors are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from attrs import frozen

from ..errors import ErrandFailed
from ..interfaces import HttpRequest, HttpResponse

__all__ = ["Bucket", "checked", "element", "etag_of"]

#: What S3 says is much shorter; this is read in a moment, with calls waiting.
_LONGEST_ANSWER = 1 << 15


@frozen(kw_only=True)
class Bucket:
    """Where objects are put."""

    name: str
    region: str
    #: URL of a storage that is not AWS.
    endpoint: str | None

    def url(self, key: str) -> str:
        """:returns: where the object ``key`` is."""
        path = quote(key, safe="/-_.~")
        if self.endpoint is not None:
            return f"{self.endpoint}/{self.name}/{path}"
        host = f"s3.{self.region}.amazonaws.com"
        # AWS has a certificate for one label before its name.
        if "." in self.name:
            return f"https://{host}/{self.name}/{path}"
        return f"https://{self.name}.{host}/{path}"

    def put(self, key: str, body: bytes, content_type: str) -> HttpRequest:
        """:returns: the request that makes an object in one step."""
        headers = {"Content-Type": content_type}
        return HttpRequest(method="PUT", url=self.url(key), body=body, headers=headers)

    def begin_upload(self, key: str, content_type: str) -> HttpRequest:
        """:returns: the request whose answer has an ``UploadId``."""
        return HttpRequest(
            method="POST",
            url=f"{self.url(key)}?uploads=",
            headers={"Content-Type": content_type},
        )

    def put_part(
        self, key: str, upload_id: str, number: int, body: bytes
    ) -> HttpRequest:
        """:param number: of the part, from 1; all but the last have 5 MiB or more."""
        url = f"{self._upload_url(key, upload_id)}&partNumber={number}"
        return HttpRequest(method="PUT", url=url, body=body)

    def end_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> HttpRequest:
        """:param etags: of all parts, in order, as they were answered."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
            for number, etag in enumerate(etags, 1)
        )
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        body = f'<CompleteMultipartUpload xmlns="{space}">{parts}'
        return HttpRequest(
            method="POST",
            url=self._upload_url(key, upload_id),
            body=f"{body}</CompleteMultipartUpload>".encode(),
            headers={"Content-Type": "application/xml"},
        )

    def drop_upload(self, key: str, upload_id: str) -> HttpRequest:
        """:returns: the request that forgets all parts."""
        return HttpRequest(method="DELETE", url=self._upload_url(key, upload_id))

    def _upload_url(self, key: str, upload_id: str) -> str:
        return f"{self.url(key)}?uploadId={quote(upload_id, safe='')}"


def checked(response: HttpResponse) -> HttpResponse:
    """
    Let an answer pass that says yes.

    The end of an upload is answered before it is known: an error may follow a 200.

    :raises ErrandFailed: with the status, and with the storage's word for what was
        wrong. All of it may be right another time: keys are changed, rights are given,
        buckets are made.
    """
    failed = not 200 <= response.status < 300
    root = _parsed(response.body)
    if failed or (root is not None and root.tag.rpartition("}")[2] == "Error"):
        code = "" if root is None else root.findtext("{*}Code", "")
        said = f"the storage answered {response.status} {code}"
        raise ErrandFailed(said.strip())
    return response


def element(response: HttpResponse, name: str) -> str:
    """
    :returns: the text of an element of the answer.
    :raises ErrandFailed: when it is not there: whoever answers, it is not S3.
    """
    root = _parsed(response.body)
    text = None if root is None else root.findtext(f"{{*}}{name}")
    if not text:
        raise ErrandFailed(f"the storage's answer has no {name}")
    return text


def etag_of(response: HttpResponse) -> str:
    """
    :returns: the tag of what was put, with its quotes.
    :raises ErrandFailed: when it is not there.
    """
    if not (etag := response.headers.get("etag")):
        raise ErrandFailed("the storage's answer has no ETag")
    return etag


def _parsed(body: bytes) -> ElementTree.Element | None:
    # Before an answer that takes long, S3 sends white space.
    text = body.strip()
    if len(text) > _LONGEST_ANSWER:
        return None
    try:
        # expat bounds what entities may grow to.
        return ElementTree.fromstring(text)  # noqa: S314
    except (ElementTree.ParseError, LookupError, ValueError):
        return None  # or in an encoding that nobody knows
