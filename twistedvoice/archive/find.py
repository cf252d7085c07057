# -*- test-case-name: tests.archive.test_find -*-
"""Finds the recordings that people mean: by path, by folder, by how an id begins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from ..errors import ArchiveError
from ..table import printable
from .catalog import Entry, Files, files_in, read_entry, scan

__all__ = ["default_folder", "recording_named", "recordings_at"]

#: How many names are offered instead of one.
_MOST_OFFERED = 5


def default_folder() -> str:
    """:returns: where the service of this environment keeps them, else right here."""
    return os.environ.get("TWISTEDVOICE_RECORDINGS") or "."


def recordings_at(paths: Iterable[Path]) -> Iterator[Entry]:
    """
    Find all recordings in these folders, and those that are named themselves.

    :raises ArchiveError: when one is neither a folder nor a recording.
    """
    for path in paths:
        if path.is_dir():
            yield from scan(path)
        else:
            yield _at(path)


def recording_named(word: str, folder: Path) -> Entry:
    """
    Find one recording.

    :param word: a path, or how the id of a session begins.
    :raises ArchiveError: when there is none, or more than one; it offers others.
    """
    if os.sep in word or os.path.exists(word):
        return _at(Path(word))
    if not folder.is_dir():
        raise ArchiveError(f"{folder}: is no folder; give one with --folder")
    known = {files.stem: files for files in _all_files(folder)}
    found = [stem for stem in known if stem == word] or sorted(
        stem for stem in known if stem.startswith(word)
    )
    if len(found) > 1:
        offered = printable(", ".join(found[:_MOST_OFFERED]))
        raise ArchiveError(f"{len(found)} recordings begin with {word}: {offered} ...")
    entry = read_entry(known[found[0]]) if found else None
    if entry is None:
        raise ArchiveError(f"{folder}: has no recording {word}{_near(word, known)}")
    return entry


def _at(path: Path) -> Entry:
    if not path.exists():
        raise ArchiveError(f"{path}: is not there")
    for files in files_in(str(path.parent)):
        entry = read_entry(files) if files.sound == path.name else None
        if entry is not None:
            return entry
    raise ArchiveError(
        f"{path}: is no recording; its name would end with .wav or .vault"
    )


def _all_files(folder: Path) -> Iterator[Files]:
    for where, _, _ in os.walk(folder):
        yield from files_in(where)


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, known, n=3)
    return f"; did you mean {printable(' or '.join(near))}?" if near else ""
