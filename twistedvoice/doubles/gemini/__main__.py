# -*- test-case-name: tests.slow.gemini -*-
"""``python -m twistedvoice.doubles.gemini``: the double on a port, until Ctrl-C."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from ..command import serve
from .plan import Plan
from .service import PATH, GeminiDouble

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status; 1 when the port cannot be had."""
    from twisted.internet import reactor

    parser = argparse.ArgumentParser(
        "python -m twistedvoice.doubles.gemini",
        description="Play the Gemini Live API, for agents without an account. Each turn"
        " of a caller is answered with tones, one a word.",
    )
    parser.add_argument("--listen", default="tcp:8901:interface=127.0.0.1")
    parser.add_argument("--key", default="gemini-double", help="the key that lets in")
    said = parser.parse_args(words)
    clock: Any = reactor
    double = GeminiDouble(clock, Plan(key=said.key))
    where = "gemini.url is ws://127.0.0.1:{port}" + PATH
    return serve(clock, said.listen, double, where)


if __name__ == "__main__":
    raise SystemExit(main())
