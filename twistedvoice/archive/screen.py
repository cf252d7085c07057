# -*- test-case-name: tests.archive.test_screen -*-
"""What a person sees while something takes long, and what a program reads instead.

A bar is drawn with rich where that is installed and a person looks; the work is the
same without it. The bar goes to standard error, so that what is told can go to a file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import TypeVar

from ..table import printable

__all__ = ["tell", "watched"]

T = TypeVar("T")


def tell(facts: Mapping[str, object], words: str, *, as_json: bool) -> None:
    """Print one line: of JSON, or ``words``, whatever is in them."""
    sys.stdout.write((json.dumps(facts) if as_json else printable(words)) + "\n")


def watched(things: Iterable[T], doing: str, total: int | None = None) -> Iterator[T]:
    """
    Show how far it is while somebody goes through ``things``.

    :param total: how many there are, where that is known.
    """
    if find_spec("rich") is None or not sys.stderr.isatty():
        yield from things
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(
        things,
        f"{doing} ...",
        total=total,
        console=Console(stderr=True),
        transient=True,
    )
