# -*- test-case-name: tests.slow.openai -*-
"""``python -m twistedvoice.doubles.openai``: the double on a port, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..command import parser, serve
from ..server import ServiceFactory
from .plan import Plan
from .service import PATH, OpenAiDouble

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status; 1 when the port cannot be had."""
    from twisted.internet import reactor

    words_of = parser("openai", "OpenAI's Realtime API", 8900)
    words_of.add_argument("--key", default="sk-double", help="the API key that lets in")
    said = words_of.parse_args(words)
    clock: Any = reactor
    factory = ServiceFactory(clock, OpenAiDouble(clock, Plan(key=said.key)))
    return serve(
        clock,
        said.listen,
        factory,
        lambda port: f"openai.url is ws://127.0.0.1:{port}{PATH}",
    )


if __name__ == "__main__":
    raise SystemExit(main())
