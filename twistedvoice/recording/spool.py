# -*- test-case-name: tests.recording.test_spool -*-
"""Batches on their way to the writer process, in memory that outlives the service.

To have each batch written at once would wake the writer process for it, and a thread to
wait for the answer; on a full core that is heard. So most batches are only put here, by
one write to a file in memory, which waits for no disk and so may be done in the
reactor; with every seventh or so the writer process is told where they lie. When the
service dies it finds them here by itself, and when both die a recovery does: in the
folder of the recordings lies a file that says where this is, and is locked as long as
one of the two lives.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import shutil
import stat
import struct
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from .lock import create_locked, open_own
from .mixer import Batch
from .private import FOLDER_MODE
from .wire import batch_of

__all__ = [
    "Record",
    "Ref",
    "Spool",
    "abandoned",
    "links",
    "read_batch",
    "records",
    "remove",
    "unwritten",
]

_PREFIX = "twistedvoice-"
#: What the names of the files begin with that say where a spool is.
_LINK_PREFIX = ".spool-"
_HEAD = struct.Struct("<I")
#: When the next file is begun; one is removed when all in it is written.
_SEGMENT_BYTES = 4 << 20


class Ref(NamedTuple):
    """Where a record lies."""

    segment: int
    offset: int
    size: int


class Record(NamedTuple):
    """A batch, and what it belongs to."""

    #: Where the recording will be when it is whole, from the recordings' folder on.
    name: str
    #: Its format.
    encoding: Any
    rate: int
    #: How many batches of it were before this one.
    number: int
    #: The batch, by :func:`.wire.plain`.
    batch: tuple[Any, ...]


class Spool:
    """
    The service's end.

    :param memory: a folder whose files are in memory.
    :param oldest: gives the oldest segment of which something is still to be written,
        None for none.
    :raises OSError: when there is no such memory, or the recordings' folder cannot be
        written.
    """

    def __init__(
        self, recordings: Path, memory: Path, oldest: Callable[[], int | None]
    ) -> None:
        self._oldest = oldest
        self._file: int | None = None
        self._segment = -1
        self._size = 0
        #: Those that may have to be removed, in order.
        self._old: deque[int] = deque()
        self._trimming = Lock()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory))
        name = self.folder.name.removeprefix(_PREFIX)
        #: What shows a recovery that this is there.
        self.link = recordings / f"{_LINK_PREFIX}{name}"
        try:
            self._writable()
            recordings.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            #: Locked; who inherits it holds the lock, too.
            self.lock = create_locked(self.link)
            self.lock.write(os.fsencode(self.folder.absolute()))
        except OSError:
            self._end_segment()
            with suppress(OSError):
                remove(self.folder, self.link)
            raise

    def add(self, record: Record) -> Ref | None:
        """
        Put a record in. Waits for no disk: may be called in the reactor.

        :returns: None when there is no room.
        """
        data = marshal.dumps(tuple(record))
        try:
            file = self._writable()
            written = os.writev(file, [_HEAD.pack(len(data)), data])
        except OSError:
            return None
        if written < _HEAD.size + len(data):
            # Whoever reads this segment by itself reads no further.
            self._end_segment()
            return None
        ref = Ref(self._segment, self._size + _HEAD.size, len(data))
        self._size += written
        return ref

    def trim(self) -> None:
        """Remove what has been written; may block, and be called in several threads."""
        with self._trimming:
            # Counted first: one that ends from here on may have what is not known yet.
            count = len(self._old)
            oldest = self._oldest()
            for _ in range(count):
                if oldest is not None and self._old[0] >= oldest:
                    break
                (self.folder / str(self._old.popleft())).unlink(missing_ok=True)

    def rest(self) -> None:
        """
        Let go of one file, since nothing in any is needed any more.

        For the reactor, now and then: what was said shall not stay in memory until the
        next calls have filled the file. One at a time, as it takes a while.
        """
        if self._size:
            self._end_segment()
        if self._trimming.acquire(blocking=False):
            try:
                if self._old:
                    (self.folder / str(self._old.popleft())).unlink(missing_ok=True)
            finally:
                self._trimming.release()

    def close(self) -> None:
        """Let go of it: its writer, or a recovery, removes it when all is written."""
        self._end_segment()
        self.lock.close()

    def _writable(self) -> int:
        if self._file is not None and self._size >= _SEGMENT_BYTES:
            self._end_segment()
        if self._file is None:
            name = self.folder / str(self._segment + 1)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(name, flags, 0o600)
            self._segment += 1
            self._size = 0
        return self._file

    def _end_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file, self._size = None, 0
            self._old.append(self._segment)


def read_batch(folder: Path, ref: Ref) -> Batch:
    """
    :param folder: where the spool is.
    :returns: the batch that lies there. No file is kept open: that would keep the
        memory of those that are removed.
    :raises OSError: when it does not.
    """
    file = os.open(f"{folder}/{ref.segment}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.pread(file, ref.size, ref.offset)
    finally:
        os.close(file)
    # Nobody else can write there.
    return batch_of(Record(*marshal.loads(data)).batch)  # noqa: S302


def records(folder: Path, link: Path) -> Mapping[Path, list[Record]]:
    """
    Read a spool whose service is dead.

    :returns: all that can be read, by where the recording will be, in order.
    """
    found: dict[Path, list[Record]] = defaultdict(list)
    for segment in sorted(folder.iterdir(), key=lambda path: int(path.name)):
        data = memoryview(segment.read_bytes())
        while len(data) >= _HEAD.size:
            (size,) = _HEAD.unpack(data[: _HEAD.size])
            record = data[_HEAD.size : _HEAD.size + size]
            data = data[_HEAD.size + size :]
            if len(record) == size:  # the last one may have been cut
                each = Record(*marshal.loads(record))  # noqa: S302 - ours alone
                found[link.parent / each.name].append(each)
    return found


def unwritten(found: Iterable[Record], batches: int) -> list[Batch]:
    """:returns: what was not in a file that has so many batches of its recording."""
    return [batch_of(each.batch) for each in found if each.number >= batches]


def remove(folder: Path, link: Path) -> None:
    """Remove a spool of which all is written."""
    shutil.rmtree(folder, ignore_errors=True)
    link.unlink(missing_ok=True)


def links(recordings: Path) -> list[Path]:
    """:returns: the files in the folder of recordings that say where spools are."""
    return sorted(recordings.glob(f"{_LINK_PREFIX}*"))


@contextmanager
def abandoned(link: Path) -> Iterator[Path | None]:
    """
    Lock the spool of a dead service of which no writer lives either.

    :returns: its folder; None when one of them lives, or it is gone.
    :raises OSError: when its link cannot be read.
    """
    try:
        lock = FileIO(link, opener=open_own)
    except FileNotFoundError:
        yield None
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        folder = Path(os.fsdecode(lock.readall()))
        name = f"{_PREFIX}{link.name.removeprefix(_LINK_PREFIX)}"
        if folder.name == name and _is_ours(folder, link.parent):
            yield folder
        else:
            # The machine was started anew in between.
            link.unlink(missing_ok=True)
            yield None


def _is_ours(folder: Path, recordings: Path) -> bool:
    """Whether it is there, and not made by somebody who may not write recordings."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    owners = {os.geteuid(), recordings.stat().st_uid}
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners
