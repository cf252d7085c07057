# -*- test-case-name: tests.calls.test_watcher -*-
"""The flag watcher: sees what the tick left behind, from a callback of its own [RC-1].

Ten times a second it looks at every live call, at some of them at a time. What it finds
it hands on: the first frame sent to the observers, who start their work in threads; a
failure, a stall or room in the queue to the call. The schedule knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..interfaces import CallObserver
from ..realtime.schedule import microseconds
from .audience import tell_first_audio
from .call import Call

__all__ = ["LOOK_SECONDS", "FlagWatcher"]

_log = Logger()

LOOK_SECONDS = 0.1
#: In so many parts: to look at a call takes a hundredth of a millisecond.
_PARTS = 5


class FlagWatcher(Service):
    """Looks at the flags of all calls."""

    def __init__(
        self,
        clock: IReactorTime,
        calls: Iterable[Call],
        observers: Sequence[CallObserver],
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._observers = observers
        self._part = 0
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._loop.start(LOOK_SECONDS / _PARTS, now=False)

    def stopService(self) -> None:
        super().stopService()
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        now_us = microseconds(self._clock)
        self._part = (self._part + 1) % _PARTS
        for call in islice(self._calls, self._part, None, _PARTS):
            tell_first_audio(self._observers, call)
            try:
                call.look(now_us)
            except Exception:  # one call's fault must not stop watching the others
                _log.failure("while looking at {call_id}", call_id=call.call_id)
