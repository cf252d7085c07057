"""Uploads to a storage that speaks S3 over real sockets.

moto takes any signature; :mod:`tests.outbox.test_sigv4` is about those.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from twistedvoice.errors import CarrierApiError, ErrandFailed
from twistedvoice.interfaces import Errand, HttpRequest
from twistedvoice.outbox.s3 import Bucket
from twistedvoice.outbox.sigv4 import Signer
from twistedvoice.outbox.upload import Upload
from twistedvoice.web.client import TreqClient

#: trial runs what returns a Deferred on the global reactor.
reactor: Any = global_reactor


class StorageTests(TestCase):
    """A storage that is empty but for the bucket of the test."""

    def setUp(self) -> None:
        self.patch(logging.getLogger("werkzeug"), "disabled", True)
        self.serve(port=0)
        host, port = self.server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        name = self.id().rpartition(".")[2].replace("_", "-")
        self.bucket = Bucket(name=name, region="us-east-1", endpoint=self.endpoint)
        self.signer = Signer(
            region="us-east-1", access_key_id="AKIA", secret_access_key="secret"
        )
        self.client = TreqClient(reactor, max_body_bytes=1 << 25)
        self.addCleanup(self.client.close)
        self.path = Path(self.mktemp()) / "n-1.wav"
        self.path.parent.mkdir()
        self.path.with_suffix(".jsonl").write_bytes(b"lines")

    def serve(self, port: int) -> None:
        """Have a storage listen there until the test ends."""
        self.server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self.server.start()
        self.addCleanup(self.server.stop)

    async def ask(self, method: str, url: str) -> tuple[int, bytes]:
        """:returns: the status and the body of the answer."""
        request = HttpRequest(method=method, url=url)
        empty = sha256().hexdigest()
        signed = self.signer.signed(request, empty, datetime.now(UTC))
        response = await self.client.perform(signed)
        return response.status, response.body

    async def make_bucket(self) -> None:
        """Make the test's bucket."""
        status, _ = await self.ask("PUT", f"{self.endpoint}/{self.bucket.name}")
        self.assertEqual(status, 200)

    async def upload(self, sound: bytes) -> str:
        """:returns: the key of the recording in the bucket."""
        self.path.write_bytes(sound)
        upload = Upload(
            time.time,
            self.client,
            deferToThread,
            bucket=self.bucket,
            signer=self.signer,
            prefix="calls",
        )
        details = {"path": str(self.path), "key": "2026/01/02/n-1.wav"}
        errand = Errand(id="1", kind="upload", session_id="n-1", details=details)
        return str((await upload.perform(errand))["key"])

    async def test_large(self) -> None:
        """A recording of twenty mebibytes arrives whole, and no parts are left."""
        await self.make_bucket()
        sound = (bytes(range(251)) * 83_560)[: 20 << 20]
        self.assertEqual(len(sound), 20 << 20)
        key = await self.upload(sound)
        _, body = await self.ask("GET", self.bucket.url(key))
        self.assertTrue(body == sound)
        _, uploads = await self.ask("GET", self.bucket.url("") + "?uploads=")
        self.assertIn(b"</ListMultipartUploadsResult>", uploads)
        self.assertNotIn(b"<Upload>", uploads)

    async def test_not_there(self) -> None:
        """No bucket, or no storage, is a failure; once it is back it succeeds."""
        failing = ensureDeferred(self.upload(b"sound"))
        error = await self.assertFailure(failing, ErrandFailed)
        self.assertEqual(str(error), "the storage answered 404 NoSuchBucket")
        await self.make_bucket()
        self.server.stop()
        failing = ensureDeferred(self.upload(b"sound"))
        await self.assertFailure(failing, CarrierApiError)
        self.serve(int(self.endpoint.rpartition(":")[2]))
        key = await self.upload(b"sound")
        self.assertEqual(key, "calls/2026/01/02/n-1.wav")
        for name, body in ((key, b"sound"), (key[:-4] + ".jsonl", b"lines")):
            answer = await self.ask("GET", self.bucket.url(name))
            self.assertEqual(answer, (200, body))
