# -*- test-case-name: tests.slow.openai -*-
"""``python -m twistedvoice.doubles.openai``: the double on a port, until Ctrl-C."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from ..command import parser, serve
from ..plan import Reply
from ..server import ServiceFactory
from ..voice import WORD_MS
from .plan import Plan
from .service import OpenAiDouble

__all__ = ["main"]

#: A little ahead of the ear, so that a late piece leaves no hole.
_HURRY = 0.9


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status; 1 when the port cannot be had."""
    from twisted.internet import reactor

    words_of = parser("openai", "OpenAI's Realtime API", 8900)
    words_of.add_argument("--key", default="sk-double", help="the API key that lets in")
    words_of.add_argument(
        "--talk",
        type=int,
        metavar="SECONDS",
        help="for load tests: do not listen, and speak for so long as it is heard",
    )
    said = words_of.parse_args(words)
    clock: Any = reactor
    factory = ServiceFactory(clock, OpenAiDouble(clock, _plan(said)))
    return serve(
        clock,
        said.listen,
        factory,
        lambda port: f"openai.url is ws://127.0.0.1:{port}/v1/realtime",
    )


def _plan(said: Namespace) -> Plan:
    plan = Plan(key=said.key)
    if said.talk is not None:
        tale = Reply(says=" ".join(["word"] * (said.talk * 1000 // WORD_MS)))
        plan.answer = lambda heard_ms: tale
        plan.piece_every_seconds = plan.piece_ms / 1000 * _HURRY
        plan.hears = False
    return plan


if __name__ == "__main__":
    raise SystemExit(main())
