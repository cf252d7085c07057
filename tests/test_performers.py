"""Tests of making performers of a configuration."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from tests.house import settings
from tests.outbox.proof import signature_of, signature_right
from tests.processes import ProcessReactor
from twistedvoice.config import Config
from twistedvoice.interfaces import Errand, HttpRequest, HttpResponse, Performer
from twistedvoice.outbox.webhook import signature, signing_key
from twistedvoice.performers import performers


class Storage:
    """The client of the storage; it never answers."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        """Implement :class:`~twistedvoice.interfaces.HttpClient`."""
        self.asked.append(request)
        return Deferred()


class PerformersTests(SynchronousTestCase):
    """Who performs what, and with which settings."""

    def setUp(self) -> None:
        self.asked: list[HttpRequest] = []
        self.storage = Storage()
        self.reactor = ProcessReactor()
        self.path = Path(self.mktemp()).absolute()
        self.path.mkdir()
        self.path /= "n-1.wav"
        self.path.write_bytes(b"sound")

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        """Implement :class:`~twistedvoice.interfaces.HttpClient`; never answers."""
        self.asked.append(request)
        return Deferred()

    def performers(self, config: Config) -> dict[str, Performer]:
        """:returns: who performs what."""
        return performers(
            self.reactor,
            lambda: 1e9,
            config,
            self,
            self.storage,
            {"LANG": "C"},
            maybeDeferred,
        )

    def begin(self, kind: str, **options: str) -> None:
        """Begin the one errand that can be performed."""
        config = settings(recordings=str(self.path.parent), **options)
        found = self.performers(config)
        self.assertEqual([*found], [kind])
        details = {
            "path": str(self.path),
            "key": "2026/n-1.wav",
            "finished_at": 1e9,
        }
        found[kind](Errand(id="1", kind=kind, session_id="n-1", details=details))

    def test_none(self) -> None:
        """Nothing is performed that is not configured."""
        self.assertEqual(self.performers(settings()), {})

    def test_export(self) -> None:
        """An export is to the format of the settings, in the environment given."""
        self.begin("export", export_format="flac")
        (process,) = self.reactor.processes
        target = str(self.path.with_suffix(".flac"))
        self.assertEqual(process.started["args"][-1], target)
        self.assertEqual(process.started["env"], {"LANG": "C"})

    def test_upload(self) -> None:
        """An upload is to the place of the settings, with their key, at this time."""
        secret = Path(self.mktemp())
        secret.write_text("hush")
        self.begin(
            "upload",
            s3_bucket="calls",
            s3_region="eu-west-1",
            s3_endpoint="https://s3.example",
            s3_prefix="a/b",
            s3_access_key_id="AKIA",
            s3_secret_access_key_file=str(secret),
        )
        self.assertEqual(self.asked, [])
        (request,) = self.storage.asked
        self.assertEqual(request.url, "https://s3.example/calls/a/b/2026/n-1.wav")
        self.assertEqual(signature_of(request), signature_right(request, "hush"))
        stamp = f"{datetime.fromtimestamp(1e9, UTC):%Y%m%d}"
        self.assertIn(
            f"Credential=AKIA/{stamp}/eu-west-1/s3/", request.headers["Authorization"]
        )
        digest = hashlib.sha256(b"sound").hexdigest()
        self.assertEqual(request.headers["X-Amz-Content-SHA256"], digest)

    def test_webhook(self) -> None:
        """The receiver of the settings is told, signed with each secret."""
        files = []
        for letter in "ab":
            files.append(Path(self.mktemp()))
            files[-1].write_text("whsec_" + letter * 32)
        self.begin(
            "webhook",
            webhook_url="https://a.example/hook/",
            webhook_secret_file=str(files[0]),
            webhook_secret_secondary_file=str(files[1]),
        )
        (request,) = self.asked
        self.assertEqual(self.storage.asked, [])
        self.assertEqual(request.url, "https://a.example/hook/")
        self.assertEqual(request.headers["webhook-timestamp"], "1000000000")
        given = request.headers["webhook-signature"].split()
        wanted = [
            signature(
                signing_key("whsec_" + letter * 32), "1", 10**9, request.body or b""
            )
            for letter in "ab"
        ]
        self.assertEqual(given, wanted)
