# -*- test-case-name: tests.archive.test_exporting -*-
"""``recordings export``: recordings in another format, made on all cores at once."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from ..errors import ArchiveError, AudioFormatError
from ..recording.convert import WITHOUT_SOUNDFILE, ExportFormat, convert
from .arguments import Commands, command, folder
from .find import recordings_at
from .screen import tell, watched

__all__ = ["add", "new_workers"]


def add(commands: Commands, wall: Callable[[], float]) -> None:
    """Add the command."""
    parser = command(
        commands,
        "export",
        _run,
        short="write recordings as FLAC or Opus, too",
        more="What was exported already is left as it is, and so are the recordings.",
    )
    parser.add_argument("paths", metavar="DIR|PATH", type=Path, nargs="+")
    parser.add_argument("--format", choices=("flac", "opus"), required=True)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=folder,
        help="where to; by default beside each recording",
    )


def new_workers() -> Executor:
    """:returns: a process for each core, after whose work that of calls comes first."""
    return ProcessPoolExecutor(
        mp_context=multiprocessing.get_context("spawn"), initializer=_step_back
    )


@frozen
class _Export:
    source: Path
    target: Path
    format: ExportFormat

    @property
    def is_done(self) -> bool:
        """Whether somebody has made it already."""
        return self.target.exists()


def _run(said: argparse.Namespace) -> int:
    if find_spec("soundfile") is None:
        raise ArchiveError(WITHOUT_SOUNDFILE)
    exports = list(_exports(said))
    to_do = [each for each in exports if not each.is_done]
    failed = 0
    for export, error in watched(_made(to_do), "exporting", len(to_do)):
        facts = {"path": str(export.source), "export": str(export.target)}
        if error is None:
            tell(facts, str(export.target), as_json=said.json)
        else:
            failed += 1
            facts["error"] = error
            tell(facts, f"{export.source}: {error}", as_json=said.json)
    if not said.json:
        done = len(exports) - len(to_do)
        sys.stdout.write(
            f"{len(to_do) - failed} exported, {done} were already,"
            f" {failed} could not be\n"
        )
    return 1 if failed else 0


def _exports(said: argparse.Namespace) -> Iterator[_Export]:
    for entry in recordings_at(said.paths):
        if entry.state == "finished":
            into = said.out or entry.path.parent
            target = into / f"{entry.files.stem}.{said.format}"
            yield _Export(entry.path, target, said.format)


def _made(exports: Iterable[_Export]) -> Iterator[tuple[_Export, str | None]]:
    """:returns: each when it is made, and what went wrong with it."""
    workers = new_workers()
    try:
        jobs = {workers.submit(_make, each): each for each in exports}
        for job in as_completed(jobs):
            try:
                job.result()
            except (OSError, AudioFormatError, BrokenProcessPool) as error:
                yield jobs[job], str(error)
            else:
                yield jobs[job], None
    finally:
        # After Ctrl-C nobody waits for what was not begun.
        workers.shutdown(cancel_futures=True)


def _make(export: _Export) -> None:
    convert(export.source, export.target, export.format)


def _step_back() -> None:
    os.nice(10)
    # Ctrl-C is for the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
