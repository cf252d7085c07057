# -*- test-case-name: tests.test_service -*-
"""The service as Twisted and systemd see it: starts, reloads, drains, ends.

SIGTERM ends it through ``stopService``: no new call is taken, live calls may end by
themselves for a while, the rest are ended, every recording and record is finished, and
then nothing is left. SIGHUP reads the configuration again.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred, succeed
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

__all__ = ["SWITCH_INTERVAL_SECONDS", "CannotListen", "VoiceService"]

_log = Logger()

#: How long a thread may keep the interpreter from the reactor. At Python's own 5 ms one
#: busy thread ruins every call; see docs/architecture.
SWITCH_INTERVAL_SECONDS = 0.0001
#: After a drain, what ending calls and finishing their files may take.
_FINISH_SECONDS = 20.0


class CannotListen(SystemExit, Exception):
    """
    Ends the process with one line for the operator.

    twistd prints a traceback of what is no ``SystemExit``, and a daemon tells only of
    an ``Exception`` to who started it.
    """


class VoiceService(Service):
    """One process of twistedvoice."""

    def __init__(
        self,
        reactor: Any,
        house: House,
        *,
        log_output: LogOutput,
        reload: Callable[[Config], tuple[Config, Routes, list[str]]],
        environ: Mapping[str, str],
    ) -> None:
        """
        :param reload: reads the configuration again and makes its agents ready; slow,
            called in a thread with the configuration that holds now. It also names
            the keys that only a new process can change.
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
        self._old_handlers: dict[signal.Signals, Any] = {}
        #: Whether it ended because it could not work.
        self.failed = False

    def setServiceParent(self, parent: Any) -> None:
        if isinstance(parent, Componentized):
            # twistd asks the application where to log, unless its options say.
            parent.setComponent(ILogObserver, self.log_output)
        super().setServiceParent(parent)

    # -- start ---------------------------------------------------------------------

    def startService(self) -> None:
        """
        Listen, and begin to work.

        :raises CannotListen: when an endpoint cannot be used.
        """
        super().startService()
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        house, config = self.house, self.house.config
        self._listen(config.listen, house.public_site)
        self._listen(config.admin_listen, house.admin_site)
        house.admission.start()
        house.overload.start()
        house.watcher.startService()
        house.probe.startService()
        if house.local is not None:
            house.local.startService()
        self._on_signal(signal.SIGHUP, self.reload)
        if self._watchdog is not None:
            self._watchdog.start()
        house.store.places_taken(now=house.services.wall()).addCallbacks(
            self._ready, self._failed
        )

    def _listen(self, description: str, site: Any) -> None:
        problems: list[Failure] = []
        listening = maybeDeferred(_listening, self._reactor, description, site)
        listening.addCallbacks(self._ports.append, problems.append)
        for failure in problems:
            raise CannotListen(
                f"twistedvoice: cannot listen on {description}: {_reason(failure)}"
            )

    def _on_signal(self, number: signal.Signals, act: Callable[[], object]) -> None:
        def arrived(number: int, frame: object) -> None:
            self._reactor.callFromThread(act)

        self._old_handlers[number] = signal.signal(number, arrived)

    def _ready(self, places: int) -> None:
        if not self.running:
            return
        public, admin = (_address(port) for port in self._ports)
        _log.info(
            "taking calls on {public}; the admin port is {admin}",
            public=public,
            admin=admin,
        )
        if places:
            _log.info("{places} places are taken already", places=places)
        # What there is now stays as long as the process. A full collection that looks
        # through it would stop every call for tens of milliseconds.
        gc.collect()
        gc.freeze()
        self.house.is_ready = True
        self._notify.ready()

    def _failed(self, failure: Failure) -> None:
        if not self.running:
            return
        _log.failure("the store cannot be used; ending", failure)
        self.failed = True
        self._reactor.stop()

    def _alive(self) -> bool:
        """Whether the reactor and, with calls on it, the schedule moved on."""
        house = self.house
        if house.schedule.failure is not None:
            return False
        before, self._pulse = self._pulse, (house.probe.beats, house.schedule.turns)
        moved = (now != then for now, then in zip(self._pulse, before, strict=True))
        beats, turns = moved
        return beats and (turns or not len(house.schedule))

    # -- reload ------------------------------------------------------------------------

    def reload(self) -> Deferred[None]:
        """Read the configuration again; what is wrong with it changes nothing."""
        self._notify.reloading(int(self._reactor.seconds() * 1_000_000))
        reading = self.house.work.defer(self._reload, self.house.config)
        reading.addCallback(self._reloaded).addErrback(self._not_reloaded)
        return reading.addCallback(lambda _: self._notify.ready())

    def _reloaded(self, result: tuple[Config, Routes, list[str]]) -> None:
        config, routes, cannot = result
        can, _ = self.house.config.changed(config)
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
        for number in (signal.SIGINT, signal.SIGTERM):
            self._on_signal(number, self.hurry)
        return Deferred.fromCoroutine(self._stop())

    def hurry(self) -> None:
        """End the calls that are still live: somebody has asked a second time."""
        self.house.switchboard.end_all("drained")

    async def _stop(self) -> None:
        house = self.house
        house.admission.close_gate()
        if len(house.switchboard):
            _log.info(
                "draining: {calls} live, at most {seconds} s more;"
                " a second signal ends them at once",
                calls=len(house.switchboard),
                seconds=house.config.drain_seconds,
            )
        await self._in_time(house.switchboard.idle(), house.config.drain_seconds)
        house.switchboard.end_all("drained")
        await self._in_time(house.switchboard.idle(), _FINISH_SECONDS)
        await gatherResults([_stop_listening(port) for port in self._ports])
        self._ports.clear()
        if house.local is not None:
            await self._in_time(house.local.stopService(), _FINISH_SECONDS)
        house.watcher.stopService()
        house.probe.stopService()
        house.admission.stop()
        house.overload.stop()
        if self._watchdog is not None:
            self._watchdog.stop()
        await house.dispose()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        gc.unfreeze()
        _log.info("stopped; nothing is left")

    async def _in_time(self, waiting: Deferred[None], seconds: float) -> None:
        try:
            await waiting.addTimeout(seconds, self._reactor)
        except defer.TimeoutError:
            _log.warn("{calls} calls are still live", calls=len(self.house.switchboard))


def _listening(reactor: Any, description: str, site: Any) -> Any:
    return serverFromString(reactor, description).listen(site)


def _reason(failure: Failure) -> str:
    # Each kind of endpoint has errors of its own.
    problem = getattr(failure.value, "socketError", failure.value)
    return str(getattr(problem, "strerror", None) or problem)


def _address(port: IListeningPort) -> str:
    host: Any = port.getHost()
    if isinstance(host, UNIXAddress):
        return str(host.name and os.fsdecode(host.name))
    return (
        f"[{host.host}]:{host.port}" if ":" in host.host else f"{host.host}:{host.port}"
    )


def _stop_listening(port: IListeningPort) -> Deferred[None]:
    stopped = port.stopListening()
    return stopped if isinstance(stopped, Deferred) else succeed(None)
