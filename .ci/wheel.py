# -*- test-case-name: tests.test_ci -*-
"""Whether a wheel holds the files of the package: all of them, and no others.

``python3 .ci/wheel.py WHEEL`` names what is missing (data that setup.cfg forgot) and
what is strange (a module that was removed, but lay in ``build/`` still). Where there is
a compiler, the scanner in C must be in it, unless the wheel is for any machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

__all__ = ["compiled", "packaged", "problems"]


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
        if "__pycache__" not in path.parts
        and path.name != "dropin.cache"
        and path.suffix != ".so"
    }


def compiled(wheel: Path) -> set[str]:
    """:returns: what the compiler of this machine adds to such a wheel."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    header = Path(sysconfig.get_path("include"), "Python.h")
    is_here = shutil.which(compiler.split()[0]) and header.is_file()
    if wheel.stem.endswith("-any") or not is_here:
        return set()
    return {"twistedvoice/_scan.abi3.so"}


def problems(wheel: Path, expected: set[str]) -> Iterator[str]:
    """:returns: a sentence for each file that is missing or strange."""
    with ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    yield from (f"{name} is not in the wheel" for name in sorted(expected - names))
    yield from (f"{name} is in the wheel alone" for name in sorted(names - expected))


if __name__ == "__main__":
    checkout = Path(__file__).parents[1]
    wheel = Path(sys.argv[1])
    found = list(problems(wheel, packaged(checkout) | compiled(wheel)))
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    sys.exit(1 if found else 0)
