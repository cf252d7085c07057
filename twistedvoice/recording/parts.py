# -*- test-case-name: tests.recording.test_parts -*-
"""Who writes the parts of recordings: a seam.

The recorder hands its jobs to a thread and does not know where they end. In a service
that is :mod:`.process`; here is the plain way, in the thread itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from twisted.python.failure import Failure

from ..formats import AudioFormat
from .mixer import Batch
from .part import PartFile

__all__ = ["Job", "Part", "Parts", "PartsHere"]


class Job(NamedTuple):
    """A method of a part, say, and what it is called with."""

    work: Callable[..., Any]
    args: tuple[Any, ...]


class Part(Protocol):
    """One recording on its way to the disk; see :class:`.part.PartFile`."""

    @property
    def path(self) -> Path | None:
        """Where the sound is now, None while or when there is no file."""

    @property
    def duration_ms(self) -> int:
        """How long the sound in the file lasts."""

    @property
    def late_frames(self) -> int:
        """Frames that came so late that silence was written in their place."""

    @property
    def dropped_frames(self) -> int:
        """Frames that had no place on the recording's time."""

    @property
    def lost(self) -> Sequence[tuple[int, int]]:
        """Spans of sound that another writer took along, in microseconds."""

    @property
    def chain(self) -> str:
        """The last link of the finished recording's chain; empty without one."""

    @property
    def seal(self) -> str:
        """The seal on that, empty without a key."""

    def open(self) -> None:
        """Make the files and their folders."""

    def append(self, batch: Batch) -> None:
        """Write a batch, and all that were spooled before it."""

    def finish(self, last: Batch) -> None:
        """Do the same with the last one, and give the files their names."""

    def fail(self) -> None:
        """Give what was written before an error its names."""

    def discard(self) -> None:
        """Remove the files."""


class Parts(Protocol):
    """
    Makes parts, and does jobs of many at once.

    All but ``new``, ``spool`` and ``watch`` may block and is called in worker threads.
    """

    def start(self) -> None:
        """Make ready for the first job; who asks for one need not wait for this."""

    def new(self, path: Path, format: AudioFormat, **options: Any) -> Part:  # noqa: A002
        """:param options: what else :class:`.part.PartFile` is made with."""

    def do_all(self, jobs: Sequence[Job]) -> list[Any]:
        """:returns: for each job its result, or the failure of what it raised."""

    def spool(self, part: Part, batch: Batch) -> bool:
        """
        Take a batch that is to be written together with later ones of its part.

        It is as safe as one that was written, but for a power cut. Called in the
        reactor, while no job of the part is under way.

        :returns: False when it must be appended.
        """

    def watch(self) -> None:
        """Let no job wait for who hangs; called every second, in the reactor."""

    def stop(self) -> None:
        """Let go of everything; no job comes any more."""


class PartsHere:
    """Writes in the thread that asks for it."""

    def start(self) -> None:
        """Nothing is needed."""

    def new(self, path: Path, format: AudioFormat, **options: Any) -> Part:  # noqa: A002
        """:returns: one in this process."""
        return PartFile(path, format, **options)

    def do_all(self, jobs: Sequence[Job]) -> list[Any]:
        """Do one job after the other."""
        return [_done(job) for job in jobs]

    def spool(self, part: Part, batch: Batch) -> bool:
        """Nothing is won by that here."""
        return False

    def watch(self) -> None:
        """Whoever hangs here hangs with the thread."""

    def stop(self) -> None:
        """Nothing is held."""


def _done(job: Job) -> Any:
    try:
        return job.work(*job.args)
    except Exception:  # the job's own, not the others'
        return Failure()
