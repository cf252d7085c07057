# -*- test-case-name: tests.bench.test_contender -*-
"""What is put under load: the service in its kinds, and the baseline.

A contender is a name and a command line. Each run gets a process of its own, in a
folder of its own, so that no run can help or hinder the next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from ..audio.wavwriter import WavWriter
from ..formats import MULAW_8K

__all__ = [
    "AGENTS",
    "BASELINE",
    "CHILD",
    "RECORDS",
    "Contender",
    "disturbed",
    "service",
]

#: Where in its folder a service keeps the records of its calls.
RECORDS = "cdr.jsonl"
#: What may answer under load.
AGENTS = ("echo", "prompt", "openai", "gemini", "cascade")
#: Those that talk with services elsewhere, which the load test plays.
_MODELS = ("openai", "gemini", "cascade")
#: -P: not what happens to lie in the current directory.
_PYTHON = (sys.executable, "-P", "-m")
#: The servers that are not the plain service.
CHILD = (*_PYTHON, "twistedvoice.bench.child")
#: Longer than any run: what a caller hears must not end.
_PROMPT_SECONDS = 300
_PROMPT = "talk.wav"
_MENU = f"""\
[agents.talk]
use = "prompt"
start = "talk"
[agents.talk.menus.talk]
prompt = "{_PROMPT}"
then = "repeat"
"""


@frozen(kw_only=True)
class Contender:
    """A kind of server."""

    name: str
    #: Where its media socket is.
    path: str
    #: :returns: the command line, for a folder, where it may leave files, and the
    #: settings of its accounts.
    command: Callable[[Path, Mapping[str, str]], list[str]] = field(repr=False)
    #: Whose services elsewhere are to be played, by :mod:`.double`; empty for none.
    double: str = ""


def service(
    name: str,
    agent: str,
    *,
    recordings: bool,
    more: Sequence[str] = (),
    start: Sequence[str] = (*_PYTHON, "twistedvoice", "serve"),
) -> Contender:
    """
    :param agent: one of :data:`AGENTS`; the prompt is one that does not end, and models
        are doubles.
    :param more: further options of the service.
    :param start: what comes before the options.
    :returns: the real service; all that it does by default it does here.
    """

    def command(folder: Path, accounts: Mapping[str, str]) -> list[str]:
        options = {
            "listen": "tcp:0:interface=127.0.0.1",
            "admin-listen": "tcp:0:interface=127.0.0.1",
            "drain-seconds": "2",
            "store": folder / "store.sqlite",
            "cdr": folder / RECORDS,
            "recordings": folder / "recordings" if recordings else "",
            **_settings(agent, folder),
            **_account_options(accounts, folder),
        }
        said = [f"--{option}={value}" for option, value in options.items()]
        return [*start, *said, "--trust-loopback", *more]

    double = agent if agent in _MODELS else ""
    return Contender(name=name, path="/twilio/media", command=command, double=double)


def disturbed(
    name: str, agent: str, disturbance: Sequence[str], more: Sequence[str] = ()
) -> Contender:
    """
    :param disturbance: what :mod:`.child` does to the service from within.
    :returns: the service, with something in its process that is not its own.
    """
    start = (*CHILD, "service", *disturbance, "--")
    return service(name, agent, recordings=True, more=more, start=start)


def _write_prompt(folder: Path) -> dict[str, object]:
    talk = WavWriter(folder / _PROMPT, MULAW_8K, 1)
    talk.write(bytes(range(0x80, 0x100)) * (_PROMPT_SECONDS * 8000 // 0x80))
    talk.close()
    settings = folder / "settings.toml"
    settings.write_text(_MENU, "utf-8")
    return {"config": settings, "agent": "talk"}


def _settings(agent: str, folder: Path) -> dict[str, object]:
    """:returns: what makes the service answer with an agent."""
    return _write_prompt(folder) if agent == "prompt" else {"agent": agent}


def _account_options(accounts: Mapping[str, str], folder: Path) -> dict[str, object]:
    """Write keys into files. :returns: the options for accounts."""
    options: dict[str, object] = {}
    for name, value in accounts.items():
        option = name.replace(".", "-").replace("_", "-")
        if name.endswith("_key"):
            key = folder / option
            key.write_text(value, "utf-8")
            options[f"{option}-file"] = key
        else:
            options[option] = value
    return options


def _baseline(folder: Path, accounts: Mapping[str, str]) -> list[str]:
    return [*CHILD, "baseline"]


BASELINE = Contender(name="baseline", path="/", command=_baseline)
