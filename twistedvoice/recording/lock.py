# -*- test-case-name: tests.recording.test_lock -*-
"""Tells whether the writer of a part lives: it has the part locked as long as it does.

The system lets go of a lock when its process dies, however that was; so a part that is
not locked was left. Processes that share a folder agree by this alone.
"""

from __future__ import annotations

import fcntl
import os
from io import FileIO
from pathlib import Path

from .private import open_private

__all__ = ["create_locked", "is_being_written", "lock_abandoned", "open_own"]


def create_locked(part: Path) -> FileIO:
    """
    Create and lock a file.

    A recovery may find it between these two steps and take it away as empty; then it
    is made again.

    :raises FileExistsError: when there is one already.
    """
    while True:
        file = FileIO(part, "x", opener=open_private)
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, part):
            return file
        file.close()


def lock_abandoned(part: Path) -> FileIO | None:
    """
    Lock a file whose writer is dead.

    :returns: None when its writer lives, or it is gone. Closing the file unlocks it.
    :raises OSError: when it is not ours: a link, say.
    """
    try:
        file = FileIO(part, "r+", opener=open_own)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    if _is_at(file, part):
        return file
    file.close()
    return None


def is_being_written(part: Path) -> bool:
    """
    Whether the writer of a file lives; who may only read may ask.

    :raises OSError: when it is not there, or not ours.
    """
    with FileIO(part, "r", opener=open_own) as file:
        try:
            # Shared, so that who asks does not look like a writer to who else asks.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def open_own(path: str, flags: int) -> int:
    """Open a file, but not what a link leads to, nor wait for who writes to a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
