"""Tests of uploading, against a double that keeps what it is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import define, field
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    fail,
    maybeDeferred,
    succeed,
)
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tests.outbox.performer_contract import PerformerContract
from tests.outbox.proof import signature_of, signature_right
from twistedvoice.errors import CarrierApiError, ErrandFailed, ErrandRefused
from twistedvoice.interfaces import Errand, HttpClient, HttpRequest, HttpResponse
from twistedvoice.outbox.s3 import Bucket
from twistedvoice.outbox.sigv4 import Signer
from twistedvoice.outbox.upload import PART_BYTES, Upload

SECRET = "secret"
DOWN = CarrierApiError("cannot be reached", status=None, code=None, retryable=True)


@define
class Storage:
    """A storage that keeps objects and parts, if they are signed."""

    objects: dict[str, bytes] = field(factory=dict)
    types: dict[str, str] = field(factory=dict)
    parts: dict[int, bytes] = field(factory=dict)
    asked: list[str] = field(factory=list)
    #: What the requests that begin so come to instead.
    tricks: dict[str, Callable[[], Deferred[HttpResponse]]] = field(factory=dict)

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        """Implement :class:`~twistedvoice.interfaces.HttpClient`."""
        assert signature_of(request) == signature_right(request, SECRET)
        url = urlsplit(request.url)
        key = url.path.removeprefix("/calls/")
        query = parse_qs(url.query, keep_blank_values=True)
        words = [request.method, *sorted(query)]
        self.asked.append(" ".join([*words, *query.get("partNumber", [])]))
        for beginning, trick in self.tricks.items():
            if self.asked[-1].startswith(beginning):
                return trick()
        self.types.setdefault(key, request.headers.get("Content-Type", ""))
        return succeed(self._answer(" ".join(words), key, query, request.body or b""))

    def _answer(
        self, words: str, key: str, query: dict[str, list[str]], body: bytes
    ) -> HttpResponse:
        if words == "PUT":
            self.objects[key] = body
            return answer(etag=f'"{len(body)}"')
        if words == "POST uploads":
            return answer("<R><UploadId>u/1</UploadId></R>")
        if words == "PUT partNumber uploadId":
            number = int(query["partNumber"][0])
            self.parts[number] = body
            return answer(etag=f'"part {number}"')
        if words == "POST uploadId":
            numbers = re.findall(r"<PartNumber>(\d+)</PartNumber>", body.decode())
            self.objects[key] = b"".join(self.parts[int(each)] for each in numbers)
            return answer(f'<R><ETag>"{len(numbers)} parts"</ETag></R>')
        assert words == "DELETE uploadId", words
        self.parts.clear()
        return answer(status=204)


def answer(body: str = "", status: int = 200, **headers: str) -> HttpResponse:
    """:returns: what a storage answers."""
    return HttpResponse(status=status, headers=headers, body=body.encode())


class UploadTestCase(SynchronousTestCase):
    """One recording and its sidecar, and where they go."""

    def setUp(self) -> None:
        self.storage = Storage()
        self.path = Path(self.mktemp()) / "n-1.wav"
        self.path.parent.mkdir()
        self.path.write_bytes(b"sound")
        self.path.with_suffix(".jsonl").write_bytes(b"lines")

    def perform(self, prefix: str = "", **found: object) -> Deferred[Any]:
        """:returns: fires with what the errand comes to."""
        client: HttpClient = self.storage
        upload = Upload(
            lambda: 1e9,
            client,
            maybeDeferred,
            bucket=Bucket(name="calls", region="us-east-1", endpoint="http://s3"),
            signer=Signer(
                region="us-east-1", access_key_id="AKIA", secret_access_key=SECRET
            ),
            prefix=prefix,
        )
        details = {"path": str(self.path), "key": "2026/01/02/n-1.wav"}
        return upload.perform(
            Errand(
                id="n-1/upload",
                kind="upload",
                session_id="n-1",
                details=details,
                found=found,
            )
        )

    def large(self, size: int = 2 * PART_BYTES + 3) -> bytes:
        """:returns: the recording, which is too large to be put at once."""
        sound = (bytes(range(251)) * (size // 251 + 1))[:size]
        self.path.write_bytes(sound)
        return sound


class ContractTests(PerformerContract, UploadTestCase):
    """What it shares with all that perform."""

    def begin(self) -> Deferred[Mapping[str, object]]:
        """Upload it; the storage does not answer yet."""
        self.answered: Deferred[HttpResponse] = Deferred()
        self.storage.tricks = {"PUT": lambda: self.answered}
        return self.perform()

    def go_on(self) -> None:
        """The storage answers."""
        self.storage.tricks = {}
        self.answered.callback(answer(etag='"5"'))


class UploadTests(UploadTestCase):
    """What is in the bucket afterwards."""

    def test_small(self) -> None:
        """Each file is put at once; the sidecar first, so that sound always has one."""
        done = self.successResultOf(self.perform())
        self.assertEqual(
            done,
            {
                "bucket": "calls",
                "key": "2026/01/02/n-1.wav",
                "etag": "5",
                "sidecar_key": "2026/01/02/n-1.jsonl",
            },
        )
        self.assertEqual(
            [*self.storage.objects.items()],
            [("2026/01/02/n-1.jsonl", b"lines"), ("2026/01/02/n-1.wav", b"sound")],
        )
        self.assertEqual(
            [*self.storage.types.values()], ["application/x-ndjson", "audio/wav"]
        )

    def test_encrypted(self) -> None:
        """What is encrypted is put as it is, under its own name."""
        self.path = self.path.rename(self.path.with_suffix(".vault"))
        done = self.successResultOf(self.perform())
        self.assertEqual(self.storage.objects["2026/01/02/n-1.vault"], b"sound")
        self.assertEqual(self.storage.types[done["key"]], "application/octet-stream")

    def test_again(self) -> None:
        """Once more is the same objects."""
        self.successResultOf(self.perform())
        before = dict(self.storage.objects)
        self.successResultOf(self.perform())
        self.assertEqual(self.storage.objects, before)

    def test_exported(self) -> None:
        """What was exported is uploaded in place of the recording, after a prefix."""
        exported = self.path.with_suffix(".opus")
        exported.write_bytes(b"small")
        done = self.successResultOf(self.perform("a/b", path=str(exported)))
        self.assertEqual(done["key"], "a/b/2026/01/02/n-1.opus")
        self.assertEqual(done["sidecar_key"], "a/b/2026/01/02/n-1.jsonl")
        self.assertEqual(self.storage.objects[done["key"]], b"small")
        self.assertEqual(self.storage.types[done["key"]], "audio/ogg")

    def test_no_sidecar(self) -> None:
        """A recording whose sidecar is gone is uploaded without."""
        self.path.with_suffix(".jsonl").unlink()
        done = self.successResultOf(self.perform())
        self.assertEqual((done["sidecar_key"], self.storage.asked), ("", ["PUT"]))

    def test_gone(self) -> None:
        """A recording that was removed is not waited for."""
        self.path.unlink()
        self.failureResultOf(self.perform(), ErrandRefused)
        self.assertEqual(self.storage.asked, [])

    def test_parts(self) -> None:
        """What is larger than a part goes in parts, and is whole in the end."""
        sound = self.large()
        done = self.successResultOf(self.perform())
        self.assertEqual(done["etag"], "3 parts")
        self.assertTrue(self.storage.objects[done["key"]] == sound)
        self.assertEqual(
            [len(part) for part in self.storage.parts.values()],
            [PART_BYTES, PART_BYTES, 3],
        )
        self.assertEqual(self.storage.types[done["key"]], "audio/wav")

    def test_just_a_part(self) -> None:
        """What is exactly as large as a part goes at once."""
        self.large(PART_BYTES)
        self.successResultOf(self.perform())
        self.assertEqual(self.storage.asked, ["PUT", "PUT"])

    def test_part_fails(self) -> None:
        """When a part fails all are dropped; nothing is in the bucket."""
        self.large()
        self.storage.tricks["PUT partNumber uploadId 2"] = lambda: fail(DOWN)
        failure = self.failureResultOf(self.perform(), CarrierApiError)
        self.assertIs(failure.value, DOWN)
        self.assertEqual(self.storage.asked[-1], "DELETE uploadId")
        self.assertEqual(self.storage.parts, {})
        self.assertEqual([*self.storage.objects], ["2026/01/02/n-1.jsonl"])

    def test_end_fails(self) -> None:
        """An end that is answered with 200 and an error is none."""
        self.large()
        error = "<Error><Code>InternalError</Code></Error>"
        self.storage.tricks["POST uploadId"] = lambda: succeed(answer(error))
        self.failureResultOf(self.perform(), ErrandFailed)
        self.assertEqual(self.storage.parts, {})

    def test_drop_fails(self) -> None:
        """Parts that cannot be dropped are logged, and the first error counts."""
        self.large()
        self.storage.tricks["PUT partNumber"] = lambda: succeed(answer(status=503))
        self.storage.tricks["DELETE"] = lambda: fail(DOWN)
        with capturedLogs() as logs:
            failure = self.failureResultOf(self.perform(), ErrandFailed)
        self.assertEqual(failure.getErrorMessage(), "the storage answered 503")
        self.assertEqual([each["key"] for each in logs], ["2026/01/02/n-1.wav"])

    def test_cancelled(self) -> None:
        """Cancelling ends it at once, and drops the parts."""
        self.large()
        self.storage.tricks["PUT partNumber uploadId 2"] = Deferred
        performing = self.perform()
        self.assertNoResult(performing)
        performing.cancel()
        self.failureResultOf(performing, CancelledError)
        self.assertEqual(self.storage.asked[-1], "DELETE uploadId")

    def test_refused(self) -> None:
        """Whatever the storage says no to may be right another time."""
        error = "<Error><Code>NoSuchBucket</Code></Error>"
        self.storage.tricks["PUT"] = lambda: succeed(answer(error, 404))
        failure = self.failureResultOf(self.perform(), ErrandFailed)
        self.assertEqual(
            failure.getErrorMessage(), "the storage answered 404 NoSuchBucket"
        )
