# -*- test-case-name: tests.integration.test_writer -*-
"""Has the parts of recordings written by a process of its own.

To put the two sides of a call together takes a tenth of a millisecond or two, more than
once a second. In a thread the reactor waits for the interpreter meanwhile, at each
frame that it reads or sends; beside another process it does not. When that process dies
another one goes on where it was, and what was not answered is asked again; one that
hangs is killed. What is spooled is, like the watch, in the reactor and blocks nothing;
what is done with files or the process blocks and is called in worker threads.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any

from attrs import define, field
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..formats import AudioFormat
from .mixer import Batch
from .parts import Job, Part
from .pulse import Pulse
from .spool import Record, Ref, Spool
from .wire import LAST_VERBS, Answer, Facts, Line, Order, WriterError, plain

__all__ = ["WriterProcess"]

#: How long is waited after each process that died of an order, or did not start, in
#: seconds; sound waits in memory meanwhile. When one more dies the order has failed.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)
#: How long a process may take for what is left when it shall end.
_LAST_SECONDS = 10.0
#: So many batches of a part are spooled at most.
_MOST_SPOOLED = 20

_log = Logger()


class WriterProcess:
    """
    Writes parts in a process of its own.

    Implements :class:`.parts.Parts`.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        pause: Callable[[float], object],
        *,
        lines: int,
        recordings: Path,
        memory: Path,
    ) -> None:
        """
        :param environ: the environment of the process.
        :param pause: blocks for so many seconds.
        :param lines: how many threads may ask at the same time.
        :param recordings: the folder of the recordings.
        :param memory: a folder whose files are in memory; where there is none, each
            batch is written at once.
        """
        self._environ = dict(environ)
        self._pause = pause
        self._line_count = lines
        self._recordings, self._memory = recordings, memory
        self._spool: Spool | None = None
        self._numbers = count()
        self._lock = Lock()
        self._running: _Running | None = None
        self._stopped = False
        #: Those that another process would have to go on with, by number.
        self._open: dict[int, _RemotePart] = {}

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        running = self._running
        return None if running is None else running.pid

    def start(self) -> None:
        """Start the process; where that cannot be, the first order tries again."""
        with suppress(OSError):
            self._start()

    def new(self, path: Path, format: AudioFormat, **options: Any) -> _RemotePart:  # noqa: A002
        """:returns: one over there."""
        about = (str(path), format.encoding, format.rate, options)
        name = os.path.relpath(path, self._recordings)
        return _RemotePart(self, next(self._numbers), name, about)

    def do_all(self, jobs: Sequence[Job]) -> list[Any]:
        """Do all in one message; the jobs are methods of parts that were made here."""
        works: list[Any] = [job.work for job in jobs]
        parts = [work.__self__ for work in works]
        try:
            answers = self.ask(
                [
                    part.order(work.__name__, *job.args)
                    for part, work, job in zip(parts, works, jobs, strict=True)
                ]
            )
        except OSError:
            for part in parts:
                part.failed()
            return [Failure()] * len(jobs)
        results = [
            part.result(answer) for part, answer in zip(parts, answers, strict=True)
        ]
        if self._spool is not None:
            self._spool.trim()
        return results

    def spool(self, part: Part, batch: Batch) -> bool:
        """Put the batch where the process, or a recovery, finds it."""
        assert isinstance(part, _RemotePart), "made here"
        return self._spool is not None and part.spool(self._spool, batch)

    def ask(self, orders: Sequence[Order]) -> Sequence[Answer]:
        """
        Have ``orders`` carried out, by another process if this one dies of it.

        :raises OSError: when none survives, or can be started.
        """
        try:
            for pause in _PAUSES:
                try:
                    return self._asked(orders)
                except OSError:
                    if self._stopped:
                        raise
                self._pause(pause)
            return self._asked(orders)
        finally:
            for order in orders:
                if order.verb in LAST_VERBS:
                    self._open.pop(order.number, None)

    def watch(self) -> None:
        """
        Kill the process when it hangs, so that who waits for it need not.

        Where nothing is being recorded, no sound stays in memory.
        """
        if self._spool is not None and not self._open:
            self._spool.rest()
        running = self._running
        if running is not None and running.hangs():
            _log.error("the writer process hangs; it is killed")
            running.signal_kill()

    def opens(self, part: _RemotePart) -> None:
        """``part`` has files, or will have them in a moment."""
        self._open[part.number] = part

    def stop(self) -> None:
        """Let the process finish what is left, and end."""
        with self._lock:
            running, self._running = self._running, None
            self._stopped = True
        if running is not None and not running.end():
            _log.error("the writer process hangs; left")
        elif self._spool is not None:
            self._spool.close()

    def _asked(self, orders: Sequence[Order]) -> Sequence[Answer]:
        """:raises OSError: when the process dies, or none starts."""
        opened_now = {order.number for order in orders if order.verb == "open"}
        running = self._start()
        others = [
            part
            for number, part in self._open.copy().items()
            if number not in opened_now
        ]
        try:
            running.resume(others)
            return running.ask(orders)
        except (EOFError, OSError) as error:
            self._replace(running)
            why = "the writer process died again and again"
            raise OSError(errno.EPIPE, why) from error

    def _start(self) -> _Running:
        with self._lock:
            if self._stopped:
                raise OSError(errno.ESHUTDOWN, "the service has ended")
            if self._running is None:
                # Before it, so that no process is referred to one it was not told of.
                self._spool = self._spool or self._new_spool()
                self._running = _Running(self._environ, self._line_count, self._spool)
            return self._running

    def _new_spool(self) -> Spool | None:
        with suppress(OSError):
            return Spool(self._recordings, self._memory, self._oldest)
        return None

    def _oldest(self) -> int | None:
        """:returns: the oldest segment of the spool that is still needed."""
        needed = [part.oldest for part in self._open.copy().values()]
        return min((each for each in needed if each is not None), default=None)

    def _replace(self, dead: _Running) -> None:
        with self._lock:
            if self._running is not dead:
                return  # another thread saw it first
            # Another one can take over when it has let go of its files.
            dead.kill()
            self._running = None
        _log.error("the writer process died; another one goes on")


@define(eq=False)
class _RemotePart:
    """A part in the writer process; implements :class:`.parts.Part`."""

    _writer: WriterProcess
    number: int
    _name: str
    #: With the key that recordings are sealed with.
    _about: tuple[Any, ...] = field(repr=False)
    _facts: Facts = field(factory=Facts)
    #: Where batches lie that it was not told of, in order.
    _spooled: tuple[Ref, ...] = ()

    @property
    def oldest(self) -> int | None:
        """In which segment of the spool the first of its batches is; None if none."""
        spooled = self._spooled
        return spooled[0].segment if spooled else None

    @property
    def path(self) -> Path | None:
        return None if self._facts.path is None else Path(self._facts.path)

    @property
    def duration_ms(self) -> int:
        return self._facts.duration_ms

    @property
    def late_frames(self) -> int:
        return self._facts.late_frames

    @property
    def dropped_frames(self) -> int:
        return self._facts.dropped_frames

    @property
    def lost(self) -> Sequence[tuple[int, int]]:
        return self._facts.lost

    @property
    def chain(self) -> str:
        return self._facts.chain

    @property
    def seal(self) -> str:
        return self._facts.seal

    def open(self) -> None:
        self._do("open")

    def append(self, batch: Batch) -> None:
        self._do("append", batch)

    def finish(self, last: Batch) -> None:
        self._do("finish", last)

    def fail(self) -> None:
        self._do("fail")

    def discard(self) -> None:
        self._do("discard")

    def spool(self, spool: Spool, batch: Batch) -> bool:
        """See :meth:`.parts.Parts.spool`."""
        if len(self._spooled) == _MOST_SPOOLED:
            return False
        number = self._facts.batches + len(self._spooled)
        _, encoding, rate, _ = self._about
        ref = spool.add(Record(self._name, encoding, rate, number, plain(batch)))
        if ref is None:
            return False
        self._spooled += (ref,)
        return True

    def order(self, verb: str, *batch: Batch) -> Order:
        """:returns: what is asked of the process when a method is called."""
        if verb == "open":
            self._writer.opens(self)
            return self.resumption()
        if not batch:
            return Order(self.number, verb, ())
        refs = [tuple(ref) for ref in self._spooled]
        return Order(self.number, verb, (self._facts.batches, refs, plain(*batch)))

    def resumption(self) -> Order:
        """:returns: what a process must know before it can do anything else."""
        opened = self._facts.path is not None
        return Order(self.number, "open", (opened, *self._about))

    def result(self, answer: Answer) -> Failure | None:
        """Take note of an answer. :returns: what the method raises."""
        self._facts = answer.facts
        self._spooled = ()
        try:
            answer.check()
        except (OSError, WriterError):
            return Failure()
        return None

    def failed(self) -> None:
        """No process answers: what was spooled keeps no memory till the call ends."""
        self._spooled = ()

    def _do(self, verb: str, *args: Any) -> None:
        try:
            [answer] = self._writer.ask([self.order(verb, *args)])
        except OSError:
            self.failed()
            raise
        failure = self.result(answer)
        if failure is not None:
            failure.raiseException()


class _Running:
    """One process, and a line to it for each thread that may ask."""

    def __init__(
        self, environ: Mapping[str, str], lines: int, spool: Spool | None
    ) -> None:
        pairs = [socket.socketpair() for _ in range(lines + 1)]
        theirs = [end.fileno() for _, end in pairs]
        # -P: what happens to lie in the working directory is none of its modules.
        module = [sys.executable, "-P", "-m", "twistedvoice.recording.writer"]
        where = ("", "") if spool is None else (str(spool.folder), str(spool.link))
        locked = [] if spool is None else [spool.lock.fileno()]
        self._process = subprocess.Popen(  # noqa: S603 - words of our own
            [*module, *where, *map(str, theirs)],
            pass_fds=[*theirs, *locked],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
        )
        self.pid = self._process.pid
        for _, end in pairs:
            end.close()
        self._pulse = Pulse(pairs[0][0])
        self._lines = [Line(end) for end, _ in pairs[1:]]
        self._free: SimpleQueue[Line] = SimpleQueue()
        for line in self._lines:
            self._free.put(line)
        self._resuming = Lock()
        self._resumed = False

    def ask(self, orders: Sequence[Order]) -> list[Answer]:
        """:raises EOFError: or an ``OSError``, when the process is gone."""
        line = self._free.get()
        try:
            line.send([tuple(order) for order in orders])
            return [Answer(Facts(*facts), error) for facts, error in line.receive()]
        finally:
            self._free.put(line)

    def resume(self, parts: Sequence[_RemotePart]) -> None:
        """Tell a new process of the parts of the one before; once."""
        with self._resuming:
            if self._resumed:
                return
            for answer in self.ask([part.resumption() for part in parts]):
                if answer.error is not None:
                    _log.error("a recording cannot go on: {why}", why=answer.error[1])
            self._resumed = True

    def hangs(self) -> bool:
        """:returns: whether it has not answered for too long, once; does not block."""
        return self._pulse.beat()

    def signal_kill(self) -> None:
        """Have it end, without waiting for that."""
        self._process.kill()

    def kill(self) -> None:
        """
        End it now: it may live on without one of its lines.

        One that waits for the disk ends when that answers; nothing could be written
        before.
        """
        self._process.kill()
        self._process.wait()
        self._close()

    def end(self) -> bool:
        """:returns: whether it ended in time once it had nothing more to do."""
        self._close()
        try:
            self._process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _close(self) -> None:
        self._pulse.close()
        for line in self._lines:
            line.close()
