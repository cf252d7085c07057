# -*- test-case-name: tests.test_parent -*-
"""The parent of the workers: opens their sockets, keeps them alive, speaks for them.

It answers no call and has no real-time code. To its workers it is what systemd is to a
process of its own; to systemd and to operators it is the service: it says when all
workers are ready, passes signals on, and has an admin port for all of them. It shares
no state with them but the sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from .config import Config
from .crew import Crew, Worker
from .doors import address, opened
from .estate import Estate
from .logs import LogOutput
from .ports import listen, stop_listening
from .process import ProcessService
from .service import FINISHING_SECONDS
from .systemd import Notify
from .web.admin import Health, Ready
from .web.client import TreqClient
from .web.merge import MergedMetrics, Source
from .web.site import QuietSite, tree

__all__ = ["ParentService", "WorkerStart"]

_log = Logger()


@frozen(kw_only=True)
class WorkerStart:
    """How a worker is started."""

    #: Told the worker's name and node id.
    command: Callable[[str, str], Sequence[str]]
    environ: Mapping[str, str]


class ParentService(ProcessService):
    """The process that has others answer calls."""

    def __init__(
        self,
        reactor: Any,
        config: Config,
        *,
        client: TreqClient,
        log_output: LogOutput,
        start: WorkerStart,
        reload: Callable[[Config], tuple[Config, list[str]]],
        environ: Mapping[str, str],
    ) -> None:
        """
        :param client: asks the workers for their metrics.
        :param reload: reads the configuration again; also names the keys that only a
            new service can change.
        """
        super().__init__(
            reactor, log_output=log_output, notify=Notify(environ), environ=environ
        )
        self._config = config
        self._client = client
        self._start = start
        self._reload = reload
        self._estate: Estate | None = None
        self._port: IListeningPort | None = None
        self._crew: Crew | None = None
        #: Workers that systemd still waits for: after the start, and after a reload.
        self._awaited: set[str] = set()
        #: Workers that may have read the configuration before it changed.
        self._outdated: set[str] = set()
        self._was_ready = False

    # -- start ---------------------------------------------------------------------

    def startService(self) -> None:
        """
        Listen, and start the workers.

        :raises CannotListen: when an endpoint cannot be used.
        """
        super().startService()
        config = self._config
        estate = self._estate = Estate(self._reactor, config)
        admin = listen(self._reactor, config.admin_listen, self._site())
        self._port = opened("admin_listen", config.admin_listen, admin)
        self._crew = Crew(
            self._reactor,
            [self._worker(estate, number) for number in range(len(estate))],
            kill_seconds=config.drain_seconds + FINISHING_SECONDS,
            ready=self._worker_ready,
            ended=self._worker_ended,
        )
        self._awaited = {worker.name for worker in self._crew}
        self._crew.start()

    def _worker(self, estate: Estate, number: int) -> Worker:
        name = f"w{number + 1}"
        return Worker(
            name=name,
            command=self._start.command(name, f"{self._config.node_id}-{name}"),
            environ=self._start.environ,
            descriptors=estate.descriptors(number),
            admin_port=estate.admin_port(number),
        )

    def _site(self) -> QuietSite:
        pages: dict[str, IResource] = {
            "/health": Health(),
            "/ready": Ready(self._takes_calls),
            "/metrics": MergedMetrics(self._client, self._sources),
        }
        return QuietSite(tree(pages), self._reactor)

    def _takes_calls(self) -> bool:
        return bool(self.running) and any(worker.is_ready for worker in self._workers())

    def alive(self) -> bool:
        """:returns: whether there are workers; one that hangs is killed by itself."""
        return any(worker.is_alive for worker in self._workers())

    def _sources(self) -> list[Source]:
        return [
            Source(
                name=worker.name,
                url=f"http://127.0.0.1:{worker.admin_port}/metrics",
                restarts=max(0, worker.starts - 1),
            )
            for worker in self._workers()
        ]

    def _workers(self) -> list[Worker]:
        return list(self._crew or ())

    # -- from the workers ----------------------------------------------------------

    def _worker_ready(self, worker: Worker) -> None:
        if worker.name in self._outdated:
            self._outdated.discard(worker.name)
            worker.signal("HUP")
        elif worker.name in self._awaited:
            self._no_more_awaited(worker)

    def _no_more_awaited(self, worker: Worker) -> None:
        self._awaited.discard(worker.name)
        if self._awaited or not self.running:
            return
        if not self._was_ready:
            self._was_ready = True
            self._announce()
        self._notify.ready()

    def _announce(self) -> None:
        assert self._estate is not None
        _log.info(
            "taking calls on {public}; the admin port is {admin}; {workers} workers",
            public=self._estate.address,
            admin=address(self._port),
            workers=len(self._estate),
        )

    def _worker_ended(self, worker: Worker) -> None:
        if self.running and not self._was_ready and not self.failed:
            # What keeps the first from starting would keep it from starting again.
            _log.error("not all workers could start; ending")
            self.fail()

    # -- reload --------------------------------------------------------------------

    def reload(self) -> Deferred[None]:
        """Have all workers read the configuration again, unless it is wrong."""
        self._notify.reloading(int(self._reactor.seconds() * 1_000_000))
        reading = maybeDeferred(self._reload, self._config)
        return reading.addCallback(self._reloaded).addErrback(self._not_reloaded)

    def _reloaded(self, result: tuple[Config, list[str]]) -> None:
        self._config, cannot = result
        self.log_output.set_level(self._config.log.level)
        if cannot:
            _log.warn("only a new service can change {keys}", keys=", ".join(cannot))
        if self._crew is not None:
            seconds = self._config.drain_seconds + FINISHING_SECONDS
            self._crew.set_kill_seconds(seconds)
        for worker in self._workers():
            self._awaited.add(worker.name)
            if worker.is_ready:
                worker.signal("HUP")
            else:
                self._outdated.add(worker.name)

    def _not_reloaded(self, failure: Failure) -> None:
        self.not_reloaded(failure)
        self._notify.ready()

    # -- stop ----------------------------------------------------------------------

    def hurry(self) -> None:
        """Have the workers end their calls: somebody has asked a second time."""
        if self._crew is not None:
            self._crew.signal("TERM")

    async def finish(self) -> None:
        """Have every worker end."""
        if self._estate is not None:
            self._estate.leave_public()
        if self._crew is not None:
            await self._crew.stop()
        if self._estate is not None:
            self._estate.close()
        if self._port is not None:
            await stop_listening(self._port)
        await self._client.close()
