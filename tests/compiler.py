"""Builds the scanner in C for the tests, wherever there is a compiler.

Tests run from the source, where nothing is compiled; and what an installation has may
not be what the source says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType

from twisted.trial.unittest import SkipTest

from .sources import ROOT

__all__ = ["scanner", "scanner_folder"]


@cache
def scanner_folder() -> Path:
    """
    Compile the scanner, once in a process.

    :returns: the folder that it is in, for a package's ``__path__``.
    :raises SkipTest: where there is nothing to compile it with.
    :raises AssertionError: when the compiler says anything at all.
    """
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    include = sysconfig.get_path("include")
    if shutil.which(compiler[0]) is None:
        raise SkipTest(f"the scanner needs a C compiler, and {compiler[0]} is not here")
    if not Path(include, "Python.h").is_file():
        raise SkipTest("the scanner needs the headers of Python, which are not here")
    folder = Path(mkdtemp(prefix="scanner-", dir=Path.cwd()))
    options = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", f"-I{include}"]
    options += ["-DPy_LIMITED_API=0x030B0000", "-o", str(folder / "_scan.abi3.so")]
    done = subprocess.run(
        [*compiler, *options, str(ROOT / "ext" / "scan.c")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return folder


@cache
def scanner() -> ModuleType:
    """
    :returns: the scanner, of this source.
    :raises SkipTest: where there is nothing to compile it with.
    """
    path = scanner_folder() / "_scan.abi3.so"
    spec = spec_from_file_location("twistedvoice._scan", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
