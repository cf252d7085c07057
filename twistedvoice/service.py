# -*- test-case-name: tests.test_service -*-
"""The service as Twisted and systemd see it: starts, reloads, drains, ends.

SIGTERM ends it through ``stopService``: no new call is taken, live calls may end by
themselves for a while, the rest are ended, every recording and record is finished, and
then nothing is left. SIGHUP reads the configuration again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from .config import Config
from .errors import ConfigError
from .logs import LogOutput
from .routing import Routes
from .systemd import Notify, Watchdog, watchdog_usec
from .wiring import House

__all__ = ["SWITCH_INTERVAL_SECONDS", "VoiceService"]

_log = Logger()

#: How long a thread may keep the interpreter from the reactor. At Python's own 5 ms one
#: busy thread ruins every call; see docs/architecture.
SWITCH_INTERVAL_SECONDS = 0.0001
#: After a drain, what ending calls and finishing their files may take.
_FINISH_SECONDS = 20.0


class VoiceService(Service):
    """One process of twistedvoice."""

    def __init__(
        self,
        reactor: Any,
        house: House,
        *,
        log_output: LogOutput,
        reload: Callable[[Config], tuple[Config, Routes]],
        environ: Mapping[str, str],
    ) -> None:
        """
        :param reload: reads the configuration again and makes its agents ready; slow,
            called in a thread with the configuration that holds now.
        """
        self._reactor = reactor
        self.house = house
        self.log_output = log_output
        self._reload = reload
        self._ports: list[IListeningPort] = []
        self._notify = Notify(environ)
        self._watchdog: Watchdog | None = None
        period_usec = watchdog_usec(environ, os.getpid())
        if period_usec is not None:
            self._watchdog = Watchdog(reactor, self._notify, self._alive, period_usec)
        self._pulse = (-1, -1)
        self._old_sighup: Any = None

    def setServiceParent(self, parent: Any) -> None:
        if isinstance(parent, Componentized):
            # twistd asks the application where to log, unless its options say.
            parent.setComponent(ILogObserver, self.log_output)
        super().setServiceParent(parent)

    # -- start ---------------------------------------------------------------------

    def startService(self) -> None:
        """
        Listen, and begin to work.

        :raises Exception: when an endpoint cannot be listened on.
        """
        super().startService()
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        house, config = self.house, self.house.config
        self._listen(config.admin_listen, house.admin_site)
        self._listen(config.listen, house.public_site)
        house.admission.start()
        house.watcher.startService()
        house.probe.startService()
        if house.local is not None:
            house.local.startService()
        self._old_sighup = signal.signal(signal.SIGHUP, self._hung_up)
        if self._watchdog is not None:
            self._watchdog.start()
        house.store.places_taken(now=house.services.wall()).addCallbacks(
            self._ready, self._failed
        )

    def _listen(self, description: str, site: Any) -> None:
        failed: list[Failure] = []
        listening = serverFromString(self._reactor, description).listen(site)
        listening.addCallbacks(self._ports.append, failed.append)
        for failure in failed:
            failure.raiseException()

    def _ready(self, places: int) -> None:
        _log.info(
            "taking calls on {listen}; {places} places are taken",
            listen=self.house.config.listen,
            places=places,
        )
        self._notify.ready()

    def _failed(self, failure: Failure) -> None:
        _log.failure("the store cannot be used; ending", failure)
        self._reactor.stop()

    def _alive(self) -> bool:
        """Whether the reactor and, with calls on it, the schedule moved on."""
        house = self.house
        before, self._pulse = self._pulse, (house.probe.beats, house.schedule.turns)
        moved = (now != then for now, then in zip(self._pulse, before, strict=True))
        beats, turns = moved
        return beats and (turns or not len(house.schedule))

    # -- reload ------------------------------------------------------------------------

    def _hung_up(self, number: int, frame: object) -> None:
        self._reactor.callFromThread(self.reload)

    def reload(self) -> Deferred[None]:
        """Read the configuration again; what is wrong with it changes nothing."""
        self._notify.reloading(int(self._reactor.seconds() * 1_000_000))
        reading = self.house.work.defer(self._reload, self.house.config)
        reading.addCallbacks(self._reloaded, self._not_reloaded)
        return reading.addCallback(lambda _: self._notify.ready())

    def _reloaded(self, result: tuple[Config, Routes]) -> None:
        config, routes = result
        can, cannot = self.house.config.changed(config)
        self.house.apply(config, routes)
        self.log_output.set_level(config.log.level)
        _log.info("reloaded: {keys}", keys=", ".join(can) or "nothing changed")
        if cannot:
            _log.warn("only a new process can change {keys}", keys=", ".join(cannot))

    def _not_reloaded(self, failure: Failure) -> None:
        if isinstance(failure.value, ConfigError):
            for problem in failure.value.problems:
                _log.error("not reloaded: {problem}", problem=problem)
        else:
            _log.failure("not reloaded", failure)

    # -- stop ----------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """:returns: fires when every call has ended and nothing is left."""
        super().stopService()
        self._notify.stopping()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        house = self.house
        house.admission.close_gate()
        _log.info("draining {calls} calls", calls=len(house.switchboard))
        await self._in_time(house.switchboard.idle(), house.config.drain_seconds)
        house.switchboard.end_all("drained")
        await self._in_time(house.switchboard.idle(), _FINISH_SECONDS)
        await gatherResults([_stop_listening(port) for port in self._ports])
        self._ports.clear()
        if house.local is not None:
            await house.local.stopService()
        house.watcher.stopService()
        house.probe.stopService()
        house.admission.stop()
        if self._watchdog is not None:
            self._watchdog.stop()
        signal.signal(signal.SIGHUP, self._old_sighup or signal.SIG_DFL)
        await house.dispose()

    async def _in_time(self, waiting: Deferred[None], seconds: float) -> None:
        try:
            await waiting.addTimeout(seconds, self._reactor)
        except defer.TimeoutError:
            _log.info("{calls} calls are still live", calls=len(self.house.switchboard))


def _stop_listening(port: IListeningPort) -> Deferred[None]:
    stopped = port.stopListening()
    return stopped if isinstance(stopped, Deferred) else succeed(None)
