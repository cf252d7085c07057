# -*- test-case-name: tests.bench.test_disturbance -*-
"""What happens to a service from within its own process, in a test of what it bears.

Stalls of the reactor, as careless code or a slow page of memory makes them; a thread
that computes in Python; and a meter that counts what the process holds. None of it is
part of the service: :mod:`.child` puts it beside one.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import IO, Any

from twisted.internet.task import LoopingCall

from .machine import usage

__all__ = ["Meter", "busy_thread", "holdings", "stall_lengths", "stalls"]

#: Shares of the longest stall, in the order in which they come.
_SHARES = (1.0, 0.25, 0.75, 0.5, 1.0)


def stall_lengths(longest_ms: float) -> Iterator[float]:
    """:returns: seconds, for ever; every few of them the longest."""
    return cycle([longest_ms * share / 1000 for share in _SHARES])


def stalls(
    clock: Any,
    longest_ms: float,
    every_ms: float,
    sleep: Callable[[float], object] = time.sleep,
) -> LoopingCall:
    """:returns: what keeps the reactor from all else, now and then, until stopped."""
    lengths = stall_lengths(longest_ms)
    stalling = LoopingCall(lambda: sleep(next(lengths)) and None)
    stalling.clock = clock
    stalling.start(every_ms / 1000, now=False)
    return stalling


def busy_thread() -> threading.Event:
    """
    Start a thread that computes in Python.

    :returns: set it to stop the thread; else that ends with the process.
    """
    enough = threading.Event()

    def compute() -> None:
        number = 1
        while not enough.is_set():
            for _ in range(1000):
                number = number * 1_103_515_245 % 2_147_483_647

    threading.Thread(target=compute, daemon=True, name="busy").start()
    return enough


def holdings() -> dict[str, int]:
    """:returns: what this process holds once all rubbish is gone."""
    rubbish = gc.collect()
    return {
        "rubbish": rubbish,
        "objects": len(gc.get_objects()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "rss_kib": usage(os.getpid()).rss_kib,
    }


class Meter:
    """Answers each line that comes in with one of JSON: what the process holds."""

    def __init__(
        self,
        call_from_thread: Callable[..., object],
        asked: IO[str] | None = None,
        answers: IO[str] | None = None,
        count: Callable[[], dict[str, int]] = holdings,
    ) -> None:
        """:param call_from_thread: has the reactor call a function."""
        self._call_from_thread = call_from_thread
        self._asked = asked or sys.stdin
        self._answers = answers or sys.stdout
        self._count = count

    def start(self) -> None:
        """Answer from now on, in a thread that waits for questions."""
        threading.Thread(target=self.run, daemon=True, name="meter").start()

    def run(self) -> None:
        """Answer until there are no more questions."""
        for _ in self._asked:
            self._call_from_thread(self._answer)

    def _answer(self) -> None:
        self._answers.write(json.dumps(self._count()) + "\n")
        self._answers.flush()
