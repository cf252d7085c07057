# -*- test-case-name: tests.recording.test_private -*-
"""How the files of recordings are made: for the service and its group alone."""

from __future__ import annotations

import os

__all__ = ["FOLDER_MODE", "open_private"]

_FILE_MODE = 0o640
FOLDER_MODE = 0o750


def open_private(path: str, flags: int) -> int:
    """Open a file, as the ``opener`` of what makes it."""
    return os.open(path, flags, _FILE_MODE)
