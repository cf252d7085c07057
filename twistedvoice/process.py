# -*- test-case-name: tests.test_service tests.test_parent -*-
"""What each of our processes is to twistd and to the system: log, signals, exit code.

:mod:`.service` answers calls on top of this, and :mod:`.parent` has others do it. How
they begin, and what must end before the process may, is their own.
"""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from .errors import ConfigError
from .logs import LogOutput
from .systemd import Notify, Watchdog, watchdog_usec

__all__ = ["ProcessService"]

_log = Logger()


class ProcessService(Service, ABC):
    """The service that a process is."""

    def __init__(
        self,
        reactor: Any,
        *,
        log_output: LogOutput,
        notify: Notify,
        environ: Mapping[str, str],
    ) -> None:
        """
        :param notify: who is told how it goes.
        :param environ: says whether a watchdog is to be fed.
        """
        self._reactor = reactor
        self.log_output = log_output
        self._notify = notify
        self._watchdog: Watchdog | None = None
        period_usec = watchdog_usec(environ, os.getpid())
        if period_usec is not None:
            self._watchdog = Watchdog(reactor, notify, self.alive, period_usec)
        self._old_handlers: dict[signal.Signals, Any] = {}
        #: Whether it ended because it could not work.
        self.failed = False

    @abstractmethod
    def alive(self) -> bool:
        """:returns: whether work went on since the last time this was asked."""

    @abstractmethod
    def reload(self) -> object:
        """Read the configuration again; what is wrong with it changes nothing."""

    @abstractmethod
    def hurry(self) -> None:
        """Wait for no call any more: somebody has asked a second time."""

    @abstractmethod
    async def finish(self) -> None:
        """End the work: let calls end, and leave nothing behind."""

    def setServiceParent(self, parent: Any) -> None:
        if isinstance(parent, Componentized):
            # twistd asks the application where to log, unless its options say.
            parent.setComponent(ILogObserver, self.log_output)
        super().setServiceParent(parent)

    def startService(self) -> None:
        super().startService()
        self._on_signal(signal.SIGHUP, self.reload)
        if self._watchdog is not None:
            self._watchdog.start()

    def stopService(self) -> Deferred[None]:
        """:returns: fires when the work has ended and nothing is left."""
        super().stopService()
        self._notify.stopping()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._on_signal(number, self.hurry)
        return Deferred.fromCoroutine(self._stop())

    def fail(self) -> None:
        """End the process, which cannot work; its exit code will say so."""
        self.failed = True
        self.stop_reactor()

    def stop_reactor(self) -> None:
        """End the process, unless a signal does so at this moment."""
        with suppress(ReactorNotRunning):
            self._reactor.stop()

    def not_reloaded(self, failure: Failure) -> None:
        """Log why the configuration that was read again is not used."""
        if isinstance(failure.value, ConfigError):
            for problem in failure.value.problems:
                _log.error("not reloaded: {problem}", problem=problem)
        else:
            _log.failure("not reloaded", failure)

    async def _stop(self) -> None:
        await self.finish()
        if self._watchdog is not None:
            self._watchdog.stop()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        _log.info("stopped; nothing is left")

    def _on_signal(self, number: signal.Signals, act: Callable[[], object]) -> None:
        def arrived(number: int, frame: object) -> None:
            self._reactor.callFromThread(act)

        before = signal.signal(number, arrived)
        self._old_handlers.setdefault(number, before)
