# -*- test-case-name: tests.recording.test_writer -*-
"""The writer process: puts the recordings of one service on the disk.

:mod:`.process` starts it, with a socket for each of its threads. It does what it is
told, answers, and ends when the service closes the sockets or dies; what is then not
finished it finishes as a recovery would. It needs neither Twisted nor numpy.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from ..formats import AudioFormat
from .part import PartFile
from .pulse import answer
from .wire import Answer, Facts, Line, Order, batch_of

__all__ = ["Desk", "main"]

#: So many containers more than there were: what orders are made of is freed without the
#: garbage collector.
_GC_THRESHOLD = 100_000
#: The service's own work goes before, where both want one core.
_NICENESS = 5
#: That is not enough: once it runs, the kernel lets it run for milliseconds. So it
#: rests before it has had one, and the service goes on.
_AT_ONCE = 3
_REST_SECONDS = 0.00005


class Desk:
    """The parts that are being written, by number."""

    def __init__(self) -> None:
        self._parts: dict[int, PartFile] = {}
        self._verbs: Mapping[str, Callable[..., None]] = {
            "open": self._open,
            "append": self._append,
            "finish": self._finish,
            "discard": self._discard,
        }

    def do(self, order: Order) -> Answer:
        """:returns: what ``order`` came to; whatever happens, it is an answer."""
        number, verb, args = order
        try:
            self._verbs[verb](number, *args)
        except Exception as error:  # goes to who gave the order
            answer = Answer.of(self._facts(number), error)
        else:
            answer = Answer(self._facts(number))
        if verb in ("finish", "discard"):
            self._parts.pop(number, None)
        return answer

    def abandon(self) -> None:
        """Finish what there is: the service is gone."""
        for part in self._parts.values():
            with suppress(Exception):  # then it waits for the next recovery
                part.abandon()

    def _open(
        self,
        number: int,
        state: Sequence[int],
        path: str,
        encoding: Any,
        rate: int,
        options: Mapping[str, Any],
    ) -> None:
        known = self._parts.get(number)
        if known is not None and known.path is not None:
            return  # it was asked again, since another process died in between
        part = PartFile(Path(path), AudioFormat(encoding, rate), **options)
        self._parts[number] = part
        part.resume(state)

    def _append(self, number: int, values: Sequence[Any]) -> None:
        batch = batch_of(values)
        assert batch is not None, "only what is finished may have none"
        self._parts[number].append(batch)

    def _finish(self, number: int, values: Sequence[Any] | None) -> None:
        self._parts[number].finish(batch_of(values))

    def _discard(self, number: int) -> None:
        self._parts[number].discard()

    def _facts(self, number: int) -> Facts:
        part = self._parts.get(number)
        if part is None:
            return Facts()
        path = None if part.path is None else str(part.path)
        counts = (part.duration_ms, part.late_frames, part.dropped_frames)
        proof = (part.chain, part.seal)
        return Facts(path, *counts, part.lost, part.state, *proof)


def main(descriptors: Sequence[str]) -> None:
    """
    Serve the sockets of these descriptors until they are closed.

    :param descriptors: first the one for the pulse, then one for each line.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Those are for the service, whose end is ours.
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # a sandbox may forbid it
        os.nice(_NICENESS)
    gc.set_threshold(_GC_THRESHOLD)
    desk = Desk()
    pulse, *ends = [socket.socket(fileno=int(each)) for each in descriptors]
    lines = [Line(end) for end in ends]
    threads = [Thread(target=_serve, args=(line, desk)) for line in lines]
    for thread in threads:
        thread.start()
    answer(pulse)
    for thread in threads:
        thread.join()
    desk.abandon()


def _serve(line: Line, desk: Desk) -> None:
    # A service that is killed does not wait for its answer.
    with suppress(EOFError, OSError):
        while True:
            line.send(list(_answers(desk, line.receive())))


def _answers(desk: Desk, orders: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for number, values in enumerate(orders):
        if number and number % _AT_ONCE == 0:
            time.sleep(_REST_SECONDS)
        yield desk.do(Order(*values)).bare()


if __name__ == "__main__":
    main(sys.argv[1:])
