# -*- test-case-name: tests.test_scanning -*-
"""Finds the scanner in C, where it was built.

It has a few functions that run for every frame that a carrier sends (``ext/scan.c``).
Each is written in Python too, where it belongs: that is what it must do, and what runs
where there was no compiler, or where ``TWISTEDVOICE_PURE=1`` asks for it. The variable
is no setting: it counts when the process starts, and when twistedvoice is built.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

__all__ = ["SWITCH", "fastest", "scanner"]

SWITCH = "TWISTEDVOICE_PURE"

_Function = TypeVar("_Function", bound=Callable[..., Any])


def scanner(environ: Mapping[str, str]) -> ModuleType | None:
    """:returns: the module in C; None without one, or when it is not wanted."""
    if environ.get(SWITCH) == "1":
        return None
    try:
        return import_module(f"{__package__}._scan")
    except ImportError:
        return None


_found = scanner(os.environ)


def fastest(name: str, pure: _Function) -> _Function:
    """:returns: what the scanner in C calls ``name``, else ``pure``."""
    function: _Function = getattr(_found, name, pure)
    return function
