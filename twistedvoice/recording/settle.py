# -*- test-case-name: tests.recording.test_settle -*-
"""Makes the finished recording of a part and its journal.

What came late or moved is put in its place in a copy, so that a crash in the middle
leaves all that is needed to begin again; a recording without edits is only renamed. The
same is done at the end of a call and after a crash, where also each second is held
against its checksum. Everything here blocks; the part is locked by who calls.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from pathlib import Path

from attrs import frozen

from ..audio.riff import read_layout
from ..audio.wavwriter import Opener, repair_wav
from .pauses import paused_spans
from .seal import write_sealed
from .sidecar import Line, edit_of, journal_path, read_lines, sidecar_path, write_lines
from .stereo import Stereo
from .todo import mark
from .vault import SOUND_SUFFIXES, VaultFile, late_box, opener

__all__ = [
    "PART_SUFFIX",
    "Settled",
    "finished_path",
    "is_settled",
    "settle",
    "sync_folder",
]

PART_SUFFIX = ".part"
_NEW_SUFFIX = ".new"

#: How much of the end may not have arrived, and how many zeros show that.
_TAIL_BYTES = 1 << 20
_UNWRITTEN_BYTES = 64


@frozen
class Settled:
    """A finished recording, and what proves it."""

    path: Path
    #: What the sidecar's last line says; the seal is empty without a key.
    chain: str
    seal: str


def settle(
    part: Path,
    why: str,
    *,
    check: bool,
    sync: bool,
    key: bytes | None = None,
    encryption_key: bytes | None = None,
) -> Settled:
    """
    Give a recording and its sidecar their final form and names, and mark it.

    :param why: why it ends where it ends, for the sidecar.
    :param check: whether the sound may be damaged: a second that is not what its
        checksum says becomes silence, and the sidecar names it.
    :param sync: whether to return only when all is on the disk itself.
    :param key: what the sidecar is sealed with.
    :param encryption_key: what the sound is encrypted with, if it is.
    :raises OSError: when the disk says no; then everything is as it was.
    :raises AudioFormatError: when it is no WAV file.
    :raises EncryptionError: when it is encrypted, and not with this key.
    """
    opened = opener(encryption_key)
    if check:
        _cut_unwritten(part, opened)
    repair_wav(part, opened)
    journal = journal_path(part)
    final = finished_path(part)
    lines = read_lines(journal)
    new = final.with_name(final.name + _NEW_SUFFIX)
    # Of somebody who died in the middle.
    new.unlink(missing_ok=True)
    try:
        told = list(_settled(part, new, lines, opened, check=check, sync=sync))
        told.append(_end(told, _duration_ms(part, opened), why))
        if new.exists():
            write_lines(journal, [*lines, _settled_as(final)], sync=sync)
        proof = write_sealed(sidecar_path(final), told, key, sync=sync)
        mark(final, told, sync=sync)
        (new if new.exists() else part).rename(final)
    finally:
        new.unlink(missing_ok=True)
    part.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    if sync:
        sync_folder(final.parent)
    return Settled(final, *proof)


def is_settled(part: Path) -> bool:
    """
    Whether the finished recording is there already, and only the part was left.

    That is so when the writer died between the last two steps of settling.
    """
    names = [
        line["name"]
        for line in read_lines(journal_path(part))
        if line["kind"] == "settled"
    ]
    if not names:
        return False
    final = part.with_name(names[-1])
    return final.exists() and not final.with_name(final.name + _NEW_SUFFIX).exists()


def finished_path(part: Path) -> Path:
    """:returns: the name for ``part`` when it is whole, which nobody has yet."""
    wanted = part.with_name(part.name.removesuffix(PART_SUFFIX))
    path, number = wanted, 1
    # Both have the same sidecar.
    while any(path.with_suffix(suffix).exists() for suffix in SOUND_SUFFIXES):
        number += 1
        path = wanted.with_stem(f"{wanted.stem}-{number}")
    return path


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` reach the disk itself."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


#: What a recording ends with, or has in it, when sound is missing by a fault of ours.
_FAULTS = frozenset({"full", "failed"})
_MISSING = frozenset({"lost", "damaged"})
#: Lines of the journal that the finished sidecar does not have, or has anew.
_WORKING = frozenset(
    {"late", "moved", "state", "spool", "header", "sum", "settled", "end"}
)


def _settled(
    part: Path,
    new: Path,
    lines: Sequence[Line],
    opened: Opener,
    *,
    check: bool,
    sync: bool,
) -> Iterator[Line]:
    """
    Put every edit in its place, in a copy if there is any.

    :returns: the lines of the finished sidecar, without its end.
    """
    yield from (line for line in lines if line["kind"] not in _WORKING)
    with opened(part, "r+") as file:
        sound = Stereo.of(file, str(part))
        box = late_box(file)
        edits = [edit for line in lines if (edit := edit_of(line, box)) is not None]
        damaged = list(sound.damaged(lines)) if check else []
        if not edits and not damaged:
            yield sound.header()
            yield from sound.sums(lines)
            if sync:
                os.fsync(file.fileno())
            return
    for second in damaged:
        lost_ms = min(1000, sound.duration_ms - second * 1000)
        yield {"kind": "damaged", "at": second * 1000, "ms": lost_ms}
    shutil.copy(part, new)
    with opened(new, "r+") as file:
        sound = Stereo.of(file, str(new))
        sound.replace_lost()
        rate = sound.layout.format.rate
        sound.silence((second * rate, (second + 1) * rate) for second in damaged)
        sound.apply(edits)
        # What was said before a pause may turn out to have been heard in it.
        silent = paused_spans(lines, rate) if edits else []
        sound.silence(silent)
        yield sound.header()
        changed = {*damaged, *sound.seconds_of(edits), *sound.seconds_in(silent)}
        yield from sound.sums(_unchanged(lines, changed))
        if sync:
            os.fsync(file.fileno())


def _unchanged(lines: Iterable[Line], changed: set[int]) -> Iterator[Line]:
    """:returns: the checksums that are still true."""
    for line in lines:
        if line["kind"] == "sum" and int(line["at"]) // 1000 not in changed:
            yield line


def _cut_unwritten(part: Path, opened: Opener) -> None:
    """
    Cut zeros off the end: a power cut leaves them where the sound never arrived.

    No G.711 sound has them: they would be the loudest there is, on both sides. What is
    encrypted shows by itself how far it was written.
    """
    with opened(part, "r+") as file:
        if isinstance(file, VaultFile):
            file.cut_damaged()
            return
        size = file.seek(0, os.SEEK_END)
        tail = os.pread(file.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        zeros = len(tail) - len(tail.rstrip(b"\0"))
        if zeros >= _UNWRITTEN_BYTES and _is_g711(file, part):
            file.truncate(size - zeros)


def _is_g711(file: FileIO, part: Path) -> bool:
    return read_layout(file, str(part)).format.bits == 8


def _end(told: Iterable[Line], duration_ms: float, why: str) -> Line:
    degraded = why in _FAULTS or any(line["kind"] in _MISSING for line in told)
    return {"kind": "end", "at": duration_ms, "why": why, "degraded": degraded}


def _settled_as(final: Path) -> Line:
    return {"kind": "settled", "name": final.name}


def _duration_ms(part: Path, opened: Opener) -> float:
    with opened(part, "r") as file:
        return Stereo.of(file, str(part)).duration_ms
