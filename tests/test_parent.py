"""Tests for :mod:`twistedvoice.parent`, in virtual time and with real sockets."""

from __future__ import annotations

import io
import os
import signal
import socket
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tests.house import settings
from tests.processes import Process, ProcessReactor
from tests.web.doors import Doors
from twistedvoice.config import Config
from twistedvoice.doors import CannotListen
from twistedvoice.errors import ConfigError
from twistedvoice.logs import LogOutput
from twistedvoice.parent import ParentService, WorkerStart
from twistedvoice.web.client import TreqClient
from twistedvoice.web.site import QuietSite

__all__ = ["PagesTests", "ReloadTests", "StartTests", "StopTests"]

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class ParentTestCase(SynchronousTestCase):
    """A parent of two workers."""

    def setUp(self) -> None:
        """A socket as systemd has it, and no parent yet."""
        self.reactor = ProcessReactor()
        for number in _SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.config = self.wanted()
        self.next: Config | Exception = self.config
        name = f"twistedvoice-test-{os.getpid()}-{id(self)}"
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.setblocking(False)
        self.ear.bind(f"\0{name}")
        self.environ = {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "3000000"}

    def wanted(self, **options: Any) -> Config:
        """:returns: a configuration for two workers."""
        usual: dict[str, Any] = {
            "workers": "2",
            "listen": "tcp:0:interface=127.0.0.1",
            "admin_listen": "tcp:8099:interface=127.0.0.1",
            "store": "never-made.sqlite",
            "drain_seconds": "2",
        }
        return settings(**(usual | options))

    def parent(self, environ: Mapping[str, str] | None = None) -> ParentService:
        """:returns: a parent that was not started."""
        self.log = io.StringIO()
        return ParentService(
            self.reactor,
            self.config,
            client=TreqClient(self.reactor, request=self.no_answer),
            log_output=LogOutput(self.log, format="text"),
            start=WorkerStart(
                command=lambda name, node_id: ["python", name, node_id],
                environ={"A": "b"},
            ),
            reload=self.read_again,
            environ=self.environ if environ is None else environ,
        )

    def started(self) -> ParentService:
        """:returns: a parent whose workers were started; all end with the test."""
        parent = self.parent()
        parent.startService()
        self.addCleanup(self.end, parent)
        return parent

    def ready(self) -> ParentService:
        """:returns: a parent whose workers are ready."""
        parent = self.started()
        for process in self.reactor.processes:
            process.says("READY=1\n")
        self.heard()
        return parent

    def end(self, parent: ParentService) -> None:
        """Stop it, and its workers."""
        if parent.running:
            parent.stopService()
        for process in self.alive():
            process.ends()

    def alive(self) -> list[Process]:
        """:returns: the processes that run."""
        return [each for each in self.reactor.processes if each.is_running]

    def no_answer(self, *args: object, **named: object) -> Deferred[Any]:
        """:returns: never fires."""
        return Deferred()

    def read_again(self, config: Config) -> tuple[Config, list[str]]:
        """Read what the settings have become."""
        if isinstance(self.next, Exception):
            raise self.next
        return self.next.taking_over(config), config.changed(self.next)[1]

    def heard(self) -> list[str]:
        """:returns: what systemd was told since the last time."""
        messages = []
        while True:
            try:
                messages.append(self.ear.recv(1000).decode().partition("\n")[0])
            except BlockingIOError:
                return messages


class StartTests(ParentTestCase):
    """The beginning."""

    def test_workers(self) -> None:
        """Each worker has its name, its public socket and its admin socket."""
        self.started()
        seen = set()
        for number, process in enumerate(self.reactor.processes, 1):
            name = f"w{number}"
            self.assertEqual(process.started["args"], ["python", name, f"n-1-{name}"])
            descriptors = process.started["childFDs"]
            sockets = [socket.socket(fileno=os.dup(descriptors[fd])) for fd in (3, 4)]
            for each in sockets:
                self.addCleanup(each.close)
            public, admin = (each.getsockname() for each in sockets)
            seen |= {public, admin}
        self.assertEqual(len(seen), 3)

    def test_ready(self) -> None:
        """The service is ready when the last worker is, and says so once."""
        self.started()
        one, other = self.reactor.processes
        with capturedLogs() as events:
            one.says("READY=1\n")
            one.says("READY=1\n")
            self.assertEqual(self.heard(), [])
            other.says("READY=1\n")
        self.assertEqual(self.heard(), ["READY=1"])
        (event,) = [each for each in events if "public" in each]
        self.assertRegex(event["public"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(event["workers"], 2)

    def test_cannot_start(self) -> None:
        """A worker that ends before all are ready ends the service, as failed."""
        parent = self.started()
        one, other = self.reactor.processes
        one.says("READY=1\n")
        other.ends()
        self.assertTrue(self.reactor.is_stopped)
        self.assertTrue(parent.failed)

    def test_dies_later(self) -> None:
        """A worker that ends later is replaced, and systemd need not know."""
        parent = self.ready()
        self.reactor.advance(5)
        self.heard()
        self.reactor.processes[0].ends(signal=9)
        self.reactor.advance(0)
        self.assertEqual(len(self.alive()), 2)
        self.alive()[-1].says("READY=1\n")
        self.assertEqual(self.heard(), [])
        self.assertFalse(parent.failed)

    def test_port_in_use(self) -> None:
        """A port that another has ends the process, with one line that says so."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        listen = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        self.config = self.wanted(listen=listen)
        error = self.assertRaises(CannotListen, self.parent().startService)
        self.assertEqual(
            error.code,
            f"twistedvoice: listen: cannot listen on {listen}: Address already in use",
        )
        self.assertEqual(self.reactor.processes, [])


class PagesTests(ParentTestCase):
    """What operators and systemd learn of the workers."""

    def page(self, path: str) -> int:
        """:returns: the status of a page on the admin port."""
        doors = Doors()
        ((_, site, *_),) = self.reactor.tcpServers
        assert isinstance(site, QuietSite)
        doors.site = site
        return doors.ask("GET", path).status

    def test_ready(self) -> None:
        """Calls are taken while one worker takes them and no stop has begun."""
        parent = self.started()
        one, other = self.reactor.processes
        self.assertEqual(self.page("/health"), 200)
        self.assertEqual(self.page("/ready"), 503)
        one.says("READY=1\n")
        self.assertEqual(self.page("/ready"), 200)
        other.says("READY=1\n")
        one.says("STOPPING=1\n")
        self.assertEqual(self.page("/ready"), 200)
        parent.stopService()
        self.assertEqual(self.page("/ready"), 503)

    def test_watchdog(self) -> None:
        """systemd's watchdog is fed while one worker lives."""
        self.ready()
        self.reactor.advance(1.1)
        self.assertEqual(self.heard(), ["WATCHDOG=1"])
        for _ in range(2):  # the second time they are not started again at once
            for process in self.alive():
                process.ends()
            self.reactor.advance(0)
        self.assertEqual(len(self.reactor.processes), 4)
        self.reactor.advance(0.95)
        self.assertEqual(self.heard(), [])
        self.reactor.pump([0.1] * 12)
        self.assertEqual(self.heard(), ["WATCHDOG=1"])


class ReloadTests(ParentTestCase):
    """SIGHUP."""

    def test_good(self) -> None:
        """All workers are told, and systemd when each has followed."""
        self.ready()
        self.next = self.wanted(log_level="error", max_calls="3")
        handler: Any = signal.getsignal(signal.SIGHUP)
        handler(signal.SIGHUP, None)
        self.reactor.advance(0)
        one, other = self.reactor.processes
        self.assertEqual((one.signals, other.signals), (["HUP"], ["HUP"]))
        one.says("RELOADING=1\nMONOTONIC_USEC=1\nREADY=1\n")
        self.assertEqual(self.heard(), ["RELOADING=1"])
        other.says("RELOADING=1\nMONOTONIC_USEC=1\nREADY=1\n")
        self.assertEqual(self.heard(), ["READY=1"])

    def test_while_one_starts(self) -> None:
        """A worker that is starting reads it again when it can be told to."""
        parent = self.ready()
        self.reactor.advance(5)
        self.reactor.processes[0].ends(signal=9)
        self.reactor.advance(0)
        one, other = self.alive()[::-1]
        self.heard()
        self.successResultOf(parent.reload())
        other.says("READY=1\n")
        self.assertEqual((one.signals, other.signals), ([], ["HUP"]))
        one.says("READY=1\n")
        self.assertEqual(one.signals, ["HUP"])
        self.assertEqual(self.heard(), ["RELOADING=1"])
        one.says("READY=1\n")
        self.assertEqual(self.heard(), ["READY=1"])

    def test_wrong(self) -> None:
        """A mistake is told once, and no worker hears of it."""
        parent = self.ready()
        self.next = ConfigError(["max_calls: is wrong"])
        with capturedLogs() as events:
            self.successResultOf(parent.reload())
        self.assertEqual([each["problem"] for each in events], ["max_calls: is wrong"])
        self.assertEqual(self.reactor.processes[0].signals, [])
        self.assertEqual(self.heard(), ["RELOADING=1", "READY=1"])

    def test_needs_a_restart(self) -> None:
        """What only a new service can change is told."""
        parent = self.ready()
        self.next = self.wanted(workers="3")
        with capturedLogs() as events:
            self.successResultOf(parent.reload())
        (event,) = [each for each in events if "keys" in each]
        self.assertEqual(event["keys"], "workers")

    def test_drain(self) -> None:
        """A longer drain is waited for."""
        parent = self.ready()
        self.next = self.wanted(drain_seconds="200")
        self.successResultOf(parent.reload())
        parent.stopService()
        self.reactor.pump([1.0] * 200)
        self.assertNotIn("KILL", self.reactor.processes[0].signals)
        self.reactor.pump([1.0] * 100)
        self.assertIn("KILL", self.reactor.processes[0].signals)


class StopTests(ParentTestCase):
    """The end."""

    def test_drain(self) -> None:
        """It waits for its workers, however long they drain, and leaves nothing."""
        handlers = [signal.getsignal(number) for number in _SIGNALS]
        parent = self.ready()
        descriptors = [
            process.started["childFDs"][3] for process in self.reactor.processes
        ]
        stopped = parent.stopService()
        self.assertEqual(self.heard(), ["STOPPING=1"])
        for descriptor in descriptors:
            self.assertRaises(OSError, os.fstat, descriptor)
        one, other = self.reactor.processes
        self.reactor.advance(1)
        one.ends()
        self.assertNoResult(stopped)
        other.ends()
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        after = [signal.getsignal(number) for number in _SIGNALS]
        self.assertEqual(after, handlers)

    def test_asked_twice(self) -> None:
        """A second signal is passed on: the workers know what it means."""
        parent = self.ready()
        parent.stopService()
        handler: Any = signal.getsignal(signal.SIGINT)
        handler(signal.SIGINT, None)
        self.reactor.advance(0)
        self.assertEqual(self.reactor.processes[0].signals, ["TERM", "TERM"])

    def test_hangs(self) -> None:
        """A worker that does not end is killed, after its drain and what follows it."""
        stopped = self.ready().stopService()
        one, other = self.reactor.processes
        other.ends()
        self.reactor.pump([1.0] * 40)
        self.assertEqual(one.signals, ["TERM"])
        self.reactor.pump([1.0] * 60)
        self.assertEqual(one.signals, ["TERM", "KILL"])
        one.ends(signal=9)
        self.successResultOf(stopped)
