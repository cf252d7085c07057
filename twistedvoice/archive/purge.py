# -*- test-case-name: tests.archive.test_purge -*-
"""Removes the recordings that nobody is to keep any longer: too old, or too many.

Only what lies in the day folders of the service counts, so that a recording which was
put elsewhere is kept, and so is a folder of music. What is being written, what a dead
process left and what is still to be handed on stays. A recording goes with all that
belongs to it, the sound last: while there is any of it, it can be found.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from attrs import define, field, frozen

from .catalog import Entry, Files, day_folders, files_in, read_entry

__all__ = ["Held", "Limits", "Removal", "Step", "is_to_go", "purge"]


@frozen(kw_only=True)
class Limits:
    """What may be kept; None for no limit."""

    #: Since the call began.
    seconds: float | None = None
    #: Bytes of all recordings together.
    size: int | None = None
    recordings: int | None = None

    @property
    def are_none(self) -> bool:
        """Whether everything is kept."""
        return self == Limits()

    @property
    def depend_on_all(self) -> bool:
        """Whether what becomes of a recording depends on the others."""
        return self.size is not None or self.recordings is not None


@define
class Held:
    """A recording and all that are younger, together."""

    recordings: int = 0
    size: int = 0


class Step(Enum):
    """Work in which nothing was removed."""

    #: One recording was looked at.
    LOOKED = "looked"
    #: Recordings of a day are about to go: who is still to do something with one that
    #: is finished by now has said so.
    CHOSE = "chose"


@frozen
class Removal:
    """A recording that was removed, or was to be."""

    entry: Entry
    #: Why it could not be.
    error: OSError | None = field(default=None, eq=False)


def is_to_go(limits: Limits, entry: Entry, held: Held, now: float) -> bool:
    """
    Say whether a recording is beyond the limits, and may be removed.

    :param held: it and all that are younger.
    """
    if entry.state != "finished" or entry.files.is_waited_for:
        return False
    return (
        (limits.seconds is not None and now - entry.started_at > limits.seconds)
        or (limits.size is not None and held.size > limits.size)
        or (limits.recordings is not None and held.recordings > limits.recordings)
    )


def purge(
    folder: Path,
    limits: Limits,
    *,
    now: float,
    kept: Collection[str] = (),
    dry: bool = False,
) -> Iterator[Removal | Step]:
    """
    Remove what is beyond the limits, the oldest first.

    :param kept: ids of sessions whose recordings stay; asked after each
        :attr:`Step.CHOSE`.
    :param dry: only say what would be removed.
    :returns: something after each bit of work, so that who must not work for long can
        pause.
    """
    held = Held()
    days = day_folders(folder)
    for files in _all_files(days if limits.depend_on_all else []):
        held.recordings += 1
        held.size += files.size()
        yield Step.LOOKED
    for day in days:
        entries = list[Entry]()
        for files in files_in(day):
            entry = read_entry(files)
            if entry is None:
                held.recordings -= 1
            else:
                entries.append(entry)
            yield Step.LOOKED
        to_go = list[Entry]()
        for entry in sorted(entries, key=_began):
            if is_to_go(limits, entry, held, now):
                to_go.append(entry)
            held.recordings -= 1
            held.size -= entry.size
        if to_go:
            yield Step.CHOSE
        for entry in to_go:
            if entry.session_id not in kept:
                yield Removal(entry) if dry else _remove(entry)
        if not dry:
            _remove_empty(Path(day), now)


def _all_files(days: list[str]) -> Iterator[Files]:
    for day in days:
        yield from files_in(day)


def _began(entry: Entry) -> float:
    return entry.started_at


def _remove(entry: Entry) -> Removal:
    files = entry.files
    sidecar = files.sidecar
    others = [f"{files.folder}/{name}" for name in files.beside]
    try:
        for path in (*(each for each in others if each != sidecar), sidecar):
            if path is not None:
                _unlink(path)
        _unlink(files.sound_path)
    except OSError as error:
        return Removal(entry, error)
    return Removal(entry)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _remove_empty(day: Path, now: float) -> None:
    """Remove a day, its month and its year when they are empty and past."""
    today = datetime.fromtimestamp(now, UTC)
    # A call that began yesterday may begin its file today.
    current = {f"{each:%Y/%m/%d}" for each in (today, today - timedelta(days=1))}
    for depth, empty in enumerate((day, day.parent, day.parent.parent)):
        name = "/".join(empty.parts[-3 + depth :])
        if any(f"{each}/".startswith(f"{name}/") for each in current):
            return
        try:
            empty.rmdir()
        except OSError:
            return
