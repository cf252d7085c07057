# -*- test-case-name: tests.test_ci -*-
"""Whether a wheel holds the files of the package: all of them, and no others.

``python3 .ci/wheel.py WHEEL`` names what is missing (data that setup.cfg forgot) and
what is strange (a module that was removed, but lay in ``build/`` still).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

__all__ = ["packaged", "problems"]


def packaged(checkout: Path) -> set[str]:
    """:returns: the files of the package in a checkout, by their names in a wheel."""
    files = (
        path.relative_to(checkout)
        for folder in ("twistedvoice", "twisted")
        for path in (checkout / folder).rglob("*")
        if path.is_file()
    )
    return {
        path.as_posix()
        for path in files
        if "__pycache__" not in path.parts and path.name != "dropin.cache"
    }


def problems(wheel: Path, expected: set[str]) -> Iterator[str]:
    """:returns: a sentence for each file that is missing or strange."""
    with ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    yield from (f"{name} is not in the wheel" for name in sorted(expected - names))
    yield from (f"{name} is in the wheel alone" for name in sorted(names - expected))


if __name__ == "__main__":
    checkout = Path(__file__).parents[1]
    found = list(problems(Path(sys.argv[1]), packaged(checkout)))
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    sys.exit(1 if found else 0)
