# -*- test-case-name: tests.test_heap -*-
"""One heap for all threads of the process.

By default the C library gives each thread that allocates a heap of its own, up to eight
a core, and what has once been freed there no other thread gets: each that hands on
recordings held what the largest of its messages took. The interpreter lets one thread
work at a time, so they hardly wait for each other. Heaps that are there already stay.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

__all__ = ["share_heap"]

#: From <malloc.h> of the GNU C library.
_M_ARENA_MAX = -8


def share_heap() -> None:
    """Have threads use one heap from now on, where the C library can be told."""
    with suppress(AttributeError):  # not the GNU library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
