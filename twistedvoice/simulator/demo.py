# -*- test-case-name: tests.simulator.test_demo -*-
"""``twistedvoice demo``: a service, one call to it, and the proof that it went well.

The service is the real one, in a process of its own, with the security it has on the
internet: signed webhooks, a signed stream and a single-use token. The caller listens,
speaks, presses keys and interrupts. Nothing is installed and nothing but the loopback
interface is used.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import field, frozen
from rich.console import Console
from twisted.internet.defer import Deferred, gatherResults

from ..errors import SimulationError
from .call import carried_out, conclude
from .dialogue import dialogue, dialogue_problems, meanings_in
from .files import CDR, RECORDING, forget_files
from .journal import Journal
from .place import place_call
from .plan import CallPlan
from .script import AwaitSpeech, Interrupt, Press, Say, Step, Wait, say_file
from .service import (
    ServiceProcess,
    child_environ,
    free_port,
    is_up,
    start_service,
)
from .summary import progress, turns_table

__all__ = ["at_once", "demo", "script", "script_problems"]

_SPEECH = Path(__file__).parent / "speech"
#: How much longer than planned a call may last until it is ended in any case.
_SPARE_SECONDS = 14.0
#: How often the service is silenced by a key in the script.
_CUTS = 3
#: How often a port is looked for: another program may take the free one first.
_PORTS_TRIED = 3


@frozen(kw_only=True)
class _Play:
    """What the caller does with one agent, and what must come of it."""

    agent: str
    seconds: float
    steps: Callable[[], Sequence[Step]]
    #: From the journal and the service's log to what is wrong.
    problems: Callable[[Journal, Sequence[str]], Iterator[str]]


@frozen(kw_only=True)
class _Stage:
    """Where the demo takes place, and what is played there."""

    play: _Play
    folder: Path
    #: For the service's store and recordings; gone afterwards.
    state: Path
    environ: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)


def demo(
    reactor: Any,
    console: Console,
    folder: Path,
    environ: Mapping[str, str],
    agent: str = "prompt",
) -> Deferred[int]:
    """
    Run the whole demo; less than a minute.

    :param folder: where heard.wav, recording.wav, timeline.png, report.json and
        cdr.jsonl are left; made when it is not there.
    :param environ: the environment of this process.
    :param agent: ``prompt`` or ``local``.
    :returns: fires with the exit code: 0 when all was right, 1 when something was
        wrong, 3 when all was right but the caller heard holes.
    """
    performing = _demo(reactor, console, folder, environ, _PLAYS[agent])
    return carried_out(reactor, console, performing)


async def _demo(
    reactor: Any,
    console: Console,
    folder: Path,
    environ: Mapping[str, str],
    play: _Play,
) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    forget_files(folder)
    token = secrets.token_hex(16)
    with TemporaryDirectory(prefix="twistedvoice-") as state:
        stage = _Stage(
            play=play,
            folder=folder,
            state=Path(state),
            environ=child_environ(environ, token),
            token=token,
        )
        journal, exit_code, log = await _perform(reactor, console, stage)
        kept = list(_keep(stage))
    problems = [*play.problems(journal, log), *_record_problems(journal, kept)]
    if exit_code:
        problems.append(f"the service ended with {exit_code} instead of draining")
    if play.agent == "local":
        console.print(turns_table(journal, log))
    return conclude(console, folder, journal, problems=problems, kept=kept)


async def at_once(
    reactor: Any, environ: Mapping[str, str], calls: int
) -> Sequence[Journal]:
    """
    Have several callers hold the dialogue of the local agent at the same time.

    :returns: what happened in each call.
    """
    token = secrets.token_hex(16)
    with TemporaryDirectory(prefix="twistedvoice-") as state:
        stage = _Stage(
            play=_PLAYS["local"],
            folder=Path(state),
            state=Path(state),
            environ=child_environ(environ, token),
            token=token,
        )
        service, url = await _serve(reactor, stage)
        try:
            placed = [place_call(reactor, _plan(url, stage)) for _ in range(calls)]
            journals: Sequence[Journal] = await gatherResults(placed)
        finally:
            await service.stop(reactor)
    return journals


async def _perform(
    reactor: Any, console: Console, stage: _Stage
) -> tuple[Journal, int, Sequence[str]]:
    """:returns: what happened in the call, the service's exit code, and its log."""
    console.print("Starting a service on this machine and calling it ...")
    service, url = await _serve(reactor, stage)
    try:
        with progress(console, stage.play.seconds) as tell:
            journal = await place_call(reactor, _plan(url, stage), progress=tell)
    except SimulationError as error:
        raise SimulationError(
            f"{error}; the service's log ends with:\n{service.last_lines()}"
        ) from error
    finally:
        exit_code = await service.stop(reactor)
    return journal, exit_code, service.lines()


async def _serve(reactor: Any, stage: _Stage) -> tuple[ServiceProcess, str]:
    """:returns: the service, and its URL."""
    for tries_left in reversed(range(_PORTS_TRIED)):
        port, admin_port = free_port(), free_port()
        url = f"http://127.0.0.1:{port}"
        try:
            service = await start_service(
                reactor,
                _arguments(stage, port, admin_port),
                stage.environ,
                partial(is_up, reactor, f"http://127.0.0.1:{admin_port}/ready"),
            )
        except SimulationError as error:
            if not tries_left or "already in use" not in str(error):
                raise
        else:
            return service, url
    raise AssertionError("the last try returns or raises")


def _arguments(stage: _Stage, port: int, admin_port: int) -> list[str]:
    options = {
        "listen": f"tcp:{port}:interface=127.0.0.1",
        "admin-listen": f"tcp:{admin_port}:interface=127.0.0.1",
        "public-url": f"http://127.0.0.1:{port}",
        "agent": stage.play.agent,
        "log-level": "debug",
        "store": str(stage.state / "store.sqlite"),
        "recordings": str(stage.state / "recordings"),
        "cdr": str((stage.folder / CDR).absolute()),
        "drain-seconds": "5",
    }
    return [f"--{name}={value}" for name, value in options.items()]


def _plan(url: str, stage: _Stage) -> CallPlan:
    return CallPlan(
        webhook_url=f"{url}/twilio/voice",
        status_url=f"{url}/twilio/status",
        auth_token=stage.token,
        steps=stage.play.steps(),
        max_seconds=stage.play.seconds + _SPARE_SECONDS,
    )


# -- the call -----------------------------------------------------------------------


def script() -> tuple[Step, ...]:
    """:returns: what the caller does with the service's sample menu."""
    return (
        AwaitSpeech(),
        Wait(4000),  # hears the welcome and the first choice
        _line("hello"),
        Press("1"),  # the opening hours, to their end
        Wait(8000),
        Press("2"),  # cuts the menu off; a long story begins
        Interrupt(_line("wait").audio, 3500, "wait"),
        Press("*"),  # cuts the story off; the menu begins again
        Wait(600),
        _line("thanks"),
        Press("9"),  # cuts the menu off; the service says goodbye and hangs up
    )


def script_problems(journal: Journal) -> Iterator[str]:
    """:returns: how the service did other than the sample menu says."""
    kinds = [event.kind for event in journal.happenings]
    if "gave_up" in kinds:
        yield "the caller waited in vain for the service to speak"
    if kinds.count("clear") < _CUTS:
        yield "the service did not fall silent when keys were pressed"
    if "stopped" in kinds:
        yield "the service did not hang up after its goodbye"


def _line(name: str) -> Say:
    return Say(say_file(str(_SPEECH / f"caller_{name}.wav")).audio, name)


_PLAYS = {
    "prompt": _Play(
        agent="prompt",
        seconds=26.0,
        steps=script,
        problems=lambda journal, log: script_problems(journal),
    ),
    "local": _Play(
        agent="local",
        seconds=50.0,
        steps=dialogue,
        problems=lambda journal, log: dialogue_problems(journal, meanings_in(log)),
    ),
}


# -- afterwards ---------------------------------------------------------------------


def _keep(stage: _Stage) -> Iterator[Path]:
    """
    Keep the recording, which the service made where nothing stays.

    :returns: those files of the service that are there.
    """
    recordings = sorted((stage.state / "recordings").rglob("*.wav"))
    if len(recordings) == 1:
        yield Path(shutil.copyfile(recordings[0], stage.folder / RECORDING))
    if (stage.folder / CDR).exists():
        yield stage.folder / CDR


def _record_problems(journal: Journal, kept: Sequence[Path]) -> Iterator[str]:
    """:returns: what is wrong with what the service wrote down."""
    names = [path.name for path in kept]
    if RECORDING not in names:
        yield "the service did not leave one recording"
    lines = kept[-1].read_text("utf-8").splitlines() if CDR in names else []
    if [journal.call_id in line for line in lines] != [True]:
        yield f"{CDR} does not hold one line, of this call"
