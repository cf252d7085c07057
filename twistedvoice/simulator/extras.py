# -*- test-case-name: tests.simulator.test_extras -*-
"""Whether the packages are there that only ``call`` and ``demo`` need.

A service runs without them, so they are not installed with it. The command line asks
here before it imports what draws pictures and prints tables.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from ..errors import SimulationError

__all__ = ["require_extras"]

_NEEDED = ("matplotlib", "rich")


def require_extras(find: Callable[[str], object | None] = find_spec) -> None:
    """:raises SimulationError: saying what is missing and how to get it."""
    missing = [name for name in _NEEDED if find(name) is None]
    if missing:
        raise SimulationError(
            f"this command needs {' and '.join(missing)}:"
            " pip install 'twistedvoice[demo]'"
        )
