# -*- test-case-name: tests.bench.test_words -*-
"""The words of ``twistedvoice bench``: its commands, and what may be said to each."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from .contender import AGENTS
from .load import Target

__all__ = ["parse"]

#: A prompt is said for five minutes, and some of them pass before the measuring.
_LONGEST_SECONDS = 240


def parse(words: Sequence[str]) -> argparse.Namespace:
    """
    Read the words after ``bench``.

    :returns: what they mean; ``command`` is the name of the command, ``more`` what is
        for the service: all that follows ``--``.
    :raises SystemExit: with 2 when they are wrong, with 0 after help was given.
    """
    at = words.index("--") if "--" in words else len(words)
    said = _parser().parse_args(words[:at])
    said.more = list(words[at + 1 :])
    return said


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "twistedvoice bench",
        description="What can this machine hold? Options of the service follow --.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    load = commands.add_parser("load", help="put the service under load")
    _add_load_words(load)
    table = commands.add_parser("table", help="what calls cost, by their number")
    table.add_argument("counts", type=_counts, help="as 50,100,200,400,800")
    _add_contender_words(table)
    _add_stand_words(table)
    micro = commands.add_parser("micro", help="what one frame costs")
    micro.add_argument("--rst", action="store_true", help="print it for a page")
    recording = commands.add_parser("recording", help="how true recordings are")
    recording.add_argument("--rst", action="store_true", help="print it for a page")
    interrupts = commands.add_parser("interrupts", help="how fast calls fall silent")
    interrupts.add_argument("--times", type=_count, default=1000)
    interrupts.add_argument("--rst", action="store_true", help="print it for a page")
    # It needs a reactor, so the command line reads its words itself.
    commands.add_parser("local", help="how well and how fast the local agent hears")
    leak = commands.add_parser("leak", help="is anything left of calls that ended?")
    _add_leak_words(leak)
    stall = commands.add_parser("stall", help="what the service bears from within")
    _add_stall_words(stall)
    return parser


def _add_leak_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls", type=_count, default=10_000)
    parser.add_argument("--at-once", type=_count, default=50)
    parser.add_argument("--call-ms", type=_count, default=300)
    _add_core_words(parser)


def _add_stall_words(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(rst=False, picture=None)
    parser.add_argument("--calls", type=_count, default=100)
    parser.add_argument("--lead-ms", type=_count, default=100)
    parser.add_argument("--every-ms", type=_count, default=500)
    parser.add_argument("--busy-thread", action="store_true",
                        help="a thread that computes, instead of stalls")  # fmt: skip
    _add_stand_words(parser)


def _add_load_words(parser: argparse.ArgumentParser) -> None:
    many = parser.add_mutually_exclusive_group()
    many.add_argument("--calls", type=_count, default=100)
    many.add_argument("--ramp", action="store_true", help="find the most that hold")
    parser.add_argument("--start", type=_count, default=100, help="where --ramp begins")
    parser.add_argument("--url", type=Target.parse, help="ws://HOST:PORT/PATH of a"
                        " service that runs with --trust-loopback")  # fmt: skip
    _add_contender_words(parser)
    _add_stand_words(parser)


def _add_contender_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", choices=AGENTS, default="echo")
    parser.add_argument("--recordings", choices=("on", "off", "both"), default="on")
    parser.add_argument("--baseline", action="store_true",
                        help="measure plain Autobahn too, in turns")  # fmt: skip
    parser.add_argument("--runs", type=_count, default=1, help="for medians")
    parser.add_argument("--picture", type=_file, help="draw it into this file")
    parser.add_argument("--rst", action="store_true", help="print it for a page")


def _add_stand_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=_seconds, default=10.0)
    parser.add_argument("--arrivals", type=_count, default=125, metavar="A_SECOND",
                        help="how many calls come in a second")  # fmt: skip
    parser.add_argument("--max-stolen", type=float, default=3.0, metavar="PERCENT",
                        help="what the host may take from it")  # fmt: skip
    parser.add_argument("--max-late", type=float, default=2.0, metavar="MS",
                        help="how late the generators may be at 99 %%")  # fmt: skip
    parser.add_argument("--json", type=_file, help="write all figures here")
    _add_core_words(parser)


def _add_core_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cores", type=_core_numbers, default=[], help="of the service"
    )
    parser.add_argument("--generator-cores", type=_core_numbers, default=[])


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time above 0, up to {_LONGEST_SECONDS} seconds"
        )
    return seconds


def _file(text: str) -> Path:
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder for {text}")
    return path


def _counts(text: str) -> list[int]:
    return [_count(each) for each in text.split(",")]


def _core_numbers(text: str) -> list[int]:
    available = os.sched_getaffinity(0)
    numbers = [int(each) for each in text.split(",") if each.isdecimal()]
    if not numbers or not available.issuperset(numbers):
        raise argparse.ArgumentTypeError(f"cores are of {sorted(available)}")
    return numbers
