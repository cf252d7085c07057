# -*- test-case-name: tests.bench.test_command -*-
"""``twistedvoice bench``: from words to a measurement, a table and an exit code.

Every command gives 0 when what it asks holds, 1 when not, 3 when the run does not
count; wrong words are 2, as everywhere.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from attrs import asdict

from ..table import Table, show
from .contender import BASELINE, Contender, disturbed, service
from .contest import Highest, Ramp, loads
from .figures import HOLDS, Limits
from .hour import Hour
from .interrupts import interrupted, interrupts_table
from .interrupts import wrong as too_late
from .leak import LeakRun
from .load import Point, Stand, Target, raise_descriptors
from .machine import cores, describe
from .micro import micro_table, timed
from .picture import draw, require_matplotlib
from .summary import exit_code, highest_table, points_table, summaries
from .truth import aligned, truth_table, wrong
from .words import parse

__all__ = ["main"]

#: How much less than the lead a stall may be, in milliseconds, and no hole is heard.
_TICK_MS = 20
#: With a thread that computes beside it, a service may be this uneven.
_BUSY_P99_MS = 10.0


def main(words: Sequence[str]) -> int:
    """
    Run one command of the load test.

    :param words: those after ``bench``; after ``--`` come options of the service.
    :returns: the exit code.
    :raises BenchError: when it could not be run.
    """
    said = parse(words)
    raise_descriptors()
    return _COMMANDS[said.command](said)


def _load(said: argparse.Namespace) -> int:
    _check_picture(said)
    measure = _measuring(said, _limits(said))
    contenders = _contenders(said)
    if not said.ramp:
        points = list(loads(measure, contenders, [said.calls], said.runs))
        return _conclude(said, "Under load", points)
    points, found = [], list[Highest]()
    for _ in range(said.runs):
        ramp = Ramp(measure, contenders, start=said.start)
        points += ramp.points()
        found += ramp.highest()
    _conclude(said, "On the way", points, found)
    _print(said, highest_table(found))
    ours = [each for each in found if each.contender != BASELINE.name]
    if all(each.calls for each in ours):
        return 0
    return 3 if any(each.capped for each in ours) else 1


def _table(said: argparse.Namespace) -> int:
    _check_picture(said)
    measure = _measuring(said, _limits(said))
    points = list(loads(measure, _contenders(said), said.counts, said.runs))
    return _conclude(said, "What calls cost", points)


def _contenders(said: argparse.Namespace) -> list[Contender]:
    recorded = partial(service, agent=said.agent, more=said.more)
    found = []
    if said.recordings != "off":
        found.append(recorded("service", recordings=True))
    if said.recordings != "on":
        found.append(recorded("unrecorded", recordings=False))
    return [*found, *[BASELINE] * said.baseline]


def _measuring(
    said: argparse.Namespace, limits: Limits, jitter_ms: int = 60
) -> Callable[[Contender, int], Point]:
    """:returns: what measures a point, and says so."""
    stand = Stand(
        cores=cores(sorted(os.sched_getaffinity(0)), said.cores, said.generator_cores),
        seconds=said.seconds,
        jitter_ms=jitter_ms,
        arrivals=said.arrivals,
        limits=limits,
    )
    if stand.cores.shared:
        _tell("the service and the generators share a core: figures are poor")
    target: Target | None = getattr(said, "url", None)

    def measure(contender: Contender, calls: int) -> Point:
        if target is not None and contender is not BASELINE:
            point = stand.measure_url(target, calls)
        else:
            point = stand.measure(contender, calls)
        _tell(_told(point))
        return point

    return measure


def _limits(
    said: argparse.Namespace,
    *,
    gap_p99_ms: float = HOLDS.gap_p99_ms,
    audio: float = HOLDS.audio,
) -> Limits:
    return Limits(
        stolen=said.max_stolen / 100,
        late_p99_ms=said.max_late,
        gap_p99_ms=gap_p99_ms,
        audio=audio,
    )


def _told(point: Point) -> str:
    verdict = point.verdict
    what = "; ".join([verdict.outcome, *verdict.reasons])
    return f"{point.contender}, {point.calls} calls: {what}"


def _conclude(
    said: argparse.Namespace,
    title: str,
    points: Sequence[Point],
    found: Iterable[Highest] = (),
) -> int:
    """Print a table, write what was asked for, and tell the exit code."""
    _print(said, points_table(title, points))
    sys.stdout.write(f"{describe()}\n")
    _write_json(said, points, found)
    if said.picture is not None:
        draw(points, said.picture, describe())
    ours = (each for each in summaries(points) if each.contender != BASELINE.name)
    return exit_code(each.outcome for each in ours)


def _write_json(
    said: argparse.Namespace, points: Sequence[Point], found: Iterable[Highest]
) -> None:
    if said.json is not None:
        all_of_it = {
            "machine": describe(),
            "points": [asdict(point) for point in points],
            "highest": [asdict(each) for each in found],
        }
        said.json.write_text(json.dumps(all_of_it, indent=1) + "\n", "utf-8")


def _check_picture(said: argparse.Namespace) -> None:
    """Before an hour of measuring, not after it."""
    if said.picture is not None:
        require_matplotlib()


def _micro(said: argparse.Namespace) -> int:
    _print(said, micro_table(timed()))
    sys.stdout.write(f"{describe()}\n")
    return 0


def _stall(said: argparse.Namespace) -> int:
    if said.busy_thread:
        what, agent, jitter_ms = ["--busy-thread"], "echo", 60
        limits = _limits(said, gap_p99_ms=_BUSY_P99_MS)
    else:
        longest_ms = said.lead_ms - _TICK_MS
        what = [f"--stall-ms={longest_ms}", f"--every-ms={said.every_ms}"]
        # The ear waits for one frame alone: the rest is for the lead to bear.
        agent, jitter_ms = "prompt", _TICK_MS
        limits = _only_holes(said)
    more = [f"--lead-ms={said.lead_ms}", *said.more]
    contender = disturbed("service", agent, what, more)
    point = _measuring(said, limits, jitter_ms)(contender, said.calls)
    return _conclude(said, "Disturbed from within", [point])


def _only_holes(said: argparse.Namespace) -> Limits:
    """:returns: frames may be uneven, and a stall may hold back the last of them."""
    held_back = said.lead_ms / 1000 / said.seconds
    return _limits(said, gap_p99_ms=math.inf, audio=HOLDS.audio - held_back)


def _leak(said: argparse.Namespace) -> int:
    on = cores(sorted(os.sched_getaffinity(0)), said.cores, said.generator_cores)
    run = LeakRun(
        cores=on, calls=said.calls, at_once=said.at_once, call_ms=said.call_ms
    )
    contender = disturbed("service", "echo", ["--meter"], said.more)
    leak = run.measure(contender, _tell)
    show(leak.table())
    for problem in leak.problems():
        _tell(problem)
    return 1 if list(leak.problems()) else 0


def _recording(said: argparse.Namespace) -> int:
    hour, calls = Hour().run(), aligned()
    _print(said, truth_table(hour, calls))
    problems = wrong(hour, calls)
    for problem in problems:
        _tell(problem)
    return 1 if problems else 0


def _interrupts(said: argparse.Namespace) -> int:
    found = interrupted(said.times)
    _print(said, interrupts_table(found))
    problems = too_late(found)
    for problem in problems:
        _tell(problem)
    return 1 if problems else 0


def _print(said: argparse.Namespace, table: Table) -> None:
    if said.rst:
        sys.stdout.write(table.as_rst())
    else:
        show(table)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "load": _load,
    "table": _table,
    "micro": _micro,
    "leak": _leak,
    "recording": _recording,
    "interrupts": _interrupts,
    "stall": _stall,
}
