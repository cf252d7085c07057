# -*- test-case-name: tests.speech.test_pool -*-
"""Processes that hear or speak, kept alive, and the work that is given to them.

Each is started warm and started again when it dies; one that has fallen silent is
killed. What it had to do fails then, and whoever asked goes on without. Nothing
here blocks: an engine is a pipe to the reactor.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import EngineError
from .wire import Message, Unpacker, pack

__all__ = [
    "EnginePool",
    "Job",
    "command",
    "engine_environ",
    "start_all",
    "stop_all",
]

_log = Logger()

#: From its start, loading included.
_READY_SECONDS = 60.0
#: So long an engine that has something to do may say nothing at all.
_ANSWER_SECONDS = 5.0
#: To its own end, once its input has ended.
_END_SECONDS = 3.0
_RESTART_SECONDS = 1.0
#: How often an engine may die before it was ready, until the start has failed.
_MOST_STARTS = 3
#: More than an engine can do in time is refused.
_MOST_JOBS = 32


def command(role: str) -> list[str]:
    """:returns: what starts an engine: ``hear``, ``transcribe`` or ``speak``."""
    # -P: not a twistedvoice that happens to lie in the current directory.
    return [sys.executable, "-P", "-m", "twistedvoice.speech.engine", role]


def engine_environ(ours: Mapping[str, str], path: Sequence[str]) -> dict[str, str]:
    """
    :param ours: the environment of the service.
    :param path: where the service finds its modules.
    :returns: all that an engine gets of it: no settings, and no secrets.
    """
    environ = {name: ours[name] for name in ("PATH", "LANG") if name in ours}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    # One engine, one core: threads would take the reactor's.
    environ["OMP_NUM_THREADS"] = "1"
    return environ


@define(eq=False)
class Job:
    """Something that one engine does; all of it fails when the engine dies."""

    number: int
    _engine: _Engine = field(repr=False)
    #: Told of each piece of sound.
    on_sound: Callable[[bytes], object] | None = None
    _waiting: deque[Deferred[bytes]] = field(factory=deque, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Tell the engine; dropped when that is gone."""
        self._engine.send(kind, self.number, body)

    def answered(self) -> Deferred[bytes]:
        """
        :returns: fires with the body of the next answer that is no sound and that
            nobody waits for yet; fails with :class:`EngineError` when none comes.
        """
        if self._engine.is_gone:
            return _failed("the engine has died")
        self._waiting.append(Deferred())
        if self._timer is None:
            self._timer = self._engine.call_when_late()
        return self._waiting[-1]

    def wait_on(self) -> None:
        """The engine is alive: its time counts anew."""
        if self._timer is not None and self._timer.active():
            self._timer.reset(_ANSWER_SECONDS)

    def close(self) -> None:
        """Forget it, and have the engine forget it."""
        self._engine.close(self)
        self.fail("no answer is wanted any more")

    def take(self, message: Message) -> None:
        """The engine has answered."""
        if message.kind == b"A":
            if self.on_sound is not None:
                self.on_sound(message.body)
        elif self._waiting:
            answer = self._waiting.popleft()
            self._cancel()
            if self._waiting:
                self._timer = self._engine.call_when_late()
            answer.callback(message.body)

    def fail(self, why: str) -> None:
        """Tell whoever waits that no answer will come."""
        self._cancel()
        waiting, self._waiting = self._waiting, deque()
        for answer in waiting:
            answer.errback(EngineError(why))

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


class _Engine(ProcessProtocol):
    """One process, from its start to its end."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool
        self._unpacker = Unpacker()
        self._made = 0
        self.jobs: dict[int, Job] = {}
        self.is_ready = self.is_gone = False
        self.transport: Any = None

    def connectionMade(self) -> None:
        self.send(b"S", 0, json.dumps(self._pool.set_up).encode())
        self._timer = self._pool.reactor.callLater(_READY_SECONDS, self.kill)

    def outReceived(self, data: bytes) -> None:
        # It works; others of its jobs only wait for their turn.
        for job in self.jobs.values():
            job.wait_on()
        for message in self._unpacker.feed(data):
            if message.kind == b"R":
                self.is_ready = True
                self._cancel()
                self._pool.ready(self)
            elif message.job in self.jobs:
                self.jobs[message.job].take(message)

    def processEnded(self, reason: Failure) -> None:
        self.is_gone = True
        self._cancel()
        # First, so that whoever is told below finds another engine or none.
        self._pool.ended(self)
        jobs, self.jobs = self.jobs, {}
        for job in jobs.values():
            job.fail("the engine has died")

    def begin(self, body: bytes, on_sound: Callable[[bytes], object] | None) -> Job:
        """Give it one more thing to do."""
        self._made += 1
        job = self.jobs[self._made] = Job(self._made, self, on_sound)
        job.send(b"B", body)
        return job

    def close(self, job: Job) -> None:
        if self.jobs.pop(job.number, None) is not None:
            self.send(b"C", job.number)

    def send(self, kind: bytes, job: int, body: bytes = b"") -> None:
        if not self.is_gone:
            self.transport.write(pack(kind, job, body))

    def call_when_late(self) -> Any:
        """:returns: the timer that kills it."""
        return self._pool.reactor.callLater(_ANSWER_SECONDS, self.kill)

    def kill(self) -> None:
        """It hangs."""
        _log.warn("an engine ({role}) does not answer", role=self._pool.role)
        self._signal()

    def end(self) -> None:
        """Ask it to end, and make sure that it does."""
        self.transport.closeStdin()
        self._cancel()
        self._timer = self._pool.reactor.callLater(_END_SECONDS, self._signal)

    def _signal(self) -> None:
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def _cancel(self) -> None:
        if self._timer.active():
            self._timer.cancel()


class EnginePool:
    """All engines of one role."""

    def __init__(
        self,
        reactor: Any,
        role: str,
        *,
        size: int,
        set_up: object,
        most_jobs: int = _MOST_JOBS,
        words: Sequence[str] | None = None,
    ) -> None:
        """
        :param set_up: what each engine must know; plain JSON.
        :param most_jobs: of each engine; more are refused.
        :param words: what starts one; by default :func:`command` of the role.
        """
        self.reactor = reactor
        self.role = role
        self.set_up = set_up
        self._size = size
        self._most_jobs = most_jobs
        self._words = list(words or command(role))
        self._engines: list[_Engine] = []
        self._starting: list[Deferred[None]] = []
        self._starts_left = _MOST_STARTS + size
        self._gone: list[Deferred[None]] = []
        self._restarts: list[IDelayedCall] = []
        self._is_stopping = False

    def start(self) -> Deferred[None]:
        """
        Start all engines.

        :returns: fires when all are ready; fails with :class:`EngineError` when they
            die instead.
        """
        self._starting = [Deferred() for _ in range(self._size)]
        all_ready = _all_of(self._starting)
        for _ in range(self._size):
            self._spawn()
        return all_ready

    def stop(self) -> Deferred[None]:
        """:returns: fires once all engines are gone."""
        self._is_stopping = True
        for restart in self._restarts:
            if restart.active():
                restart.cancel()
        if not self._engines:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._gone.append(waiting)
        for engine in self._engines:
            engine.end()
        return waiting

    def begin(
        self, wanted: object, on_sound: Callable[[bytes], object] | None = None
    ) -> Job:
        """
        Give the least busy engine something to do.

        :param wanted: plain JSON.
        :raises EngineError: when none is there, or all have too much to do.
        """
        ready = [engine for engine in self._engines if engine.is_ready]
        engine = min(ready, key=lambda each: len(each.jobs), default=None)
        if engine is None or len(engine.jobs) >= self._most_jobs:
            raise EngineError("no engine is free")
        return engine.begin(json.dumps(wanted).encode(), on_sound)

    def ready(self, engine: _Engine) -> None:
        """An engine is warm."""
        if self._starting:
            self._starting.pop().callback(None)

    def ended(self, engine: _Engine) -> None:
        """An engine is gone: start another, unless all are to go."""
        self._engines.remove(engine)
        if self._is_stopping:
            if not self._engines:
                waiting, self._gone = self._gone, []
                for waiter in waiting:
                    waiter.callback(None)
            return
        _log.error("an engine ({role}) has died", role=self.role)
        self._starts_left -= not engine.is_ready
        if self._starting and self._starts_left < self._size:
            self._starting.pop().errback(EngineError(f"no engine can {self.role}"))
            return
        self._restarts = [timer for timer in self._restarts if timer.active()]
        self._restarts.append(self.reactor.callLater(_RESTART_SECONDS, self._spawn))

    def _spawn(self) -> None:
        engine = _Engine(self)
        self._engines.append(engine)
        self.reactor.spawnProcess(
            engine,
            self._words[0],
            self._words,
            env=engine_environ(os.environ, sys.path),
            childFDs={0: "w", 1: "r", 2: 2},
        )


def start_all(pools: Iterable[EnginePool]) -> Deferred[None]:
    """:returns: fires when all are ready; fails with :class:`EngineError`."""
    return _all_of([pool.start() for pool in pools])


def stop_all(pools: Iterable[EnginePool]) -> Deferred[None]:
    """:returns: fires once all are gone."""
    return _all_of([pool.stop() for pool in pools])


def _failed(what: str) -> Deferred[bytes]:
    failed: Deferred[bytes] = Deferred()
    failed.errback(EngineError(what))
    return failed


def _all_of(waiting: Sequence[Deferred[None]]) -> Deferred[None]:
    """:returns: fires when all have; fails as the first that does."""
    gathered = gatherResults(waiting, consumeErrors=True)
    return gathered.addCallbacks(lambda _: None, lambda f: f.value.subFailure)
