# -*- test-case-name: tests.bench.test_contender -*-
"""What is put under load: the service in its kinds, and the baseline.

A contender is a name and a command line. Each run gets a process of its own, in a
folder of its own, so that no run can help or hinder the next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import field, frozen

from ..audio.wavwriter import WavWriter
from ..formats import MULAW_8K

__all__ = ["AGENTS", "BASELINE", "Contender", "disturbed", "service"]

#: What may answer under load.
AGENTS = ("echo", "prompt", "openai")
#: Where the double of OpenAI is by default; whoever measures with it starts it, on a
#: core of its own.
_OPENAI = {"agent": "openai", "openai-url": "ws://127.0.0.1:8900/v1/realtime"}
_OPENAI_KEY = "sk-double"
#: -P: not what happens to lie in the current directory.
_PYTHON = (sys.executable, "-P", "-m")
_CHILD = (*_PYTHON, "twistedvoice.bench.child")
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
    #: :returns: the command line, for a folder, where it may leave files.
    command: Callable[[Path], list[str]] = field(repr=False)


def service(
    name: str,
    agent: str,
    *,
    recordings: bool,
    more: Sequence[str] = (),
    start: Sequence[str] = (*_PYTHON, "twistedvoice", "serve"),
) -> Contender:
    """
    :param agent: one of :data:`AGENTS`; the prompt is one that does not end, and the
        model is the double.
    :param more: further options of the service.
    :param start: what comes before the options.
    :returns: the real service; all that it does by default it does here.
    """

    def command(folder: Path) -> list[str]:
        options = {
            "listen": "tcp:0:interface=127.0.0.1",
            "admin-listen": "tcp:0:interface=127.0.0.1",
            "drain-seconds": "2",
            "store": folder / "store.sqlite",
            "cdr": folder / "cdr.jsonl",
            "recordings": folder / "recordings" if recordings else "",
            **_SETTINGS[agent](folder),
        }
        said = [f"--{option}={value}" for option, value in options.items()]
        return [*start, *said, "--trust-loopback", *more]

    return Contender(name=name, path="/twilio/media", command=command)


def disturbed(
    name: str, agent: str, disturbance: Sequence[str], more: Sequence[str] = ()
) -> Contender:
    """
    :param disturbance: what :mod:`.child` does to the service from within.
    :returns: the service, with something in its process that is not its own.
    """
    start = (*_CHILD, "service", *disturbance, "--")
    return service(name, agent, recordings=True, more=more, start=start)


def _write_prompt(folder: Path) -> dict[str, object]:
    talk = WavWriter(folder / _PROMPT, MULAW_8K, 1)
    talk.write(bytes(range(0x80, 0x100)) * (_PROMPT_SECONDS * 8000 // 0x80))
    talk.close()
    settings = folder / "settings.toml"
    settings.write_text(_MENU, "utf-8")
    return {"config": settings, "agent": "talk"}


def _write_key(folder: Path) -> dict[str, object]:
    key = folder / "key"
    key.write_text(_OPENAI_KEY, "utf-8")
    return {**_OPENAI, "openai-api-key-file": key}


#: From an agent and a folder to what makes the service answer with it.
_SETTINGS: dict[str, Callable[[Path], dict[str, object]]] = {
    "echo": lambda folder: {"agent": "echo"},
    "prompt": _write_prompt,
    "openai": _write_key,
}


def _baseline(folder: Path) -> list[str]:
    return [*_CHILD, "baseline"]


BASELINE = Contender(name="baseline", path="/", command=_baseline)
