# -*- test-case-name: tests.recording.test_vault -*-
"""The file of an encrypted recording, for who has the key like any other file.

It is read, written, cut and gone on with at any place, in the bytes of a WAV file; on
the disk there are boxes of :mod:`.cipher`, each in a place of its own. Docs/recording
has the format. A file is encrypted when its name says so: ``<name>.vault``, with
``.part`` or ``.new`` behind it while it is worked on. Everything here blocks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from io import SEEK_CUR, SEEK_END, SEEK_SET, FileIO, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EncryptionError
from .cipher import BOX_BYTES, SALT_BYTES, Box, FileKeys

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = [
    "SOUND_SUFFIXES",
    "VAULT_SUFFIX",
    "VaultFile",
    "damaged_spans",
    "fitting_key",
    "is_vault",
    "late_box",
    "opener",
    "sound_size",
]

#: What the name of an encrypted recording ends with, and those of all recordings.
VAULT_SUFFIX = ".vault"
SOUND_SUFFIXES = (".wav", VAULT_SUFFIX)

_MAGIC = b"TVVAULT1"
_CHECK_AT = len(_MAGIC) + SALT_BYTES
#: The first box follows the check. It has the header of the WAV file, whose sizes are
#: written anew at the end: within the first sector, a power cut cannot tear it.
_FIRST_AT = _CHECK_AT + 16
_FIRST_BYTES = 58
#: Every other box fills a page of the file. The last one grows in its place, and who
#: is killed never leaves half of a page.
_PAGE_BYTES = 4096
_NEXT_BYTES = _PAGE_BYTES - BOX_BYTES

_NAME = re.compile(r"\.vault(\.part|\.new)?$")


class VaultFile(FileIO):
    """
    An encrypted file, open.

    :param mode: ``r``, ``r+`` or ``w+``, as a raw file has.
    :param key: the configured one.
    :raises EncryptionError: when it was not encrypted with this key; also by whatever
        reads, where the file is not as it was written.
    """

    def __init__(self, path: Path | str, mode: str, key: bytes) -> None:
        super().__init__(path, mode)
        self._at = 0
        #: The last box that was opened or closed.
        self._known: tuple[int, bytes] | None = None
        try:
            keys = self._begun(key) if "w" in mode else self._unlocked(key)
        except BaseException:
            self.close()
            raise
        self._box = Box(keys.sound)
        #: For the sound that waits in the journal of this recording.
        self.late = Box(keys.late)

    def size(self) -> int:
        """:returns: how many bytes there are to read."""
        return _plain_size(os.fstat(self.fileno()).st_size)

    # -- as a raw file ----------------------------------------------------------------

    # Those of FileIO itself would go round readinto.

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so much; less at the end."""
        return RawIOBase.read(self, -1 if size is None else size) or b""

    def readall(self) -> bytes:
        """Read until the end."""
        return RawIOBase.readall(self) or b""

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read until the buffer is full or the file ends."""
        view = memoryview(buffer).cast("B")
        view = view[: max(0, self.size() - self._at)]
        done = 0
        while done < len(view):
            number, start = _place(self._at)
            piece = self._content(number)[start : start + len(view) - done]
            view[done : done + len(piece)] = piece
            self._at += len(piece)
            done += len(piece)
        return done

    def write(self, data: ReadableBuffer, /) -> int:
        """Write as much as one box takes, as a raw file may; not beyond the end."""
        number, start = _place(self._at)
        piece = bytes(memoryview(data)[: _room(number) - start])
        length = max(0, min(self.size() - (self._at - start), _room(number)))
        # What is replaced as a whole may be damaged.
        whole = not start and len(piece) >= length
        there = b"" if whole else self._content(number)
        assert start <= len(there), "there is nothing beyond the end"
        self._put(number, there[:start] + piece + there[start + len(piece) :], there)
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        """Go to a place."""
        starts = {SEEK_SET: 0, SEEK_CUR: self._at}
        self._at = offset + (self.size() if whence == SEEK_END else starts[whence])
        return self._at

    def tell(self) -> int:
        """:returns: the place."""
        return self._at

    def truncate(self, size: int | None = None, /) -> int:
        """Cut off what is behind ``size``, or behind the place; or add zeros."""
        size = self._at if size is None else size
        number, start = _place(size)
        missing = size - self.size()
        kept = self._content(number)[:start] if missing < 0 and start else b""
        if missing > 0:
            back, self._at = self._at, size - missing
            while self._at < size:
                self.write(bytes(size - self._at))
            self._at = back
            return size
        self._known = None
        if kept:
            os.ftruncate(self.fileno(), _offset(number))
            self._put(number, kept, b"")
        else:
            os.ftruncate(self.fileno(), _stored_size(size))
        return size

    # -- what cannot be opened --------------------------------------------------------

    def damaged(self) -> list[tuple[int, int]]:
        """:returns: what is not as it was written: from, until."""
        found, size, at = list[tuple[int, int]](), self.size(), 0
        while at < size:
            number, _ = _place(at)
            end = min(at + _room(number), size)
            if self._is_damaged(number):
                found.append((at, end))
            at = end
        return found

    def cut_damaged(self) -> None:
        """Cut off the end as far as it is damaged, as a power cut leaves it."""
        while (size := self.size()) > _FIRST_BYTES:
            number, _ = _place(size - 1)
            if not self._is_damaged(number):
                break
            os.ftruncate(self.fileno(), _offset(number))
        self.truncate(self.size())

    def _is_damaged(self, number: int) -> bool:
        try:
            self._content(number)
        except EncryptionError:
            return True
        return False

    # -- boxes ------------------------------------------------------------------------

    def _begun(self, key: bytes) -> FileKeys:
        salt = os.urandom(SALT_BYTES)
        keys = FileKeys.made_of(key, salt)
        self._pwrite(_MAGIC + salt + keys.check, 0)
        return keys

    def _unlocked(self, key: bytes) -> FileKeys:
        head = os.pread(self.fileno(), _FIRST_AT, 0)
        if not head.startswith(_MAGIC):
            raise EncryptionError(f"{self.name}: is no encrypted recording")
        keys = FileKeys.made_of(key, head[len(_MAGIC) : _CHECK_AT])
        if head[_CHECK_AT:] != keys.check:
            raise EncryptionError(
                f"{self.name}: was encrypted with another key, or its head is damaged"
            )
        return keys

    def _content(self, number: int) -> bytes:
        """:returns: what is in a box; nothing when there is none."""
        if self._known is not None and self._known[0] == number:
            return self._known[1]
        size = _room(number) + BOX_BYTES
        box = os.pread(self.fileno(), size, _offset(number))
        if len(box) <= BOX_BYTES:
            return b""
        try:
            content = self._box.open(box, _label(number))
        except EncryptionError:
            raise EncryptionError(
                f"{self.name}: is damaged, or was changed, in the {_PAGE_BYTES} bytes"
                f" from {number * _PAGE_BYTES}"
            ) from None
        self._known = number, content
        return content

    def _put(self, number: int, content: bytes, before: bytes) -> None:
        """Close a box in its place. ``before`` is what was in it, where that grows."""
        at, label = _offset(number), _label(number)
        stored = os.fstat(self.fileno()).st_size
        self._known = None
        try:
            self._pwrite(self._box.close(content, label), at)
        except OSError:
            # A full disk took the beginning of it; what was there must not be lost.
            with suppress(OSError):
                if before:
                    self._pwrite(self._box.close(before, label), at)
                os.ftruncate(self.fileno(), stored)
            raise
        self._known = number, content

    def _pwrite(self, data: bytes, at: int) -> None:
        view = memoryview(data)
        while view:
            count = os.pwrite(self.fileno(), view, at)
            view, at = view[count:], at + count


def is_vault(path: Path | str) -> bool:
    """:returns: whether the sound at ``path`` is, or will be, encrypted."""
    return _NAME.search(str(path)) is not None


def opener(key: bytes | None) -> Callable[[Path | str, str], FileIO]:
    """:returns: what opens the sound of a recording, encrypted or not, by its name."""
    return partial(_open_sound, key)


def fitting_key(path: Path, keys: Sequence[bytes]) -> bytes | None:
    """
    :returns: the one of ``keys`` that opens the sound at ``path``; the first when none
        does or needs to; None when there are none.
    """
    for key in keys if is_vault(path) else ():
        with suppress(EncryptionError), VaultFile(path, "r", key):
            return key
    return keys[0] if keys else None


def late_box(file: FileIO) -> Box | None:
    """:returns: what the sound in the journal is closed with, None for nothing."""
    return file.late if isinstance(file, VaultFile) else None


def damaged_spans(file: FileIO) -> list[tuple[int, int]]:
    """:returns: what the file itself shows to be damaged; a plain one shows nothing."""
    return file.damaged() if isinstance(file, VaultFile) else []


def sound_size(path: Path) -> int:
    """:returns: how long the WAV file is, for which no key is needed."""
    size = path.stat().st_size
    return _plain_size(size) if is_vault(path) else size


def _open_sound(key: bytes | None, path: Path | str, mode: str = "r") -> FileIO:
    if not is_vault(path):
        return FileIO(path, mode)
    if key is None:
        raise EncryptionError(f"{path}: is encrypted, and there is no key")
    return VaultFile(path, mode, key)


def _label(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _room(number: int) -> int:
    """:returns: how much fits into a box."""
    return _NEXT_BYTES if number else _FIRST_BYTES


def _offset(number: int) -> int:
    return number * _PAGE_BYTES if number else _FIRST_AT


def _place(at: int) -> tuple[int, int]:
    """:returns: in which box a byte is, and where in it."""
    if at < _FIRST_BYTES:
        return 0, at
    number, start = divmod(at - _FIRST_BYTES, _NEXT_BYTES)
    return number + 1, start


def _stored_size(size: int) -> int:
    """:returns: how long the file is when there are so many bytes to read."""
    number, start = _place(size)
    return _offset(number) + (start + BOX_BYTES if start else 0)


def _plain_size(stored: int) -> int:
    number, rest = divmod(stored, _PAGE_BYTES)
    if number:
        return _FIRST_BYTES + (number - 1) * _NEXT_BYTES + max(0, rest - BOX_BYTES)
    return max(0, min(rest - _FIRST_AT - BOX_BYTES, _FIRST_BYTES))
