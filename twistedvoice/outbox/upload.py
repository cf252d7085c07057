# -*- test-case-name: tests.outbox.test_upload -*-
"""Performs ``upload``: puts a recording and its sidecar into an S3 bucket.

Knows the order of requests and what is in memory meanwhile: one part of one file. How
requests look is :mod:`.s3`, how they are signed :mod:`.sigv4`. The same errand puts the
same objects, so that doing it again changes nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..interfaces import Errand, HttpClient, HttpRequest, HttpResponse
from ..recording.sidecar import sidecar_path
from ..recording.source import source_of
from .s3 import Bucket, checked, element, etag_of
from .sigv4 import Signer

__all__ = ["PART_BYTES", "Upload"]

#: What is larger goes in parts of this size.
PART_BYTES = 8 << 20

_TYPES = {
    ".wav": "audio/wav",
    ".vault": "application/octet-stream",
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
    ".jsonl": "application/x-ndjson",
}

_log = Logger()


class Upload:
    """
    Uploads recordings into one bucket.

    :param wall: seconds since the epoch; signatures have a time.
    :param client: its time-out must be long enough for a part.
    :param defer_to_thread: reads and hashes parts.
    :param prefix: stands before every key, with a slash; may be empty.
    """

    def __init__(
        self,
        wall: Callable[[], float],
        client: HttpClient,
        defer_to_thread: Callable[..., Deferred[Any]],
        *,
        bucket: Bucket,
        signer: Signer,
        prefix: str,
    ) -> None:
        self._wall = wall
        self._client = client
        self._defer_to_thread = defer_to_thread
        self._bucket = bucket
        self._signer = signer
        self._prefix = f"{prefix}/" if prefix else ""

    def perform(self, errand: Errand) -> Deferred[Mapping[str, object]]:
        """
        Implement :data:`~twistedvoice.interfaces.Performer`.

        :returns: fires with ``bucket``, ``key``, ``etag`` and ``sidecar_key``, which is
            empty when there is no sidecar.
        """
        return Deferred.fromCoroutine(self._perform(errand))

    async def _perform(self, errand: Errand) -> Mapping[str, object]:
        sound = await self._defer_to_thread(source_of, errand)
        sidecar = sidecar_path(sound)
        name = PurePosixPath(self._prefix + str(errand.details["key"]))
        key = name.with_suffix(sound.suffix)
        sidecar_key = ""
        # First: who sees the sound in the bucket finds its sidecar there.
        if await self._defer_to_thread(sidecar.is_file):
            sidecar_key = str(key.with_suffix(sidecar.suffix))
            await self._put(sidecar, sidecar_key)
        return {
            "bucket": self._bucket.name,
            "key": str(key),
            "etag": await self._put(sound, str(key)),
            "sidecar_key": sidecar_key,
        }

    async def _put(self, path: Path, key: str) -> str:
        """:returns: the tag of the object, without its quotes."""
        size = await self._defer_to_thread(os.path.getsize, path)
        if size > PART_BYTES:
            etag = await self._put_in_parts(path, key, -(-size // PART_BYTES))
        else:
            body, digest = await self._defer_to_thread(_read, path, 0)
            request = self._bucket.put(key, body, _TYPES[path.suffix])
            etag = etag_of(await self._ask(request, digest))
        return etag.strip('"')

    async def _put_in_parts(self, path: Path, key: str, count: int) -> str:
        begun = await self._ask(self._bucket.begin_upload(key, _TYPES[path.suffix]))
        upload_id = element(begun, "UploadId")
        try:
            etags = [
                await self._put_part(path, key, upload_id, number)
                for number in range(1, count + 1)
            ]
            ended = await self._ask(self._bucket.end_upload(key, upload_id, etags))
            return element(ended, "ETag")
        except BaseException:
            # Parts cost money until they are dropped. Nobody waits for that.
            dropping = self._ask(self._bucket.drop_upload(key, upload_id))
            Deferred.fromCoroutine(dropping).addErrback(
                lambda failure: _log.warn(
                    "parts of {key} are left in the bucket: {error}",
                    key=key,
                    error=failure.getErrorMessage(),
                )
            )
            raise

    async def _put_part(self, path: Path, key: str, upload_id: str, number: int) -> str:
        """:returns: the tag of the part, as it is."""
        at = (number - 1) * PART_BYTES
        body, digest = await self._defer_to_thread(_read, path, at)
        request = self._bucket.put_part(key, upload_id, number, body)
        return etag_of(await self._ask(request, digest))

    async def _ask(self, request: HttpRequest, sha256: str = "") -> HttpResponse:
        """:param sha256: of the body; empty for one that is short enough to do here."""
        sha256 = sha256 or hashlib.sha256(request.body or b"").hexdigest()
        now = datetime.fromtimestamp(self._wall(), UTC)
        return checked(
            await self._client.perform(self._signer.signed(request, sha256, now))
        )


def _read(path: Path, at: int) -> tuple[bytes, str]:
    """:returns: the part of a file that begins at ``at``, and its SHA-256 in hex."""
    with path.open("rb") as file:
        file.seek(at)
        body = file.read(PART_BYTES)
    return body, hashlib.sha256(body).hexdigest()
