"""Tests for :mod:`twistedvoice.simulator.service`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.test.iosim import ConnectionCompleter
from twisted.trial.unittest import SynchronousTestCase

import twistedvoice
from twistedvoice.errors import SimulationError
from twistedvoice.simulator.service import (
    DRAIN_SECONDS,
    START_SECONDS,
    ServiceProcess,
    child_environ,
    free_port,
    is_up,
    start_service,
)


class Child:
    """A child process and its transport, without a process."""

    def __init__(self, protocol: ServiceProcess) -> None:
        self.protocol = protocol
        self.signals: list[str] = []
        self.gone = False

    def signalProcess(self, name: str) -> None:
        """Note the signal; a child that is gone gets none."""
        if self.gone:
            raise ProcessExitedAlready
        self.signals.append(name)

    def end(self, exit_code: int | None = 0, signal: int | None = None) -> None:
        """The child ends."""
        self.gone = True
        status = (
            ProcessTerminated(exit_code, signal)
            if exit_code or signal
            else ProcessDone(0)
        )
        self.protocol.processEnded(Failure(status))


class Machine(Clock):
    """A clock that can start children."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[tuple[Sequence[str], Mapping[str, str]]] = []
        self.children: list[Child] = []

    def spawnProcess(
        self, protocol: Any, program: str, command: Sequence[str], env: dict[str, str]
    ) -> None:
        """Start a child that does nothing by itself."""
        self.commands.append((command, env))
        child = Child(protocol)
        protocol.transport = child
        self.children.append(child)


class StartTests(SynchronousTestCase):
    """Starting a service."""

    def setUp(self) -> None:
        """A service that is being started."""
        self.machine = Machine()
        self.up = False
        self.started = Deferred.fromCoroutine(
            start_service(self.machine, ["--agent=prompt"], {"A": "b"}, self.ask)
        )
        (self.child,) = self.machine.children
        self.addCleanup(self.close)

    def close(self) -> None:
        """Let a test that waits for nothing leave nothing behind."""
        self.started.addErrback(lambda failure: None).cancel()
        if not self.child.gone:
            self.child.end()

    async def ask(self) -> bool:
        """:returns: whether the service is up."""
        return self.up

    def test_command(self) -> None:
        """This interpreter runs this package's command, not a stray one."""
        ((command, environ),) = self.machine.commands
        self.assertEqual(
            command,
            [sys.executable, "-P", "-m", "twistedvoice", "serve", "--agent=prompt"],
        )
        self.assertEqual(environ, {"A": "b"})

    def test_up(self) -> None:
        """It has started once it says that it is up."""
        self.machine.pump([0.1] * 5)
        self.assertNoResult(self.started)
        self.up = True
        self.machine.advance(0.1)
        self.assertIs(self.successResultOf(self.started), self.child.protocol)
        self.assertEqual(self.machine.getDelayedCalls(), [])

    def test_ends_instead(self) -> None:
        """A service that ends is an error with the end of its log."""
        self.child.protocol.outReceived(b"reading\nno such ag")
        self.child.protocol.errReceived(b"ent: promt\n")
        self.child.end(1)
        self.machine.advance(0.1)
        error = self.failureResultOf(self.started, SimulationError).value
        self.assertIn("ended with 1", str(error))
        self.assertIn("reading\nno such agent: promt", str(error))
        self.assertEqual(self.machine.getDelayedCalls(), [])

    def test_never_up(self) -> None:
        """A service that is never up is stopped, and that is an error."""
        self.machine.pump([0.1] * (int(START_SECONDS * 10) + 1))
        self.assertEqual(self.child.signals, ["TERM"])
        self.child.end(0)
        error = self.failureResultOf(self.started, SimulationError).value
        self.assertIn("was not up in 20 s", str(error))

    def test_given_up(self) -> None:
        """When nobody waits any more the service is stopped first."""
        self.started.cancel()
        self.assertEqual(self.child.signals, ["TERM"])
        self.assertNoResult(self.started)
        self.child.end(0)
        self.failureResultOf(self.started)
        self.assertEqual(self.machine.getDelayedCalls(), [])


class StopTests(SynchronousTestCase):
    """Stopping a service."""

    def setUp(self) -> None:
        """A service that runs."""
        self.machine = Machine()
        service = ServiceProcess()
        self.machine.spawnProcess(service, "", [], {})
        (self.child,) = self.machine.children
        self.service = service

    def test_drains(self) -> None:
        """It is asked to finish, and its exit code is told."""
        stopped = Deferred.fromCoroutine(self.service.stop(self.machine))
        self.assertEqual(self.child.signals, ["TERM"])
        self.assertNoResult(stopped)
        self.child.end(0)
        self.assertEqual(self.successResultOf(stopped), 0)
        self.assertEqual(self.machine.getDelayedCalls(), [])

    def test_hangs(self) -> None:
        """One that does not finish in time is killed, and the code says so."""
        stopped = Deferred.fromCoroutine(self.service.stop(self.machine))
        self.machine.advance(DRAIN_SECONDS)
        self.assertEqual(self.child.signals, ["TERM", "KILL"])
        self.child.end(None, 9)
        self.assertEqual(self.successResultOf(stopped), -9)

    def test_gone_already(self) -> None:
        """One that is gone is not signalled, however often it is stopped."""
        self.child.end(3)
        for _ in range(2):
            stopped = Deferred.fromCoroutine(self.service.stop(self.machine))
            self.assertEqual(self.successResultOf(stopped), 3)
        self.assertEqual(self.child.signals, [])

    def test_waiting_given_up(self) -> None:
        """Who stops waiting for the end does not disturb the others."""
        given_up, patient = self.service.ended(), self.service.ended()
        given_up.cancel()
        self.failureResultOf(given_up)
        self.child.end(0)
        self.successResultOf(patient)

    def test_log_is_bounded(self) -> None:
        """Only the end of a long log is kept."""
        for number in range(1000):
            self.service.outReceived(b"line %d\n" % number)
        lines = self.service.last_lines().splitlines()
        self.assertEqual(lines[-1], "line 999")
        self.assertLess(len(lines), 50)


class EnvironTests(SynchronousTestCase):
    """What the child gets from our environment."""

    def test_settings_stay_out(self) -> None:
        """Settings, secrets and systemd's sockets of this process are not its own."""
        ours = {
            "PATH": "/bin",
            "TWISTEDVOICE_MAX_CALLS": "0",
            "TWISTEDVOICE_AUTH_TOKEN": "old",
            "NOTIFY_SOCKET": "@x",
            "LISTEN_FDS": "2",
        }
        environ = child_environ(ours, "new")
        self.assertEqual(
            set(environ), {"PATH", "PYTHONPATH", "TWISTEDVOICE_AUTH_TOKEN"}
        )
        self.assertEqual(environ["TWISTEDVOICE_AUTH_TOKEN"], "new")

    def test_same_package(self) -> None:
        """The child imports the package that this process runs."""
        environ = child_environ({"PYTHONPATH": "/elsewhere"}, "token")
        above = str(Path(twistedvoice.__file__).parents[1])
        self.assertEqual(environ["PYTHONPATH"].split(os.pathsep), [above, "/elsewhere"])


class AskTests(SynchronousTestCase):
    """Asking whether a service is up."""

    def test_given_up(self) -> None:
        """Who waits no longer for the answer is not told that there is none yet."""
        for connects in (False, True):
            reactor: Any = MemoryReactorClock()
            reactor.listenTCP(8000, Factory.forProtocol(Protocol))
            asked = Deferred.fromCoroutine(is_up(reactor, "http://127.0.0.1:8000/"))
            if connects:
                ConnectionCompleter(reactor).succeedOnce()
            self.assertNoResult(asked)
            asked.cancel()
            self.failureResultOf(asked, CancelledError)


class FreePortTests(SynchronousTestCase):
    """Where the service listens."""

    def test_can_be_taken(self) -> None:
        """The port is one that a program may listen on."""
        self.assertIn(free_port(), range(1024, 65536))
