# -*- test-case-name: tests.test_delivery -*-
"""What must fit together for recordings to be exported and uploaded.

Nothing of it is tried: a storage that is down, or does not know the key, is no reason
not to answer calls. :func:`~twistedvoice.reading.contradictions` asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

__all__ = ["undeliverable"]

#: What says nothing without a bucket.
_OF_BUCKET = ("s3.endpoint", "s3.access_key_id", "s3.secret_access_key")


def undeliverable(
    values: Mapping[str, Any], find: Callable[[str], object | None] = find_spec
) -> Iterator[str]:
    """
    Check the settings of ``export`` and ``s3``.

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


def _missing(
    values: Mapping[str, Any],
    extra: str,
    module: str,
    reason: str,
    find: Callable[[str], object | None],
) -> Iterator[str]:
    if values.get("recordings") == "":
        yield f"recordings: is off, but {reason}; give a path"
    if find(module) is None:
        yield (
            f"{extra}: {reason}, which needs {module};"
            f" pip install 'twistedvoice[{extra}]'"
        )
