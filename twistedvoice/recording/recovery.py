# -*- test-case-name: tests.recording.test_recovery -*-
"""Finishes the recordings that a dead process left, and looks after the folder.

Runs when the service starts, in a worker thread, while other processes may be recording
into the same folder: what they have locked is left alone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import FileIO
from itertools import chain
from pathlib import Path

from twisted.logger import Logger

from ..errors import ConfigError
from ..formats import AudioFormat
from .lock import is_being_written, lock_abandoned, open_own
from .part import LEAST_BYTES, PartFile
from .private import FOLDER_MODE
from .settle import PART_SUFFIX, is_settled, settle
from .sidecar import journal_path, line_of, parts_of, read_lines
from .spool import Record, abandoned, links, records, remove, unwritten
from .vault import SOUND_SUFFIXES, fitting_key, opener, sound_size

__all__ = ["check_folder", "outcomes", "recover"]

#: A journal says in its first lines which spool its recording has.
_HEAD_BYTES = 4096

_log = Logger()


def check_folder(folder: Path) -> None:
    """
    Make sure that recordings can be written into ``folder``; make it if need be.

    :raises ConfigError: saying what to do.
    """
    try:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
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


def recover(
    folder: Path, key: bytes | None = None, encryption_key: bytes | None = None
) -> list[Path]:
    """
    Finish every recording in ``folder`` whose writer is dead.

    Each becomes a WAV file under its final name, beside its sidecar, and replaces none.
    Those without any sound are removed. One that cannot be finished stays as it is, and
    is logged.

    :param key: what their sidecars are sealed with.
    :param encryption_key: what their sound is encrypted with, where it is.
    :returns: the recordings that were finished.
    """
    finished: list[Path] = []
    keys = [] if encryption_key is None else [encryption_key]
    for part, outcome in outcomes(folder, key, keys):
        if isinstance(outcome, Path):
            finished.append(outcome)
        else:
            _log.error("cannot finish {part}: {error}", part=str(part), error=outcome)
    return finished


def outcomes(
    folder: Path, key: bytes | None = None, encryption_keys: Sequence[bytes] = ()
) -> Iterator[tuple[Path, Path | Exception]]:
    """
    Finish what :func:`recover` finishes.

    :param encryption_keys: one of which opens the sound, where it is encrypted.
    :returns: each part, and its recording or what went wrong with it.
    """
    emptied: set[str] = set()
    failed: set[Path] = set()
    # Again for a process that dies in the middle of this.
    for _ in range(2):
        waiting: dict[Path, Path] = {}
        for part, outcome in chain(
            _spooled_outcomes(folder, key, encryption_keys, emptied),
            _part_outcomes(folder, key, encryption_keys, emptied, failed, waiting),
        ):
            if isinstance(outcome, Exception):
                failed.add(part)
            yield part, outcome
        if not waiting:
            break
    for part, link in waiting.items():
        with suppress(OSError):
            if part.exists() and not is_being_written(link):
                why = f"some of its sound is in memory: recover {link.parent}"
                yield part, OSError(why)
    # A journal is made after its part, and goes after it.
    for journal in folder.rglob(f"*.jsonl{PART_SUFFIX}"):
        gone = not any(part.exists() for part in parts_of(journal))
        if journal.is_file() and gone:
            with suppress(OSError):
                journal.unlink()


def _spooled_outcomes(
    folder: Path,
    key: bytes | None,
    encryption_keys: Sequence[bytes],
    emptied: set[str],
) -> Iterator[tuple[Path, Path | Exception]]:
    """
    Finish those of which batches were still in memory; see :mod:`.spool`.

    :param emptied: gets the names of the spools; those that are in it are left.
    """
    for link in links(folder):
        if link.name in emptied:
            continue
        try:
            with abandoned(link) as spool:
                if spool is not None:
                    # One that cannot be read has nothing of anybody either.
                    emptied.add(link.name)
                    found = records(spool, link)
                    yield from _finish_spool(spool, link, found, key, encryption_keys)
        except Exception as error:  # another version may have written it
            yield link, error


def _finish_spool(
    spool: Path,
    link: Path,
    spooled: Mapping[Path, Sequence[Record]],
    key: bytes | None,
    encryption_keys: Sequence[bytes],
) -> Iterator[tuple[Path, Path | Exception]]:
    """Finish those of one spool, and remove it when all of them are."""
    whole = True
    for final, found in spooled.items():
        part = final.with_name(final.name + PART_SUFFIX)
        if not part.exists():
            continue  # it was finished, or not wanted
        try:
            fitting = fitting_key(part, encryption_keys)
            path = _finish_spooled(final, found, key, fitting)
        except Exception as error:  # what is in a file is anyone's guess
            whole = False
            yield part, error
        else:
            yield part, path
    if whole:
        remove(spool, link)


def _part_outcomes(
    folder: Path,
    key: bytes | None,
    encryption_keys: Sequence[bytes],
    emptied: set[str],
    failed: set[Path],
    waiting: dict[Path, Path],
) -> Iterator[tuple[Path, Path | Exception]]:
    """
    Finish those all of whose sound is in their files.

    :param emptied: the spools that have nothing of others.
    :param failed: those that are to be left.
    :param waiting: gets those that have another spool, and what shows that: they are
        a service's, or another recovery finishes them.
    """
    parts = [
        part
        for suffix in SOUND_SUFFIXES
        for part in folder.rglob(f"*{suffix}{PART_SUFFIX}")
    ]
    for part in sorted(set(parts) - failed):
        try:
            # First, as a service whose writer has just died must find it unlocked.
            link = _spool_of(part)
            if link is not None and link.name not in emptied:
                waiting[part] = link
                continue
            path = _finish_abandoned(part, key, encryption_keys)
        except Exception as error:  # what is in a file is anyone's guess
            yield part, error
        else:
            if path is not None:
                yield part, path


def _spool_of(part: Path) -> Path | None:
    """:returns: what shows the spool that some of its sound may be in."""
    try:
        with FileIO(journal_path(part), opener=open_own) as journal:
            head = journal.read(_HEAD_BYTES)
    except FileNotFoundError:
        return None
    for line in map(line_of, head.split(b"\n")):
        if line is not None and line["kind"] == "spool":
            link = Path(os.path.normpath(part.parent.absolute() / str(line["link"])))
            return link if link.is_file() else None
    return None


def _finish_spooled(
    final: Path,
    found: Sequence[Record],
    key: bytes | None,
    encryption_key: bytes | None,
) -> Path:
    """
    :returns: its new path.
    :raises EncryptionError: when it is encrypted, and not with this key.
    """
    path = final.with_name(final.name + PART_SUFFIX)
    with opener(encryption_key)(path, "r"):
        pass
    form = AudioFormat(found[0].encoding, found[0].rate)
    # One without sound is made anew, and shall say of which call it is.
    about, *_ = [*read_lines(journal_path(path)), {}]
    part = PartFile(final, form, about=about, key=key, encryption_key=encryption_key)
    part.resume(opened=True)
    part.abandon(*unwritten(found, part.batches))
    assert part.path is not None, "its names were given"
    return part.path


def _finish_abandoned(
    part: Path, key: bytes | None, encryption_keys: Sequence[bytes]
) -> Path | None:
    """:returns: its new path, None when its writer lives or there is nothing to do."""
    lock = lock_abandoned(part)
    if lock is None:
        return None
    with lock:
        if is_settled(part) or sound_size(part) < LEAST_BYTES:
            journal_path(part).unlink(missing_ok=True)
            part.unlink()
            return None
        return settle(
            part,
            "recovered",
            check=True,
            sync=True,
            key=key,
            encryption_key=fitting_key(part, encryption_keys),
        ).path
