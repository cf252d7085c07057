# -*- test-case-name: tests.slow.gemini -*-
"""``python -m twistedvoice.doubles.gemini``: the double on a port, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..command import parser, serve
from ..server import ServiceFactory
from .plan import Plan
from .service import PATH, GeminiDouble

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status; 1 when the port cannot be had."""
    from twisted.internet import reactor

    words_of = parser("gemini", "the Gemini Live API", 8901)
    words_of.add_argument("--key", default="gemini-double", help="the key that lets in")
    said = words_of.parse_args(words)
    clock: Any = reactor
    double = GeminiDouble(clock, Plan(key=said.key))
    factory = ServiceFactory(clock, double)
    return serve(
        clock,
        said.listen,
        factory,
        lambda port: f"gemini.url is ws://127.0.0.1:{port}{PATH}",
    )


if __name__ == "__main__":
    raise SystemExit(main())
