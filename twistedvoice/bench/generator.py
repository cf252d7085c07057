# -*- test-case-name: tests.bench.test_generator -*-
"""A process that plays the carrier of many calls.

``python -m twistedvoice.bench.generator`` reads a job from its standard input, and
writes a tally to its output. One loop, one epoll set, and an absolute schedule: each
call speaks every 20 ms, all calls spread evenly over that time. It measures itself too:
when it is late, what it saw is worth nothing.
"""

from __future__ import annotations

import gc
import heapq
import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..formats import FRAME_MS
from .carrier import Carrier, Log
from .speech import Speech
from .tally import Job, Tally

__all__ = ["Generator", "main"]

_PERIOD_NS = FRAME_MS * 1_000_000
#: The loop sleeps to the next of these, for few calls and for many: waking for each
#: frame would cost more than the frames do.
_QUANTA_NS = (100_000, 250_000)
_MANY = 200
#: How many calls speak before what came is read.
_BURST = 64
#: What calls may take to end.
_FAREWELL_NS = 3_000_000_000


class Generator:
    """Many carriers on one loop."""

    def __init__(
        self,
        job: Job,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        *,
        poll: Any = None,
        new_socket: Callable[[], Any] = socket.socket,
    ) -> None:
        """
        :param clock: monotonic, in nanoseconds.
        :param poll: an ``epoll``, by default a new one.
        """
        self._job = job
        self._clock = clock
        self._sleep = sleep
        self._speech = Speech()
        self._log = Log()
        self._poll = poll or select.epoll()
        self._new_socket = new_socket
        #: Who is at each place of the schedule, and when in the period it speaks.
        self._seats: list[Carrier | None] = [None] * len(job.indices)
        self._phases = [_PERIOD_NS * i // job.all_calls for i in job.indices]
        self._quantum_ns = _QUANTA_NS[len(job.indices) > _MANY]
        self._seat = 0
        self._cycle_ns = job.begin_ns
        self._made, self._total = 0, job.calls
        self._carriers: dict[int, Carrier] = {}
        self._finished: list[Carrier] = []
        self._marks: list[tuple[int, int, Carrier]] = []
        self._late_ns: list[int] = []
        self._batch_ns: list[int] = []

    def run(self) -> Tally:
        """:returns: what became of all calls, once they have ended."""
        clock, job, quantum_ns = self._clock, self._job, self._quantum_ns
        while not self._is_over(now_ns := clock()):
            self._log.measuring = job.from_ns <= now_ns < job.to_ns
            due_ns = self._speak()
            if self._marks:
                self._give_marks_back()
            events = self._read()
            now_ns = clock()
            if events < _BURST and due_ns > now_ns:
                self._sleep((quantum_ns - now_ns % quantum_ns) / 1e9)
        self._poll.close()
        return self._tally()

    def _is_over(self, now_ns: int) -> bool:
        if now_ns >= self._job.to_ns + _FAREWELL_NS:
            return True
        return self._made == self._total and not self._carriers

    # -- the schedule ------------------------------------------------------------------

    def _speak(self) -> int:
        """
        Let everyone speak whose time has come, but not too many at once.

        :returns: when the next is due.
        """
        clock, seats, phases = self._clock, self._seats, self._phases
        late_ns = self._late_ns if self._log.measuring else None
        seat = self._seat
        due_ns = self._cycle_ns + phases[seat]
        for _ in range(_BURST):
            now_ns = clock()
            if due_ns > now_ns:
                break
            carrier = seats[seat]
            if carrier is not None and carrier.open and now_ns < carrier.leaves_ns:
                carrier.speak(now_ns)
                if late_ns is not None:
                    late_ns.append(now_ns - due_ns)
            else:
                self._visit(seat, carrier, now_ns)
            seat += 1
            if seat == len(seats):
                seat = 0
                self._cycle_ns += _PERIOD_NS
            due_ns = self._cycle_ns + phases[seat]
        self._seat = seat
        return due_ns

    def _visit(self, seat: int, carrier: Carrier | None, now_ns: int) -> None:
        """Begin or end a call; nothing while one connects or leaves."""
        if carrier is None or carrier.gone:
            self._take(seat, carrier is None, now_ns)
        elif carrier.open:
            carrier.hang_up()

    def _take(self, seat: int, first: bool, now_ns: int) -> None:
        """Begin a call here, when one is left to make and its time has come."""
        job = self._job
        if self._made == self._total or now_ns >= job.to_ns:
            return
        index = job.indices[seat]
        if first and now_ns < job.begin_ns + index * job.apart_ns:
            return
        carrier = Carrier(
            job,
            # No two calls have the same number, and each first one its own.
            index if first else index + job.all_calls * self._made,
            self._speech,
            self._log,
            remind=self._remind,
            ended=self._forget,
            new_socket=self._new_socket,
        )
        self._made += 1
        self._seats[seat] = carrier
        self._carriers[carrier.descriptor] = carrier
        carrier.connect()
        self._poll.register(carrier.descriptor, select.EPOLLOUT)

    # -- what comes --------------------------------------------------------------------

    def _read(self) -> int:
        """:returns: from how many calls something came."""
        events = self._poll.poll(0, _BURST)
        woke_ns = self._clock()
        for descriptor, happened in events:
            carrier = self._carriers[descriptor]
            if happened & select.EPOLLOUT:
                self._poll.modify(descriptor, select.EPOLLIN)
                carrier.connected()
            else:
                carrier.read(self._clock())
        if events and self._log.measuring:
            self._batch_ns.append(self._clock() - woke_ns)
        return len(events)

    def _forget(self, carrier: Carrier) -> None:
        # Its socket is closed, which took it out of the set.
        del self._carriers[carrier.descriptor]
        if self._job.call_ms is None:
            self._finished.append(carrier)

    def _remind(self, due_ns: int, carrier: Carrier) -> None:
        heapq.heappush(self._marks, (due_ns, id(carrier), carrier))

    def _give_marks_back(self) -> None:
        now_ns = self._clock()
        while self._marks and self._marks[0][0] <= now_ns:
            heapq.heappop(self._marks)[2].give_marks_back(now_ns)

    # -- afterwards --------------------------------------------------------------------

    def _tally(self) -> Tally:
        tally = self._log.tally
        for carrier in list(self._carriers.values()):
            tally.counts["did not end"] += 1
            carrier.leave()
        window = self._job.from_ns, self._job.to_ns
        tally.heard(carrier.ear.heard(*window) for carrier in self._finished)
        tally.counts["spoken"] = len(self._late_ns)
        tally.echo_ms = _milliseconds(self._log.echo_ns)
        tally.answer_ms = _milliseconds(self._log.answer_ns)
        tally.late_ms = _milliseconds(self._late_ns)
        tally.batch_ms = _milliseconds(self._batch_ns)
        return tally


def _milliseconds(times_ns: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return (np.array(times_ns, np.int64) / 1e6).astype(np.float32)


def main() -> None:
    """Do one job."""
    gc.disable()
    # Sleep as long as asked for, not up to 50 us longer.
    with suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1", "ascii")
    job = Job.from_json(sys.stdin.buffer.readline())
    sys.stdout.buffer.write(Generator(job).run().to_bytes())


if __name__ == "__main__":
    main()
