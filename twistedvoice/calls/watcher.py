# -*- test-case-name: tests.calls.test_watcher -*-
"""The flag watcher: sees what the tick left behind, from a callback of its own [RC-1].

Ten times a second it looks at every live call. What it finds it hands on: the first
frame sent to the observers, who start their work in threads; a failure, a stall or
room in the queue to the call. The schedule knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..interfaces import CallObserver
from ..realtime.schedule import microseconds
from .call import Call

__all__ = ["LOOK_SECONDS", "FlagWatcher"]

_log = Logger()

LOOK_SECONDS = 0.1


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
        self._seen: set[Call] = set()
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def startService(self) -> None:
        super().startService()
        self._loop.start(LOOK_SECONDS, now=False)

    def stopService(self) -> None:
        super().stopService()
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        now_us = microseconds(self._clock)
        seen, self._seen = self._seen, set()
        for call in self._calls:
            if call.stream.flags.first_audio_sent_us is not None:
                self._seen.add(call)
                if call not in seen:
                    self._guarded(call, self._first_audio)
            self._guarded(call, lambda call: call.look(now_us))

    def _first_audio(self, call: Call) -> None:
        assert call.record is not None
        for observer in self._observers:
            observer.first_audio_sent(call.record)

    def _guarded(self, call: Call, look: Callable[[Call], None]) -> None:
        try:
            look(call)
        except Exception:  # one call's fault must not stop the watching of the others
            _log.failure("while looking at {call_id}", call_id=call.call_id)
