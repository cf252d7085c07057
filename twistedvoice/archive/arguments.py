# -*- test-case-name: tests.archive.test_command -*-
"""The words that commands on recordings have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..recording.cipher import read_encryption_key

__all__ = [
    "Commands",
    "add_encryption_key_file",
    "add_key_file",
    "command",
    "encryption_keys",
    "folder",
]

#: What ``add_subparsers`` returns.
Commands = Any


def command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    short: str,
    more: str = "",
) -> argparse.ArgumentParser:
    """
    Add a command to the group.

    :param short: what it does, for the list of commands.
    :param more: what else its own help says.
    """
    sentence = f"{short[0].upper()}{short[1:]}. {more}".rstrip()
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=sentence
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="one line of JSON for each")
    return parser


def add_key_file(parser: argparse.ArgumentParser, use: str) -> None:
    """:param use: what the key is for."""
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        type=Path,
        help=f"{use} the key in this file, as recording.key_file names it",
    )


def add_encryption_key_file(
    parser: argparse.ArgumentParser, *, required: bool = False
) -> None:
    """Add what :func:`encryption_keys` reads."""
    parser.add_argument(
        "--encryption-key-file",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        required=required,
        help="open encrypted recordings with the key in this file, as"
        " recording.encryption_key_file names it; again for each older one",
    )


def encryption_keys(said: argparse.Namespace) -> list[bytes]:
    """
    :returns: the keys that recordings may be encrypted with.
    :raises ConfigError: when a file holds none.
    """
    return [read_encryption_key(path) for path in said.encryption_key_file]


def folder(text: str) -> Path:
    """:raises ArgumentTypeError: when it is none."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return path
