# -*- test-case-name: tests.simulator.test_call -*-
"""``twistedvoice call``: one simulated call to a service that runs, and its files.

The command line makes the plan. What is done around a call on a terminal - the bar, a
clean end when someone presses Ctrl-C - is here for the demo too.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from ..errors import AudioFormatError, SimulationError
from .align import Match
from .files import RECORDING, write_files
from .journal import Journal
from .place import place_call
from .plan import CallPlan
from .report import report
from .summary import progress, summary
from .verdict import Verdict, call_problems, judge_tracks, track_problems

__all__ = ["INTERRUPTED", "call", "carried_out", "conclude"]

#: What a shell expects of a command that Ctrl-C ended.
INTERRUPTED = 130


def call(reactor: Any, console: Console, plan: CallPlan, folder: Path) -> Deferred[int]:
    """
    Place a call, leave its files in ``folder`` and print a summary.

    :returns: fires with the exit code: 0 when the call went to its planned end, 1 when
        not or when it could not be placed, 3 when the caller heard holes.
    """
    return carried_out(reactor, console, _call(reactor, console, plan, folder))


async def _call(reactor: Any, console: Console, plan: CallPlan, folder: Path) -> int:
    with progress(console, None) as tell:
        journal = await place_call(reactor, plan, progress=tell)
    return conclude(console, folder, journal)


def conclude(
    console: Console,
    folder: Path,
    journal: Journal,
    *,
    problems: Sequence[str] = (),
    kept: Sequence[Path] = (),
) -> int:
    """
    Judge a finished call, write its files and print a summary.

    :param problems: what is known to be wrong besides the call itself.
    :param kept: files of the service; a recording among them is compared with the call.
    :returns: the exit code.
    """
    matches, misfits = _compare(journal, kept)
    verdict = Verdict(
        problems=[*call_problems(journal), *problems, *misfits],
        underruns=len(journal.underruns),
    )
    figures = report(journal)
    files = [*write_files(journal, figures, folder), *kept]
    console.print(
        summary(
            journal=journal,
            figures=figures,
            verdict=verdict,
            matches=matches,
            files=files,
        )
    )
    return verdict.exit_code


def carried_out(
    reactor: Any, console: Console, command: Coroutine[Any, Any, int]
) -> Deferred[int]:
    """
    Run a command to its end, or, when the reactor is stopped, to a clean one.

    :returns: fires with the exit code. A ``SimulationError`` is printed and gives 1.
    """
    done = Deferred.fromCoroutine(command)
    cleaned_up: Deferred[None] = Deferred()
    stopping = False

    def stop() -> Deferred[None]:
        nonlocal stopping
        stopping = True
        done.cancel()
        return cleaned_up

    trigger = reactor.addSystemEventTrigger("before", "shutdown", stop)

    def finish(result: int | Failure) -> int | Failure:
        if not stopping:
            reactor.removeSystemEventTrigger(trigger)
        cleaned_up.callback(None)
        return result

    return done.addErrback(_explain, console).addBoth(finish)


def _explain(failure: Failure, console: Console) -> int:
    failure.trap(SimulationError, CancelledError)
    if failure.check(CancelledError):
        return INTERRUPTED
    console.print(Text(f"✘ {failure.getErrorMessage()}", style="red"))
    return 1


def _compare(
    journal: Journal, kept: Sequence[Path]
) -> tuple[Mapping[str, Match], list[str]]:
    """:returns: how the recorded tracks match, by side, and what is wrong there."""
    matches: dict[str, Match] = {}
    try:
        for path in kept:
            if path.name == RECORDING:
                matches.update(judge_tracks(journal, path))
    except AudioFormatError as error:
        return {}, [str(error)]
    return matches, list(track_problems(matches))
