# -*- test-case-name: tests.slow.openai -*-
"""``python -m twistedvoice.doubles.openai``: the double on a port, until Ctrl-C."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..command import serve
from ..plan import Reply
from ..voice import WORD_MS
from .plan import Plan
from .service import OpenAiDouble

__all__ = ["main"]

#: A little ahead of the ear, so that a late piece leaves no hole.
_HURRY = 0.9


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status; 1 when the port cannot be had."""
    from twisted.internet import reactor

    parser = argparse.ArgumentParser(
        "python -m twistedvoice.doubles.openai",
        description="Play OpenAI's Realtime API, for agents without an account. Each"
        " turn of a caller is answered with tones, one a word.",
    )
    parser.add_argument("--listen", default="tcp:8900:interface=127.0.0.1")
    parser.add_argument("--key", default="sk-double", help="the API key that lets in")
    parser.add_argument(
        "--talk",
        type=int,
        metavar="SECONDS",
        help="for load tests: do not listen, and speak for so long as it is heard",
    )
    said = parser.parse_args(words)
    clock: Any = reactor
    where = "openai.url is ws://127.0.0.1:{port}/v1/realtime"
    return serve(clock, said.listen, OpenAiDouble(clock, _plan(said)), where)


def _plan(said: argparse.Namespace) -> Plan:
    plan = Plan(key=said.key)
    if said.talk is not None:
        tale = Reply(says=" ".join(["word"] * (said.talk * 1000 // WORD_MS)))
        plan.answer = lambda heard_ms: tale
        plan.piece_every_seconds = plan.piece_ms / 1000 * _HURRY
        plan.hears = False
    return plan


if __name__ == "__main__":
    raise SystemExit(main())
