# -*- test-case-name: tests.recording.test_part -*-
"""The file of one recording while the call lasts.

It is named ``<name>.wav.part`` and locked as long as its writer lives, and becomes
``<name>.wav`` when it is whole; so :mod:`.recovery` can tell what is finished, what is
being written by some process, and what a dead one left. Everything here blocks: it runs
in a worker thread, one call of a method at a time.
"""

from __future__ import annotations

import fcntl
import os
from io import FileIO
from pathlib import Path

from ..audio.wavwriter import WavWriter
from ..formats import AudioFormat
from .mixer import CHANNELS, Batch, Mixed, Mixer

__all__ = ["PART_SUFFIX", "PartFile", "finished_path", "lock_abandoned"]

PART_SUFFIX = ".part"

#: A recording is nobody's business but the service's and its group's.
_FILE_MODE = 0o640
_FOLDER_MODE = 0o750


class PartFile:
    """
    One recording on its way to the disk.

    :param path: where the recording will be when it is whole.
    """

    def __init__(self, path: Path, format: AudioFormat) -> None:  # noqa: A002
        self._wanted = path
        self._part = path.with_name(path.name + PART_SUFFIX)
        self._format = format
        self._mixer = Mixer(format)
        self._lock: FileIO | None = None
        self._writer: WavWriter | None = None
        #: Where the sound is now, None while or when there is no file.
        self.path: Path | None = None

    @property
    def duration_ms(self) -> int:
        """How long the sound in the file lasts."""
        if self._writer is None:
            return 0
        size = self._writer.data_bytes // CHANNELS
        return self._format.duration_us(size) // 1000

    @property
    def late_frames(self) -> int:
        """Frames that came so late that they were written over silence."""
        return self._mixer.late_frames

    @property
    def dropped_frames(self) -> int:
        """Frames that had no place on the recording's time."""
        return self._mixer.dropped_frames

    def open(self) -> None:
        """
        Make the file and its folders.

        :raises OSError: when that cannot be; nothing is left behind then.
        """
        self._part.parent.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        self._lock = _create_locked(self._part)
        try:
            self._writer = WavWriter(self._part, self._format, CHANNELS)
        except OSError:
            self.discard()
            raise
        self.path = self._part

    def append(self, batch: Batch) -> None:
        """
        Write a batch.

        :raises OSError: when the disk says no.
        """
        self._write(self._mixer.mix(batch))

    def finish(self, last: Batch | None) -> None:
        """
        Write the last batch, and give the file its name.

        :param last: None after an error: then what was written is made whole.
        :raises OSError: when the disk says no. What could be written is whole even
            then, if that at least was possible.
        """
        try:
            if last is not None:
                self.append(last)
                self._write(self._mixer.rest())
        finally:
            self._close()

    def discard(self) -> None:
        """Remove the file."""
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._part.unlink(missing_ok=True)
            self._lock.close()
        self.path = None

    def _write(self, mixed: Mixed) -> None:
        assert self._writer is not None, "opened before it is written"
        self._writer.write(mixed.block)
        for channel, position, payload in mixed.late:
            self._writer.overwrite(position, channel, payload)

    def _close(self) -> None:
        """Fill in the sizes and rename, all of it before the lock is let go."""
        if self._writer is None or self._lock is None:
            return
        with self._lock:
            self._writer.close()
            self.path = self._part.rename(finished_path(self._part))


def finished_path(part: Path) -> Path:
    """:returns: the name for ``part`` when it is whole, which nobody has yet."""
    wanted = part.with_name(part.name.removesuffix(PART_SUFFIX))
    path, number = wanted, 1
    while path.exists():
        number += 1
        path = wanted.with_stem(f"{wanted.stem}-{number}")
    return path


def lock_abandoned(part: Path) -> FileIO | None:
    """
    Lock a file whose writer is dead.

    :returns: None when its writer lives, or it is gone. Closing the file unlocks it.
    """
    try:
        file = FileIO(part, "r+")
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


def _create_locked(part: Path) -> FileIO:
    """
    Create and lock a file.

    A recovery may find it between these two steps and take it away as empty; then it
    is made again.

    :raises FileExistsError: when there is one already.
    """
    while True:
        file = FileIO(part, "x", opener=_open_private)
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, part):
            return file
        file.close()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, _FILE_MODE)


def _is_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
