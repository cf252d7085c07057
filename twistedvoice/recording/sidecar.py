# -*- test-case-name: tests.recording.test_sidecar -*-
"""The sidecar of a recording: one line of JSON for each thing to know of it.

While a call lasts the lines are a journal, ``<name>.jsonl.part``, which also holds what
is still to be changed in the sound; in the end :mod:`.settle` makes ``<name>.jsonl`` of
it. docs/recording has the kinds of lines. There is no number, digit or secret in it. A
journal may have been cut anywhere: a line that cannot be read counts for nothing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from ..errors import EncryptionError
from ..formats import AudioFormat
from .cipher import Box
from .mixer import Late, Moved
from .pieces import CHANNELS
from .private import open_private
from .vault import SOUND_SUFFIXES

__all__ = [
    "SIDECAR_SUFFIX",
    "Journal",
    "Line",
    "Seconds",
    "checksum",
    "dumped",
    "edit_of",
    "journal_path",
    "line_of",
    "parts_of",
    "read_lines",
    "sidecar_path",
    "sum_line",
    "write_lines",
    "write_text",
]

#: What the name of a finished sidecar ends with.
SIDECAR_SUFFIX = ".jsonl"

_encode = json.JSONEncoder(separators=(",", ":")).encode

Line = Mapping[str, Any]

#: What a line of a kind must have to count; others are only handed on.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "late": ("channel", "position", "sound"),
    "moved": ("pieces",),
    "settled": ("name",),
    "spool": ("link",),
    "state": ("batches", "mixer"),
    "sum": ("at", "ms", "blake2b"),
}


def sidecar_path(recording: Path) -> Path:
    """:returns: where the sidecar of a finished recording is."""
    return recording.with_suffix(SIDECAR_SUFFIX)


def journal_path(part: Path) -> Path:
    """:returns: where the journal of a recording, ``<name>.wav.part``, say, is."""
    return part.with_suffix("").with_suffix(".jsonl.part")


def parts_of(journal: Path) -> list[Path]:
    """:returns: what the recording that ``<name>.jsonl.part`` is of may be called."""
    name = journal.with_suffix("")
    return [name.with_suffix(f"{suffix}.part") for suffix in SOUND_SUFFIXES]


def checksum(sound: bytes | memoryview) -> str:
    """:returns: what a ``sum`` line says of ``sound``, interleaved as in the file."""
    return hashlib.blake2b(sound, digest_size=16).hexdigest()


class Journal:
    """A sidecar that is being written; each batch is one write."""

    def __init__(self, path: Path, head: Line, box: Box | None = None) -> None:
        """
        :param box: what sound is closed with, None to write it as it is.
        :raises OSError: when the disk says no; here and in the methods.
        """
        self._box = box
        self._file = FileIO(path, "x", opener=open_private)
        self.add([head])

    @classmethod
    def resume(cls, path: Path, box: Box | None = None) -> Journal:
        """:returns: the journal of a writer that died; its last line may be cut."""
        journal = cls.__new__(cls)
        journal._box = box
        journal._file = FileIO(path, "a+", opener=open_private)
        journal._file.write(b"\n")
        return journal

    def add(self, lines: Iterable[Line]) -> None:
        """Write some lines, all in one."""
        text = "".join(f"{_encode(line)}\n" for line in lines)
        view = memoryview(text.encode("ascii"))
        while view:
            view = view[self._file.write(view) :]

    def edit(self, edit: Late | Moved) -> Line:
        """:returns: the line that keeps an edit until the recording is settled."""
        if isinstance(edit, Moved):
            return {"kind": "moved", "pieces": [list(piece) for piece in edit.pieces]}
        where = {"channel": edit.channel, "position": edit.position}
        sound = edit.payload
        if self._box is not None:
            sound = self._box.close(sound, _place(where))
        return {"kind": "late", **where, "sound": b64encode(sound).decode("ascii")}

    def sync(self) -> None:
        """Have all lines on the disk itself."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._file.close()


class Seconds:
    """The checksums of a growing recording, one for each whole second."""

    def __init__(self, format: AudioFormat, second: int = 0) -> None:  # noqa: A002
        """:param second: the one that begins."""
        self._size = format.bytes_per_second * CHANNELS
        self._hash = hashlib.blake2b(digest_size=16)
        self._filled = 0
        self._second = second

    def add(self, block: bytes | bytearray) -> Iterator[Line]:
        """:returns: a line for each second that ``block`` completes."""
        view = memoryview(block)
        while view:
            piece = view[: self._size - self._filled]
            self._hash.update(piece)
            self._filled += len(piece)
            view = view[len(piece) :]
            if self._filled == self._size:
                yield sum_line(self._second * 1000, 1000, self._hash.hexdigest())
                self._hash = hashlib.blake2b(digest_size=16)
                self._filled = 0
                self._second += 1


def dumped(line: Line) -> str:
    """:returns: how a line is written, without its end."""
    return _encode(line)


def sum_line(at_ms: float, length_ms: float, digest: str) -> Line:
    """:returns: the line that says what the sound of a second is."""
    return {"kind": "sum", "at": at_ms, "ms": length_ms, "blake2b": digest}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """
    Read a journal or a sidecar as far as it can be read.

    :returns: nothing when there is none.
    :raises OSError: when it is no file: a pipe would be waited for.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file", str(path))
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole, _, _ = content.rpartition(b"\n")
    return [line for line in map(line_of, whole.split(b"\n")) if line is not None]


def line_of(text: bytes) -> dict[str, Any] | None:
    """:returns: the line that is written so; None when it is none."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or not isinstance(line.get("kind"), str):
        return None
    return line if line.keys() >= {*_FIELDS.get(line["kind"], ())} else None


def edit_of(line: Line, box: Box | None = None) -> Late | Moved | None:
    """
    :param box: what sound was closed with; what it did not close counts for nothing.
    :returns: the edit that a line of a journal keeps; None when it keeps none.
    """
    if line["kind"] == "moved":
        return Moved([(at, until, by) for at, until, by in line["pieces"]])
    if line["kind"] == "late":
        sound = b64decode(line["sound"])
        try:
            sound = sound if box is None else box.open(sound, _place(line))
        except EncryptionError:
            return None
        return Late(line["channel"], line["position"], sound)
    return None


def write_lines(path: Path, lines: Iterable[Line], *, sync: bool) -> None:
    """Write a whole journal or sidecar, as :func:`write_text` does."""
    write_text(path, "".join(f"{dumped(line)}\n" for line in lines), sync=sync)


def write_text(path: Path, text: str, *, sync: bool) -> None:
    """
    Write a whole file; it replaces one of the same name at once or not at all.

    :raises OSError: when the disk says no; nothing is left behind then.
    """
    new = path.with_name(path.name + ".new")
    try:
        with FileIO(new, "w", opener=open_private) as file:
            view = memoryview(text.encode("ascii"))
            while view:
                view = view[file.write(view) :]
            if sync:
                os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _place(late: Line) -> bytes:
    """:returns: where the sound of a line belongs, which its box is bound to."""
    return b"%d %d" % (late["channel"], late["position"])
