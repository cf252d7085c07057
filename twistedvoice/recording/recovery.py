# -*- test-case-name: tests.recording.test_recovery -*-
"""Finishes the recordings that a dead process left, and looks after the folder.

Runs when the service starts, in a worker thread, while other processes may be recording
into the same folder: what they have locked is left alone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from twisted.logger import Logger

from ..audio.wavwriter import repair_wav
from ..errors import AudioFormatError, ConfigError
from .part import PART_SUFFIX, finished_path, lock_abandoned

__all__ = ["check_folder", "recover"]

#: Our own header without any sound. What is shorter has nothing to save.
_HEADER_BYTES = 58

_log = Logger()


def check_folder(folder: Path) -> None:
    """
    Make sure that recordings can be written into ``folder``; make it if need be.

    :raises ConfigError: saying what to do.
    """
    try:
        folder.mkdir(0o750, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise ConfigError(
            [f"recordings: {error.filename} is a file; name a folder"]
        ) from error
    except OSError as error:
        raise ConfigError(
            [
                f"recordings: cannot write into {folder} as user {os.geteuid()}:"
                f" {error.strerror}; give the folder to this user (chown), make it"
                " writable, or name another one"
            ]
        ) from error


def recover(folder: Path) -> list[Path]:
    """
    Finish every recording in ``folder`` whose writer is dead.

    Each becomes a WAV file under its final name and replaces none. Those without any
    sound are removed. One that cannot be finished stays as it is, and is logged.

    :returns: the recordings that were finished.
    """
    return list(_recovered(folder))


def _recovered(folder: Path) -> Iterator[Path]:
    for part in sorted(folder.rglob(f"*.wav{PART_SUFFIX}")):
        try:
            path = _finish_abandoned(part)
        except (OSError, AudioFormatError) as error:
            _log.error("cannot finish {part}: {error}", part=str(part), error=error)
        else:
            if path is not None:
                yield path


def _finish_abandoned(part: Path) -> Path | None:
    """:returns: its new path, None when its writer lives or it holds no sound."""
    lock = lock_abandoned(part)
    if lock is None:
        return None
    with lock:
        if part.stat().st_size <= _HEADER_BYTES:
            part.unlink()
            return None
        repair_wav(part)
        return part.rename(finished_path(part))
