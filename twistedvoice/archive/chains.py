# -*- test-case-name: tests.archive.test_chains -*-
"""What the CDR file says of recordings: the last link of each one's chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["chains_in"]


def chains_in(file: Path) -> dict[str, str]:
    """
    Read a CDR file, of which a full disk may have cut lines short.

    :returns: the chains that were finished, by session id.
    :raises OSError: when it cannot be read.
    """
    with file.open("rb") as lines:
        return dict(found for line in lines for found in _chain(line))


def _chain(line: bytes) -> Iterator[tuple[str, str]]:
    try:
        cdr: Any = json.loads(line)
        session_id, chain = cdr["session_id"], cdr["recording"]["chain"]
    except (ValueError, KeyError, TypeError):
        # Cut short; or what was found out later, of a call that was not recorded here.
        return
    if chain:
        yield session_id, chain
