# -*- test-case-name: tests.test_service -*-
"""The service as Twisted and systemd see it: starts, reloads, drains, ends.

SIGTERM ends it through ``stopService``: no new call is taken, live calls may end by
themselves for a while, the rest are ended, every recording and record is finished, and
then nothing is left. SIGHUP reads the configuration again.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from .agents.workshop import Surroundings, open_all
from .config import Config
from .doors import Doors
from .heap import share_heap
from .logs import LogOutput
from .process import ProcessService
from .routing import Routes
from .systemd import Notify
from .wiring import House

__all__ = ["FINISHING_SECONDS", "SWITCH_INTERVAL_SECONDS", "VoiceService"]

_log = Logger()

#: How long a thread may keep the interpreter from the reactor. At Python's own 5 ms one
#: busy thread ruins every call; see docs/architecture.
SWITCH_INTERVAL_SECONDS = 0.0001
#: After a drain, what ending calls and finishing their files may take.
_FINISH_SECONDS = 20.0
#: After the public port was left to others, who came before may still get a place. The
#: site closes what is idle before that.
_LEAVING_SECONDS = 16.0
_LOOK_SECONDS = 0.1
#: The longest a stop can take beside the drain: leaving, calls, recordings, threads.
FINISHING_SECONDS = _LEAVING_SECONDS + 2 * _FINISH_SECONDS + 15.0


class VoiceService(ProcessService):
    """One process that answers calls."""

    def __init__(
        self,
        reactor: Any,
        house: House,
        *,
        log_output: LogOutput,
        reload: Callable[[Config], tuple[Config, Routes, list[str]]],
        environ: Mapping[str, str],
        doors: Doors | None = None,
        notify: Notify | None = None,
    ) -> None:
        """
        :param reload: reads the configuration again and makes its agents ready; slow,
            called in a thread with the configuration that holds now. It also names
            the keys that only a new process can change.
        :param doors: where it listens; by default where its configuration says.
        :param notify: who is told how it goes; by default systemd.
        """
        super().__init__(
            reactor,
            log_output=log_output,
            notify=notify or Notify(environ),
            environ=environ,
        )
        self.house = house
        self._reload = reload
        self._doors = doors or Doors(reactor, house.config)
        self._leaves_port = house.config.share_port
        self._pulse = (-1, -1)
        self._hurried = False

    # -- start ---------------------------------------------------------------------

    def startService(self) -> None:
        """
        Listen, and begin to work.

        :raises CannotListen: when an endpoint cannot be used.
        """
        super().startService()
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        share_heap()
        house = self.house
        self._doors.open(house.public_site, house.admin_site)
        house.admission.start()
        house.overload.start()
        house.watcher.startService()
        house.probe.startService()
        house.keeping.start()
        if house.routes.workshops:
            house.admission.close_gate()  # until their engines are warm
        Deferred.fromCoroutine(self._open()).addCallbacks(self._ready, self._failed)

    async def _open(self) -> int:
        """:returns: how many places are taken, once store and agents are there."""
        house = self.house
        places = await house.store.places_taken(now=house.services.wall())
        await self._open_workshops(house.routes)
        return places

    def _open_workshops(self, routes: Routes) -> Deferred[None]:
        house = self.house
        kept = house.config.store != "memory:"
        surroundings = Surroundings(
            reactor=self._reactor,
            defer_to_thread=house.work.defer,
            cache=Path(house.config.store).parent / "speech" if kept else None,
        )
        return open_all(routes.workshops, surroundings)

    def _ready(self, places: int) -> None:
        if not self.running:
            return
        self._doors.announce()
        if places:
            _log.info("{places} places are taken already", places=places)
        # What there is now stays as long as the process. A full collection that looks
        # through it would stop every call for tens of milliseconds.
        gc.collect()
        gc.freeze()
        self.house.admission.open_gate()
        self.house.is_ready = True
        self._notify.ready()

    def _failed(self, failure: Failure) -> None:
        if not self.running:
            return
        _log.failure("the store or an agent cannot be used; ending", failure)
        self.fail()

    def alive(self) -> bool:
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
        reading.addCallback(self._open_anew).addCallback(self._reloaded)
        reading.addErrback(self.not_reloaded)
        return reading.addCallback(lambda _: self._notify.ready())

    def _open_anew(
        self, result: tuple[Config, Routes, list[str]]
    ) -> Deferred[tuple[Config, Routes, list[str]]]:
        opening = self._open_workshops(result[1])
        return opening.addCallback(lambda _: result)

    def _reloaded(self, result: tuple[Config, Routes, list[str]]) -> None:
        config, routes, cannot = result
        can, _ = self.house.config.changed(config)
        for workshop in self.house.routes.workshops:
            workshop.close_workshop().addErrback(self.not_reloaded)
        self.house.apply(config, routes)
        self.log_output.set_level(config.log.level)
        _log.info("reloaded: {keys}", keys=", ".join(can) or "nothing changed")
        if cannot:
            _log.warn("only a new process can change {keys}", keys=", ".join(cannot))

    # -- stop ----------------------------------------------------------------------

    def hurry(self) -> None:
        """End the calls that are still live: somebody has asked a second time."""
        self._hurried = True
        self.house.switchboard.end_all("drained")

    def abandon(self) -> None:
        """
        Drain, and leave the public port at once: the parent of this worker is gone.

        Nobody would start this process again, nor ask it how it goes; whatever starts
        the service anew must find the port free.
        """
        if self.running:
            self._leaves_port = True
            _log.error("the parent is gone; draining")
            self.stop_reactor()
        else:
            # It drains already, but perhaps with its port open.
            self._doors.leave()

    async def finish(self) -> None:
        """Let calls end, and leave nothing behind."""
        house = self.house
        if self._leaves_port:
            await self._leave_port()
        house.admission.close_gate()
        if len(house.switchboard):
            _log.info(
                "draining: {calls} live, at most {seconds} s more;"
                " a second signal ends them at once",
                calls=len(house.switchboard),
                seconds=house.config.drain_seconds,
            )
        drain_seconds = 0.0 if self._hurried else house.config.drain_seconds
        await self._in_time(house.switchboard.idle(), drain_seconds)
        house.switchboard.end_all("drained")
        await self._in_time(house.switchboard.idle(), _FINISH_SECONDS)
        await self._doors.close()
        await self._in_time(house.keeping.stop(), _FINISH_SECONDS)
        house.watcher.stopService()
        house.probe.stopService()
        house.admission.stop()
        house.overload.stop()
        await house.dispose()
        gc.unfreeze()

    async def _leave_port(self) -> None:
        """Let new callers reach others; those who came here are not sent away."""
        site = self.house.public_site
        self.house.is_ready = site.keep_alive = False
        self._doors.leave()
        _log.info("left the port to others")
        latest = self._reactor.seconds() + _LEAVING_SECONDS
        while site.connections() and self._reactor.seconds() < latest:
            await deferLater(self._reactor, _LOOK_SECONDS)

    async def _in_time(self, waiting: Deferred[None], seconds: float) -> None:
        try:
            await waiting.addTimeout(seconds, self._reactor)
        except defer.TimeoutError:
            _log.warn("{calls} calls are still live", calls=len(self.house.switchboard))
