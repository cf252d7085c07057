# -*- test-case-name: tests.test_lag -*-
"""The reactor-lag probe: how late the reactor is, and which code made it late [OB-3].

The reactor beats; a daemon thread listens twenty times a second at most. While a beat
is overdue the thread looks at the reactor thread's stack and notes the place, so that
the culprit is named while it is at it. Nothing is printed or logged from the thread: a
later beat tells, when the reactor is itself again, and not more than once in five
seconds: a reactor that is late has no time to log.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from .metrics import LATENESS_BOUNDS_US, Histogram

__all__ = ["LagProbe"]

_log = Logger()

_BEAT_SECONDS = 0.05
#: A beat this late has been felt by every call.
_LATE_SECONDS = 0.02
_MOST_CULPRITS = 100
#: The log is told this often at most.
_QUIET_SECONDS = 5.0


class LagProbe(Service):
    """Measures the reactor from beside it."""

    def __init__(
        self,
        clock: IReactorTime,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        frames: Callable[[], dict[int, FrameType]] = sys._current_frames,
    ) -> None:
        """
        :param monotonic: must read the same clock as ``clock``.
        :param frames: the running frame of each thread.
        """
        self._clock = clock
        self._monotonic = monotonic
        self._frames = frames
        self._next: IDelayedCall | None = None
        self._due = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._watched = 0
        self._news: str | None = None
        self._quiet_until = 0.0
        #: Late beats that the log was not told of yet: how many, and the worst.
        self._untold = 0
        self._worst = (0.0, "")
        #: How late each beat was, in microseconds.
        self.lateness = Histogram(LATENESS_BOUNDS_US)
        #: How often each place was caught while a beat was overdue.
        self.culprits: Counter[str] = Counter()
        self.beats = 0

    def startService(self) -> None:
        super().startService()
        self._watched = threading.get_ident()
        self._schedule(self._clock.seconds())
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._listen, name="twistedvoice-lag", daemon=True
        )
        self._thread.start()

    def stopService(self) -> None:
        super().stopService()
        beat, self._next = self._next, None
        if beat is not None:
            beat.cancel()
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _schedule(self, now: float) -> None:
        # Always a whole beat from now: a LoopingCall would come sooner after a late
        # one, and its lateness would be lost.
        self._due = now + _BEAT_SECONDS
        self._next = self._clock.callLater(_BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        now = self._clock.seconds()
        late = now - self._due
        self._schedule(now)
        self.beats += 1
        self.lateness.observe(max(0, int(late * 1_000_000)))
        culprit, self._news = self._news, None
        if culprit is not None:
            self._untold += 1
            self._worst = max(self._worst, (late, culprit))
        if self._untold and now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            self._tell()

    def _tell(self) -> None:
        late, culprit = self._worst
        _log.warn(
            "the reactor was {late_ms} ms late, in {culprit}; late beats: {beats}",
            late_ms=round(late * 1000),
            culprit=culprit,
            beats=self._untold,
        )
        self._untold, self._worst = 0, (0.0, "")

    def _listen(self) -> None:
        while not self._stop.wait(_BEAT_SECONDS):
            self.listen()

    def listen(self) -> None:
        """Look once whether a beat is overdue, and at what; called from the thread."""
        if self._monotonic() - self._due <= _LATE_SECONDS:
            return
        frame = self._frames().get(self._watched)
        if frame is not None:
            culprit = _place(frame)
            if culprit in self.culprits or len(self.culprits) < _MOST_CULPRITS:
                self.culprits[culprit] += 1
            self._news = culprit


def _place(frame: FrameType) -> str:
    """:returns: the innermost frame, as ``file:function:line``."""
    code = frame.f_code
    folder, _, name = code.co_filename.rpartition("/")
    package = folder.rpartition("/")[2]
    return f"{package}/{name}:{code.co_name}:{frame.f_lineno}"
