# -*- test-case-name: tests.archive.test_catalog -*-
"""Which recordings are in a folder, and what is known of each at a glance.

Of a sidecar only the first and the last line are read, so that a hundred thousand
recordings are told in seconds. Whatever lies beside a recording and begins with its
name and a dot belongs to it: its sidecar, what it was exported to, the note that
something is still to be done with it. Links are not followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from ..audio.riff import read_layout
from ..errors import AudioFormatError
from ..recording.lock import is_being_written
from ..recording.settle import PART_SUFFIX
from ..recording.sidecar import SIDECAR_SUFFIX, Line, line_of
from ..recording.todo import MARK_SUFFIX
from ..recording.vault import SOUND_SUFFIXES

__all__ = ["Entry", "Files", "day_folders", "files_in", "read_entry", "scan"]

State = Literal["finished", "writing", "left"]

#: The first line of a sidecar, and its last, are shorter.
_ENOUGH_BYTES = 1024
#: No time is larger, be it seconds or milliseconds: who wrote it made it up.
_LARGEST_TIME = 1e11
#: How the path of a folder of the service ends.
_DAY = re.compile(r"/\d{4}/\d\d/\d\d$")


@frozen
class Files:
    """The files of one recording, which all lie in one folder."""

    folder: str
    #: Of the recording, without any ending.
    stem: str
    #: Of the sound: finished, or not yet.
    sound: str
    #: What else belongs to it.
    beside: tuple[str, ...]

    @property
    def sound_path(self) -> str:
        """Where the sound is."""
        return f"{self.folder}/{self.sound}"

    @property
    def is_finished(self) -> bool:
        """Whether the sound has its final name."""
        return self.sound.endswith(SOUND_SUFFIXES)

    @property
    def is_waited_for(self) -> bool:
        """Whether something is still to be done with it, such as handing it on."""
        return any(name.endswith(MARK_SUFFIX) for name in self.beside)

    @property
    def sidecar(self) -> str | None:
        """Where its sidecar or journal is, None when there is none."""
        ending = SIDECAR_SUFFIX if self.is_finished else SIDECAR_SUFFIX + PART_SUFFIX
        name = self.stem + ending
        return f"{self.folder}/{name}" if name in self.beside else None

    def size(self) -> int:
        """:returns: bytes of all of it together; what is gone by now counts nothing."""
        names = (self.sound, *self.beside)
        return sum(_size(f"{self.folder}/{name}") for name in names)


@frozen(kw_only=True)
class Entry:
    """One recording."""

    files: Files
    #: ``writing``: some process still is; ``left``: by a process that is dead.
    state: State
    session_id: str
    #: Seconds since the epoch. Without a sidecar, what the file's own time tells.
    started_at: float
    duration_ms: float | None
    #: What the end of the sidecar says; None while or when there is none.
    why: str | None
    degraded: bool | None
    #: Bytes of all of its files.
    size: int
    #: The first line of the sidecar; empty when there is none.
    head: Line = field(repr=False)

    @property
    def path(self) -> Path:
        """Where the sound is."""
        return Path(self.files.sound_path)


def scan(folder: Path) -> Iterator[Entry]:
    """
    Read what is in ``folder`` and the folders in it, one folder after the other.

    :returns: the recordings; in each folder in order of their names.
    """
    for where, folders, _ in os.walk(folder):
        folders.sort()
        for files in files_in(where):
            entry = read_entry(files)
            if entry is not None:
                yield entry


def day_folders(folder: Path) -> list[str]:
    """:returns: the folders that the service makes, a day each, the first day first."""
    return sorted(_days(str(folder.resolve())), key=lambda day: day[-10:])


def files_in(folder: str) -> list[Files]:
    """:returns: the recordings that lie in ``folder`` itself, by name."""
    try:
        with os.scandir(folder) as found:
            names = sorted(
                each.name for each in found if each.is_file(follow_symlinks=False)
            )
    except (FileNotFoundError, PermissionError):
        return []
    sounds = (name.removesuffix(PART_SUFFIX) for name in names)
    stems = {Path(name).stem for name in sounds if name.endswith(SOUND_SUFFIXES)}
    grouped = dict[str, set[str]]()
    for name in names:
        stem = _stem(name, stems)
        if stem is not None:
            grouped.setdefault(stem, set()).add(name)
    return [
        files
        for stem, group in grouped.items()
        for files in _recordings(folder, stem, group)
    ]


def read_entry(files: Files) -> Entry | None:
    """
    Read a recording's sidecar, and its sound's header where that says too little.

    What may not be read, as somebody else's, is known for as little as what is not
    there: one such file must not hide the others.

    :returns: None when it is gone by now, as when somebody has just finished it.
    """
    try:
        written_at = os.stat(files.sound_path).st_mtime
        head, end = _head_and_end(files.sidecar)
        duration_ms = _number(end.get("at"))
        if duration_ms is None:
            duration_ms = _length_ms(files.sound_path)
        state = _state(files)
    except FileNotFoundError:
        return None
    return Entry(
        files=files,
        state=state,
        session_id=str(head.get("session_id", files.stem)),
        started_at=_number(head.get("started_at"))
        or written_at - (duration_ms or 0) / 1000,
        duration_ms=duration_ms,
        why=end.get("why"),
        degraded=end.get("degraded"),
        size=files.size(),
        head=head,
    )


def _days(folder: str) -> Iterator[str]:
    if _DAY.search(folder):
        yield folder
        return
    try:
        with os.scandir(folder) as found:
            below = [each.path for each in found if each.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, PermissionError):
        return  # not the service's: a disk's lost+found, say
    for each in below:
        yield from _days(each)


def _stem(name: str, stems: Collection[str]) -> str | None:
    """:returns: the name of the recording that a file belongs to: the shortest."""
    dot = name.find(".")
    while dot >= 0:
        if name[:dot] in stems:
            return name[:dot]
        dot = name.find(".", dot + 1)
    return None


def _recordings(folder: str, stem: str, names: set[str]) -> Iterator[Files]:
    """:returns: one; two while a second of that name is written."""
    whole = {stem + suffix for suffix in SOUND_SUFFIXES} & names
    growing = {name for name in names if name.endswith(PART_SUFFIX)}
    for part in {stem + suffix + PART_SUFFIX for suffix in SOUND_SUFFIXES} & names:
        its = growing if whole else names
        yield Files(folder, stem, part, tuple(sorted(its - {part})))
        names = names - its
    for sound in whole:
        yield Files(folder, stem, sound, tuple(sorted(names - {sound})))


def _state(files: Files) -> State:
    if files.is_finished:
        return "finished"
    try:
        return "writing" if is_being_written(Path(files.sound_path)) else "left"
    except PermissionError:
        return "writing"  # somebody else's, as far as anyone here can tell


def _head_and_end(sidecar: str | None) -> tuple[Line, Line]:
    """:returns: what the first and last line say; nothing where they are others."""
    if sidecar is None:
        return {}, {}
    try:
        descriptor = os.open(sidecar, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return {}, {}
    try:
        size = os.fstat(descriptor).st_size
        first = os.pread(descriptor, _ENOUGH_BYTES, 0)
        last = first
        if size > _ENOUGH_BYTES:
            last = os.pread(descriptor, _ENOUGH_BYTES, size - _ENOUGH_BYTES)
    finally:
        os.close(descriptor)
    head = _line(first.partition(b"\n")[0], "recording")
    return head, _line(last.rstrip(b"\n").rpartition(b"\n")[2], "end")


def _line(text: bytes, kind: str) -> Line:
    line = line_of(text)
    return {} if line is None or line["kind"] != kind else line


def _length_ms(path: str) -> float | None:
    """:returns: how long the sound is; None when that is no sound, or not for us."""
    try:
        with open(path, "rb") as file:
            layout = read_layout(file, path)
    except (AudioFormatError, PermissionError):
        return None
    return layout.data_bytes // layout.format.frame_bytes * 1000 / layout.format.rate


def _number(value: object) -> float | None:
    """:returns: a time; None when it is none that can be told, as NaN."""
    if isinstance(value, int | float) and 0 <= value < _LARGEST_TIME:
        return value
    return None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
