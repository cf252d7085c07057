# -*- test-case-name: tests.test_performers -*-
"""Makes those who perform errands, of what the configuration says of them.

:mod:`.wiring` calls this once; what a reload changes of it waits for a new process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from .config import Config, S3Config
from .interfaces import HttpClient, Performer
from .outbox.export import Export
from .outbox.s3 import Bucket
from .outbox.sigv4 import Signer
from .outbox.upload import Upload
from .outbox.webhook import Webhook, signing_key

__all__ = ["performers"]


def performers(
    reactor: Any,
    wall: Callable[[], float],
    config: Config,
    client: HttpClient,
    storage: HttpClient,
    environ: Mapping[str, str],
    defer_to_thread: Callable[..., Deferred[Any]],
) -> dict[str, Performer]:
    """
    :param storage: a client that gives a part of an upload the time it needs.
    :param environ: the environment of processes that compute.
    :returns: the performers that are configured, by the kind of errand.
    """
    found: dict[str, Performer] = {}
    if config.export.format != "off":
        export = Export(reactor, config.export.format, environ, defer_to_thread)
        found["export"] = export.perform
    if config.s3.bucket is not None:
        upload = Upload(
            wall,
            storage,
            defer_to_thread,
            bucket=_bucket(config.s3),
            signer=_signer(config.s3),
            prefix=config.s3.prefix,
        )
        found["upload"] = upload.perform
    if config.webhook.url is not None:
        keys = [signing_key(secret) for secret in config.webhook.secrets]
        found["webhook"] = Webhook(client, wall, config.webhook.url, keys).perform
    return found


def _bucket(s3: S3Config) -> Bucket:
    return Bucket(name=s3.bucket or "", region=s3.region, endpoint=s3.endpoint)


def _signer(s3: S3Config) -> Signer:
    return Signer(
        region=s3.region,
        access_key_id=s3.access_key_id or "",
        secret_access_key=s3.secret_access_key or "",
    )
