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
from .mixer import Batch
from .part import PartFile
from .pulse import answer
from .spool import Record, Ref, read_batch, records, remove, unwritten
from .wire import LAST_VERBS, Answer, Facts, Line, Order, batch_of

__all__ = ["Desk", "main"]

#: So many containers more than there were: what orders are made of is freed without the
#: garbage collector.
_GC_THRESHOLD = 100_000
#: The service's own work goes before, where both want one core.
_NICENESS = 5
#: That is not enough: once it runs, the kernel lets it run for milliseconds. So it
#: rests after each of several orders, and the service goes on.
_REST_SECONDS = 0.008


class Desk:
    """
    The parts that are being written, by number.

    :param spool: where the batches lie that orders refer to, and ...
    :param link: what shows it, None for none.
    """

    def __init__(self, spool: Path, link: Path | None = None) -> None:
        self._parts: dict[int, PartFile] = {}
        self._spool, self._link = spool, link
        self._verbs: Mapping[str, Callable[..., None]] = {
            "open": self._open,
            "append": self._append,
            "finish": self._finish,
            "fail": self._fail,
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
        if verb in LAST_VERBS:
            self._parts.pop(number, None)
        return answer

    def abandon(self, spooled: Mapping[Path, Sequence[Record]]) -> bool:
        """
        Finish what there is: the service is gone.

        :param spooled: what it may not have told of.
        :returns: whether all of it is whole; else it waits for the next recovery.
        """
        whole = True
        for part in self._parts.values():
            try:
                part.abandon(*unwritten(spooled.get(part.final, ()), part.batches))
            except Exception:  # the others shall be finished all the same
                whole = False
        return whole

    def _open(
        self,
        number: int,
        opened: bool,
        path: str,
        encoding: Any,
        rate: int,
        options: Mapping[str, Any],
    ) -> None:
        known = self._parts.get(number)
        if known is not None and known.path is not None:
            return  # it was asked again, since another process died in between
        form = AudioFormat(encoding, rate)
        part = PartFile(Path(path), form, spool=self._link, **options)
        self._parts[number] = part
        part.resume(opened=opened)

    def _append(self, number: int, *args: Any) -> None:
        part = self._parts[number]
        part.append(*self._batches(part, *args))

    def _finish(self, number: int, *args: Any) -> None:
        part = self._parts[number]
        part.finish(*self._batches(part, *args))

    def _fail(self, number: int) -> None:
        self._parts[number].fail()

    def _discard(self, number: int) -> None:
        self._parts[number].discard()

    def _batches(
        self,
        part: PartFile,
        first: int,
        refs: Sequence[Sequence[int]],
        values: Sequence[Any],
    ) -> list[Batch]:
        """
        :param first: how many batches were before those that are spooled.
        :returns: those that were not appended yet by a process that died in between.
        """
        known = max(0, part.batches - first)
        batches = [read_batch(self._spool, Ref(*ref)) for ref in refs[known:]]
        if known <= len(refs):
            batches.append(batch_of(values))
        return batches

    def _facts(self, number: int) -> Facts:
        part = self._parts.get(number)
        if part is None:
            return Facts()
        path = None if part.path is None else str(part.path)
        counts = (part.duration_ms, part.late_frames, part.dropped_frames)
        proof = (part.chain, part.seal)
        return Facts(path, *counts, part.lost, part.batches, *proof)


def main(folder: str, link: str, *descriptors: str) -> None:
    """
    Serve the sockets of these descriptors until they are closed.

    :param folder: where the spool is, and ...
    :param link: what shows it; both empty for none. See :class:`.spool.Spool`.
    :param descriptors: first the one for the pulse, then one for each line.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Those are for the service, whose end is ours.
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # a sandbox may forbid it
        os.nice(_NICENESS)
    gc.set_threshold(_GC_THRESHOLD)
    desk = Desk(Path(folder), Path(link) if link else None)
    pulse, *ends = [socket.socket(fileno=int(each)) for each in descriptors]
    lines = [Line(end) for end in ends]
    threads = [Thread(target=_serve, args=(line, desk)) for line in lines]
    for thread in threads:
        thread.start()
    answer(pulse)
    for thread in threads:
        thread.join()
    spooled = records(Path(folder), Path(link)) if folder else {}
    if desk.abandon(spooled) and folder:
        remove(Path(folder), Path(link))


def _serve(line: Line, desk: Desk) -> None:
    # A service that is killed does not wait for its answer.
    with suppress(EOFError, OSError):
        while True:
            line.send(list(_answers(desk, line.receive())))


def _answers(desk: Desk, orders: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for number, values in enumerate(orders):
        if number:
            time.sleep(_REST_SECONDS)
        yield desk.do(Order(*values)).bare()


if __name__ == "__main__":
    main(*sys.argv[1:])
