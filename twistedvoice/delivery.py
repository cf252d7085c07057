# -*- test-case-name: tests.test_delivery -*-
"""What must fit together for recordings to be exported, uploaded and told of.

Nothing of it is tried: a storage that is down, or does not know the key, is no reason
not to answer calls. :func:`~twistedvoice.reading.contradictions` asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from .outbox.webhook import signing_key

__all__ = ["undeliverable"]

#: What says nothing without a bucket.
_OF_BUCKET = ("s3.endpoint", "s3.access_key_id", "s3.secret_access_key")


def undeliverable(
    values: Mapping[str, Any], find: Callable[[str], object | None] = find_spec
) -> Iterator[str]:
    """
    Check the settings of ``export``, ``s3`` and ``webhook``.

    :param values: by key, without those that could not be read.
    :param find: finds a module by its name, None where it is not installed.
    :returns: a problem for each rule that is broken.
    """
    if values.get("export.format", "off") != "off":
        reason = f"export.format is {values['export.format']}"
        yield from _missing(values, "export", "soundfile", reason, find)
    if values.get("s3.bucket"):
        yield from _missing(values, "s3", "botocore", "s3.bucket is set", find)
        for key in ("s3.access_key_id", "s3.secret_access_key"):
            if values.get(key, "") is None:
                yield f"{key}: is not set, but s3.bucket is"
    elif "s3.bucket" in values:
        for key in filter(values.get, _OF_BUCKET):
            yield f"s3.bucket: is not set, but {key} is; give both or none"
    yield from _unsigned(values)


def _unsigned(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("webhook.url"):
        yield from _unrecorded(values, "webhook.url is set")
        if values.get("webhook.secret", "") is None:
            yield (
                "webhook.secret: is not set, but webhook.url is; give whsec_ and the"
                " base64 of 24 random bytes or more"
            )
    for key in ("webhook.secret", "webhook.secret_secondary"):
        try:
            if values.get(key):
                signing_key(values[key])
        except ValueError as error:
            yield f"{key}: cannot sign: {error}; give whsec_ and base64"


def _missing(
    values: Mapping[str, Any],
    extra: str,
    module: str,
    reason: str,
    find: Callable[[str], object | None],
) -> Iterator[str]:
    yield from _unrecorded(values, reason)
    if find(module) is None:
        yield (
            f"{extra}: {reason}, which needs {module};"
            f" pip install 'twistedvoice[{extra}]'"
        )


def _unrecorded(values: Mapping[str, Any], reason: str) -> Iterator[str]:
    if values.get("recordings") == "":
        yield f"recordings: is off, but {reason}; give a path"
