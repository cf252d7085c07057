"""Tests of ``twistedvoice.heap``, in a process of its own each."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from .sources import ROOT

#: Eight threads allocate at the same time; then the C library tells its heaps.
_SCRIPT = """
import ctypes, sys, threading
from twistedvoice.heap import share_heap
if sys.argv[1] == "shared":
    share_heap()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = [ctypes.c_size_t]
together = threading.Barrier(8)
def allocate():
    together.wait()
    for _ in range(100):
        library.malloc(10_000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


def heaps(how: str) -> int:
    """:returns: how many heaps the C library made for eight threads."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    told = subprocess.run(
        [sys.executable, "-c", _SCRIPT, how],
        env={**inherited, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    return told.stdout.count("<heap ")


@skipUnless(hasattr(ctypes.CDLL(None), "mallopt"), "not the GNU C library")
class HeapTests(SynchronousTestCase):
    """How many heaps a process has."""

    def test_one_for_all(self) -> None:
        """Threads share one heap, where each would have its own."""
        self.assertEqual(heaps("shared"), 1)
        self.assertGreater(heaps("own"), 1)
