# -*- test-case-name: tests.archive.test_verify -*-
"""Whether a finished recording is what was recorded.

Holds each second of the sound, the header and the length against the sidecar, the
sidecar against its own chain, and that against the seal and the call's record.
docs/recording says what each of these proves. Needs no more memory for a long
recording than for a short one. It only reads.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from io import SEEK_END, FileIO
from pathlib import Path
from re import escape, fullmatch
from typing import Any, BinaryIO, Literal

from attrs import define, field, frozen

from ..errors import AudioFormatError, EncryptionError
from ..recording.seal import Chain, sealed
from ..recording.sidecar import Line, checksum, line_of, sidecar_path
from ..recording.stereo import Stereo
from ..recording.vault import is_vault, opener

__all__ = ["State", "Verdict", "verify"]

#: ``intact``: all of it, the seal too. ``unkeyed``: all but the seal, since there is no
#: key or no seal. ``changed``: something is not what was recorded. ``unchecked``: there
#: is nothing to hold the recording against.
State = Literal["intact", "unkeyed", "changed", "unchecked"]

#: No line of ours is longer; reading one costs no more memory.
_LONGEST_LINE = 1 << 16
_LONGEST_SECOND = 1 << 20
_LONGEST_MS = 1e10


@frozen(kw_only=True)
class Verdict:
    """What is known of one recording."""

    path: Path
    state: State
    #: A sentence each; there is none only when the recording is intact.
    problems: tuple[str, ...]
    #: What the sidecar says, perhaps wrongly; empty when it says nothing.
    session_id: str
    chain: str
    seal: str


def verify(
    path: Path,
    key: bytes | None,
    *,
    chain: str | None = None,
    encryption_key: bytes | None = None,
) -> Verdict:
    """
    Check one recording, reading all of it.

    :param path: the sound; its sidecar lies beside it.
    :param key: the one that recordings are sealed with, None when it is not known.
    :param chain: what the call's record says of it, None when there is no record.
    :param encryption_key: the one that it is encrypted with, if it is; without it the
        sound is not checked.
    :raises OSError: when it cannot be read.
    :raises EncryptionError: when it was encrypted with another key.
    """
    locked = is_vault(path) and encryption_key is None
    with FileIO(path) if locked else opener(encryption_key)(path, "r") as file:
        check = _Check(path, file, locked)
        sidecar = sidecar_path(path)
        if sidecar.is_file():
            with sidecar.open("rb") as lines:
                check.read(lines)
            check.finish()
        else:
            check.missing.append("there is no sidecar beside it")
    check.compare(chain)
    check.unseal(key)
    return check.verdict()


@define
class _Check:
    """One recording, as far as its sidecar was read."""

    _path: Path
    _file: FileIO
    #: Whether it is encrypted, and the key is not known.
    _locked: bool
    #: What shows a change, what is not there to compare with, and what nobody can tell.
    problems: list[str] = field(factory=list)
    missing: list[str] = field(factory=list)
    open_ends: list[str] = field(factory=list)
    _chain: Chain = field(factory=Chain)
    _session_id: str = ""
    _sound: Stereo | None = None
    #: How much of the sound has had its checksum, and which of it is not as it was.
    _until_ms: float = 0.0
    _wrong: list[tuple[float, float]] = field(factory=list)
    #: Lines read; the last one whose link was true, whether that was the end, and the
    #: first one whose link was not.
    _lines: int = 0
    _true_until: int = 0
    _ended: bool = False
    _broken: int = 0

    def read(self, file: BinaryIO) -> None:
        """Take the sidecar line by line, and the sound along with it."""
        self._sound = self._open()
        while text := file.readline(_LONGEST_LINE):
            self._lines += 1
            holds = self._chain.read(text)
            line = line_of(text) or {"kind": None}
            if holds is False:
                self._broken = self._broken or self._lines
            elif holds and not self._broken:
                self._true_until = self._lines
            self._ended = holds is True and line["kind"] == "end"
            if line["kind"] == "recording":
                self._session_id = str(line.get("session_id", ""))
            elif line["kind"] == "header":
                self._hold_header(line)
            elif line["kind"] == "sum":
                self._hold_second(line)

    def finish(self) -> None:
        """Say what the sidecar as a whole shows."""
        self.problems += map(_wrong_sound, self._wrong)
        self._finish_length()
        self._finish_chain()
        name = escape(self._session_id) + r"(-\d+)?"
        if not self._session_id:
            self.missing.append("nothing says which call it is of")
        elif not fullmatch(name, self._path.stem):
            self.problems.append(f"it is the recording of {self._session_id!r}")

    def compare(self, chain: str | None) -> None:
        """Hold the chain against the call's record."""
        if chain is not None and chain != self._chain.head:
            self.problems.append("its chain is not the one in the call's record")

    def unseal(self, key: bytes | None) -> None:
        """Hold the seal against the key."""
        seal, head = self._chain.seal, self._chain.head
        if not seal:
            self.open_ends.append("it has no seal")
        elif key is None:
            self.open_ends.append("its seal was not checked, as there is no key")
        elif not hmac.compare_digest(seal, sealed(head, key)):
            self.problems.append("its seal was not made with this key")

    def verdict(self) -> Verdict:
        """:returns: all of it together."""
        state: State = "intact"
        if self.problems:
            state = "changed"
        elif self.missing:
            state = "unchecked"
        elif self.open_ends:
            state = "unkeyed"
        return Verdict(
            path=self._path,
            state=state,
            problems=(*self.problems, *self.missing, *self.open_ends),
            session_id=self._session_id,
            chain=self._chain.head,
            seal=self._chain.seal,
        )

    def _open(self) -> Stereo | None:
        if self._locked:
            self.missing.append("its sound was not checked, as it is encrypted")
            return None
        try:
            sound = Stereo.of(self._file, self._path.name)
        except (AudioFormatError, EncryptionError) as error:
            self.problems.append(str(error))
            return None
        if sound.second_bytes > _LONGEST_SECOND:
            self.problems.append("its header is none of a recording")
            return None
        return sound

    def _hold_header(self, line: Line) -> None:
        if self._sound is not None and self._sound.header() != line:
            self.problems.append("its header is not what was written")
            # Where a second of sound begins is anyone's guess now.
            self._sound = None

    def _hold_second(self, line: Line) -> None:
        start, length = line["at"], line["ms"]
        if self._sound is None or not _is_second(start, length):
            return
        if start != self._until_ms:
            self._add_wrong(self._until_ms, start)
        try:
            there = self._sound.read(*self._place(start, length))
        except EncryptionError:
            there = b""
        if checksum(there) != line["blake2b"]:
            self._add_wrong(start, start + length)
        self._until_ms = start + length

    def _place(self, start_ms: float, length_ms: float) -> tuple[int, int]:
        """:returns: where a span of sound begins, and how long it is, in bytes."""
        assert self._sound is not None, "nothing is held against no sound"
        size = self._sound.second_bytes
        return round(start_ms * size / 1000), round(length_ms * size / 1000)

    def _add_wrong(self, start: float, end: float) -> None:
        if self._wrong and self._wrong[-1][1] == start:
            start, _ = self._wrong.pop()
        self._wrong.append((start, end))

    def _finish_length(self) -> None:
        if self._sound is None:
            return
        end, _ = self._place(self._until_ms, 0)
        more = self._file.seek(0, SEEK_END) - self._sound.layout.data_at - end
        if more > 0:
            self.problems.append(
                f"{more} bytes behind {_shown(self._until_ms)} have no checksum"
            )

    def _finish_chain(self) -> None:
        if not self._chain.head:
            self.missing.append("its sidecar has no chain")
        elif self._broken:
            self.problems.append(
                f"its sidecar was changed between lines {self._true_until + 1} and"
                f" {self._broken}"
            )
        elif not self._ended:
            self.problems.append(
                f"its sidecar is whole up to line {self._true_until}, then cut"
            )


def _is_second(start: Any, length: Any) -> bool:
    """:returns: whether somebody who meant no harm can have written these times."""
    numbers = all(isinstance(each, int | float) for each in (start, length))
    return numbers and 0 <= start <= _LONGEST_MS and 0 < length <= 1000


def _wrong_sound(span: tuple[float, float]) -> str:
    start, end = map(_shown, span)
    return f"the sound from {start} to {end} is not what was recorded"


def _shown(time_ms: float) -> str:
    return str(timedelta(milliseconds=round(time_ms)))[:11]
