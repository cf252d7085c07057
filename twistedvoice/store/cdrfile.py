# -*- test-case-name: tests.store.test_cdrfile -*-
"""The CDR file: one line of JSON for each finished call.

Called from a thread. A line is written whole in one append, so several processes may
share the file and it can be rotated by renaming it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["append_cdr"]


def append_cdr(path: Path, cdr: Mapping[str, object]) -> None:
    """
    Add one line to the file, which is made when it is not there.

    :raises OSError: when the line cannot be written, or not whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(cdr, separators=(",", ":")).encode("ascii") + b"\n"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            # A disk that was full cut the line before short.
            line = b"\n" + line
        if os.write(file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(file)
