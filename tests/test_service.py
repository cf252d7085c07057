"""Tests for :mod:`twistedvoice.service`."""

from __future__ import annotations

import gc
import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import Factory, define
from twisted.application.service import Application
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import STARTED_AT, made
from tests.house import HELLO, Guest, HouseReactor, house, settings
from twistedvoice.agents.workshop import Surroundings
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.config import Config
from twistedvoice.doors import CannotListen, Doors
from twistedvoice.errands import Errand
from twistedvoice.errors import ConfigError, EngineError, StoreError
from twistedvoice.interfaces import Agent
from twistedvoice.logs import LogOutput
from twistedvoice.realtime.schedule import Schedule
from twistedvoice.routing import Routes
from twistedvoice.service import SWITCH_INTERVAL_SECONDS, VoiceService

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class ServiceTestCase(SynchronousTestCase):
    """A service in virtual time."""

    #: Where it listens, if not where its settings say.
    doors: Doors | None = None

    def setUp(self) -> None:
        """No service yet; afterwards this process is as it was."""
        self.reactor = HouseReactor()
        # A service that starts looks through all that is not frozen yet.
        gc.freeze()
        self.addCleanup(gc.unfreeze)
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        for number in _SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reloads: list[Config] = []
        self.next: Config | Exception = settings()

    def service(
        self,
        config: Config | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> VoiceService:
        """:returns: a service, not started."""
        made = house(self.reactor, config or settings(drain_seconds="2"))
        self.log = io.StringIO()
        return VoiceService(
            self.reactor,
            made,
            log_output=LogOutput(self.log, format="text"),
            reload=self.read_again,
            environ=environ or {},
            doors=self.doors,
        )

    def started(self, *args: Any, **details: Any) -> VoiceService:
        """:returns: a service that takes calls; it is stopped at the end."""
        service = self.service(*args, **details)
        service.startService()
        self.addCleanup(self.end, service)
        return service

    def end(self, service: VoiceService) -> None:
        """Stop it, whatever it waits for."""
        if service.running:
            service.stopService()
        self.reactor.pump([1.0] * 30)

    def read_again(self, config: Config) -> tuple[Config, Routes, list[str]]:
        """Read what the settings have become."""
        self.reloads.append(config)
        if isinstance(self.next, Exception):
            raise self.next
        merged = self.next.taking_over(config)
        return merged, Routes(merged, Path()), config.changed(self.next)[1]

    def guest(self, service: VoiceService) -> Guest:
        """:returns: the other end of a call whose stream is open."""
        guest = Guest()
        service.house.switchboard.connect(guest, TwilioDialect())
        return guest


class StartTests(ServiceTestCase):
    """The beginning."""

    def test_listens(self) -> None:
        """Each site is listened for where the settings say, and this is logged."""
        config = settings(admin_listen="tcp:8099:interface=127.0.0.1")
        with capturedLogs() as events:
            service = self.started(config)
        ports = {port: site for port, site, *_ in self.reactor.tcpServers}
        house = service.house
        self.assertEqual(ports, {8080: house.public_site, 8099: house.admin_site})
        (event,) = [each for each in events if "public" in each]
        self.assertTrue(event["public"])
        self.assertTrue(event["admin"])

    def test_thread_switching(self) -> None:
        """A busy thread may not keep the interpreter for long."""
        self.started()
        self.assertAlmostEqual(sys.getswitchinterval(), SWITCH_INTERVAL_SECONDS)

    def test_port_in_use(self) -> None:
        """A port that another has ends the process, with one line that says so."""
        problem = OSError(98, "Address already in use")

        def listenTCP(*args: object, **details: object) -> None:
            raise CannotListenError("127.0.0.1", 8080, problem)

        self.reactor.listenTCP = listenTCP  # type: ignore[method-assign]
        error = self.assertRaises(CannotListen, self.service().startService)
        self.assertIsInstance(error, SystemExit)
        self.assertEqual(
            error.code,
            "twistedvoice: listen: cannot listen on tcp:8080:interface=127.0.0.1:"
            " Address already in use",
        )

    def test_no_key(self) -> None:
        """An endpoint that lacks what it needs says what."""
        endpoint = "ssl:443:privateKey=nowhere.pem:interface=127.0.0.1"
        service = self.service(settings(listen=endpoint))
        error = self.assertRaises(CannotListen, service.startService)
        self.assertIn(f"cannot listen on {endpoint}: ", str(error.code))

    def test_store_fails(self) -> None:
        """A store that cannot be used ends the process, and the exit code shows it."""
        service = self.service()
        service.house.store.places_taken = (  # type: ignore[method-assign]
            lambda *, now: fail(StoreError("no"))
        )
        service.startService()
        self.addCleanup(self.end, service)
        self.assertTrue(service.failed)
        self.assertTrue(self.reactor.is_stopped)
        self.assertEqual(len(self.flushLoggedErrors(StoreError)), 1)

    def test_application(self) -> None:
        """twistd's application logs through the service's own output."""
        application: Any = Application("twistedvoice")
        service = self.service()
        service.setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), service.log_output)


class RetentionTests(ServiceTestCase):
    """Recordings that are not to be kept any longer."""

    def test_removed(self) -> None:
        """They go at the start, but for those that are still to be handed on."""
        folder = Path(self.mktemp())
        for number, name in enumerate(("one", "two", "three")):
            made(folder / "2026/11/20", name, started_at=STARTED_AT + number)
        config = settings(recordings=str(folder), retention_recordings="1")
        service = self.service(config)
        errand = Errand(id="one/upload", kind="upload", session_id="one")
        self.successResultOf(service.house.store.add_errands([errand], now=0.0))
        service.startService()
        self.addCleanup(self.end, service)
        self.reactor.advance(1)
        left = sorted(each.stem for each in folder.rglob("*.wav"))
        self.assertEqual(left, ["one", "three"])
        self.assertEqual(service.house.keeping.recording_counts["purged"], 1)
        self.successResultOf(service.stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class StopTests(ServiceTestCase):
    """The end."""

    def test_nothing_left(self) -> None:
        """Nothing stays on the clock, no thread, no handler of signals."""
        threads = set(threading.enumerate())
        handlers = [signal.getsignal(number) for number in _SIGNALS]
        service = self.started(settings(recordings=self.mktemp()))
        self.successResultOf(service.stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(set(threading.enumerate()), threads)
        after = [signal.getsignal(number) for number in _SIGNALS]
        self.assertEqual(after, handlers)

    def test_waits_for_calls(self) -> None:
        """Nobody new is let in, and live calls have their time before they end."""
        service = self.started(settings(drain_seconds="2", start_seconds="50"))
        guest = self.guest(service)
        stopped = service.stopService()
        self.assertFalse(service.house.admission.open)
        self.reactor.advance(1.9)
        self.assertEqual(guest.events, [])
        self.assertNoResult(stopped)
        self.reactor.advance(0.2)
        self.assertEqual(guest.events, ["close drained"])
        self.successResultOf(stopped)

    def test_stops_with_the_last_call(self) -> None:
        """It waits no longer than there are calls."""
        service = self.started(settings(drain_seconds="20", start_seconds="1"))
        self.guest(service)
        stopped = service.stopService()
        self.assertNoResult(stopped)
        self.reactor.advance(1)
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_asked_twice(self) -> None:
        """A second signal ends the calls at once."""
        service = self.started(settings(drain_seconds="20", start_seconds="50"))
        guest = self.guest(service)
        stopped = service.stopService()
        handler: Any = signal.getsignal(signal.SIGTERM)
        handler(signal.SIGTERM, None)
        self.assertEqual(guest.events, [])
        self.reactor.advance(0)
        self.assertEqual(guest.events, ["close drained"])
        self.successResultOf(stopped)


class OverloadTests(ServiceTestCase):
    """Admission by lateness."""

    def test_looked_at_while_it_serves(self) -> None:
        """Late ticks are noticed from the start on, and no more after the stop."""
        service = self.started()
        overload, lateness = service.house.overload, service.house.schedule.lateness
        for _ in range(100):
            lateness.observe(1_000_000)
        self.reactor.advance(1)
        self.assertTrue(overload.is_on)
        self.successResultOf(service.stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class Left(Doors):
    """Doors that note what becomes of them."""

    def __init__(self, reactor: HouseReactor, config: Config) -> None:
        super().__init__(reactor, config)
        self.events: list[str] = []

    def leave(self) -> None:
        """Note it."""
        self.events.append("left")

    def close(self) -> Deferred[None]:
        """Note it."""
        self.events.append("closed")
        return super().close()


class LeaveTests(ServiceTestCase):
    """A stop that leaves the port to others."""

    def sharing(self) -> tuple[VoiceService, Left]:
        """:returns: a service that takes calls on a port it shares, and its doors."""
        doors = self.doors = Left(self.reactor, settings())
        service = self.started(settings(share_port=1, drain_seconds="20"))
        return service, doors

    def test_left_at_once(self) -> None:
        """The port is left before calls have ended, and before callers are refused."""
        service, doors = self.sharing()
        site = service.house.public_site
        visitor = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        stopped = service.stopService()
        self.assertEqual(doors.events, ["left"])
        self.assertTrue(service.house.admission.open)
        self.assertFalse(service.house.is_ready or site.keep_alive)
        self.reactor.advance(1)
        self.assertTrue(service.house.admission.open)
        del visitor
        self.reactor.advance(0.1)
        self.assertFalse(service.house.admission.open)
        self.successResultOf(stopped)
        self.assertEqual(doors.events, ["left", "closed"])

    def test_visitor_who_stays(self) -> None:
        """Who was there before is waited for, but not for ever."""
        service, _ = self.sharing()
        site = service.house.public_site
        visitor = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        stopped = service.stopService()
        self.reactor.pump([0.1] * 170)
        self.assertIsNotNone(visitor)
        self.successResultOf(stopped)

    def test_hurry(self) -> None:
        """Who asks a second time meanwhile waits for no call."""
        service, _ = self.sharing()
        site = service.house.public_site
        visitor = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        stopped = service.stopService()
        service.hurry()
        self.guest(service)
        del visitor
        self.reactor.pump([0.1] * 2)
        self.successResultOf(stopped)

    def test_kept(self) -> None:
        """A port that nobody shares is kept to the end: callers are told busy."""
        doors = self.doors = Left(self.reactor, settings())
        self.successResultOf(self.started().stopService())
        self.assertEqual(doors.events, ["closed"])

    def test_abandoned(self) -> None:
        """A worker whose parent is gone leaves the port too; once stopped it cannot."""
        doors = self.doors = Left(self.reactor, settings())
        service = self.started()
        service.abandon()
        self.assertTrue(self.reactor.is_stopped)
        self.successResultOf(service.stopService())
        self.assertEqual(doors.events, ["left", "closed"])
        self.reactor.is_stopped = False
        service.abandon()
        self.assertFalse(self.reactor.is_stopped)

    def test_abandoned_while_it_drains(self) -> None:
        """A worker that drains with its port open gives it up at once."""
        doors = self.doors = Left(self.reactor, settings())
        service = self.started()
        stopped = service.stopService()
        doors.events.clear()
        service.abandon()
        self.assertEqual(doors.events, ["left"])
        self.successResultOf(stopped)


class CollectorTests(ServiceTestCase):
    """The garbage collector."""

    def test_frozen_while_it_serves(self) -> None:
        """What was made before the first call is never looked through again."""
        gc.unfreeze()
        service = self.service()
        service.startService()
        self.addCleanup(self.end, service)
        self.assertGreater(gc.get_freeze_count(), 1_000)
        self.end(service)
        self.assertEqual(gc.get_freeze_count(), 0)


class ReloadTests(ServiceTestCase):
    """SIGHUP."""

    def hang_up(self) -> list[str]:
        """:returns: what is logged when SIGHUP comes."""
        handler: Any = signal.getsignal(signal.SIGHUP)
        with capturedLogs() as events:
            handler(signal.SIGHUP, None)
            self.reactor.advance(0)
        return [
            str(each["log_format"]).format(**each)
            for each in events
            if "log_format" in each
        ]

    def test_good(self) -> None:
        """What changed is told and holds from now on."""
        service = self.started()
        old, self.next = service.house.config, settings(max_calls="5")
        self.assertIn("reloaded: max_calls, drain_seconds", self.hang_up())
        self.assertEqual(self.reloads, [old])
        self.assertEqual(service.house.config, self.next)
        self.assertEqual(service.house.admission.max_calls, 5)

    def test_nothing_changed(self) -> None:
        """The same settings again change nothing."""
        service = self.started()
        self.next = service.house.config
        self.assertEqual(self.hang_up(), ["reloaded: nothing changed"])

    def test_log_level(self) -> None:
        """The level of the log is changed at once."""
        service = self.started()
        service.log_output(HELLO)
        self.next = settings(log_level="error")
        self.hang_up()
        service.log_output(HELLO)
        self.assertEqual(self.log.getvalue().count("hello"), 1)

    def test_needs_a_restart(self) -> None:
        """What only a new process can change is told."""
        self.started()
        self.next = settings(listen="tcp:8082:interface=127.0.0.1", drain_seconds="2")
        self.assertIn("only a new process can change listen", self.hang_up())

    def test_mistakes(self) -> None:
        """Every problem is told, and all stays as it was."""
        service = self.started()
        before = service.house.config
        self.next = ConfigError(["max_calls: is wrong", "agnet: is unknown"])
        self.assertEqual(
            self.hang_up(),
            ["not reloaded: max_calls: is wrong", "not reloaded: agnet: is unknown"],
        )
        self.assertIs(service.house.config, before)

    def test_raises(self) -> None:
        """An agent's module that breaks is logged, and all stays as it was."""
        service = self.started()
        before = service.house.config
        self.next = ZeroDivisionError()
        self.hang_up()
        self.assertIs(service.house.config, before)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class Stuck(Schedule):
    """A schedule with a call on it that nobody visits."""

    def __len__(self) -> int:
        return 1


@define(eq=False)
class _Workshop:
    """Makes no agent; opens and closes when the test says so."""

    events: list[str] = Factory(list)
    opening: Deferred[None] = Factory(Deferred)

    def __call__(self) -> Agent:
        raise AssertionError("no call was to come")

    def open_workshop(self, surroundings: Surroundings) -> Deferred[None]:
        self.events.append("opened")
        return self.opening

    def close_workshop(self) -> Deferred[None]:
        self.events.append("closed")
        return succeed(None)


class WorkshopTests(ServiceTestCase):
    """Agents that need something beside their calls."""

    def opening(self) -> tuple[VoiceService, _Workshop]:
        """:returns: a service that has begun to start, and what it waits for."""
        service, workshop = self.service(), _Workshop()
        service.house.routes.workshops = [workshop]
        service.startService()
        self.addCleanup(self.end, service)
        return service, workshop

    def test_opened_first(self) -> None:
        """No call is let in, and the service is not ready, before they are open."""
        service, workshop = self.opening()
        house = service.house
        self.assertEqual((house.admission.open, house.is_ready), (False, False))
        workshop.opening.callback(None)
        self.assertEqual((house.admission.open, house.is_ready), (True, True))

    def test_cannot_open(self) -> None:
        """One that cannot be opened ends the process."""
        service, workshop = self.opening()
        workshop.opening.errback(EngineError("no"))
        self.assertTrue(service.failed)
        self.assertEqual(workshop.events[:2], ["opened", "closed"])
        self.assertEqual(len(self.flushLoggedErrors(EngineError)), 1)

    def test_closed(self) -> None:
        """They are closed at the end."""
        service, workshop = self.opening()
        workshop.opening.callback(None)
        self.successResultOf(service.stopService())
        self.assertEqual(workshop.events, ["opened", "closed"])

    def test_reload(self) -> None:
        """After a reload calls go to new ones, and the old are closed."""
        service, workshop = self.opening()
        workshop.opening.callback(None)
        self.successResultOf(service.reload())
        self.assertEqual(workshop.events, ["opened", "closed"])
        self.assertEqual(service.house.routes.workshops, [])


class SystemdTests(ServiceTestCase):
    """What systemd is told."""

    def setUp(self) -> None:
        """A socket as systemd has it."""
        super().setUp()
        name = f"twistedvoice-test-{os.getpid()}-{id(self)}"
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.setblocking(False)
        self.ear.bind(f"\0{name}")
        self.environ = {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "3000000"}

    def heard(self) -> list[str]:
        """:returns: the messages since the last time."""
        messages = []
        while True:
            try:
                messages.append(self.ear.recv(1000).decode())
            except BlockingIOError:
                return messages

    def test_life(self) -> None:
        """Ready, alive, reloading and ready again, stopping."""
        service = self.started(environ=self.environ)
        self.assertEqual(self.heard(), ["READY=1"])
        self.reactor.pump([0.1] * 12)
        self.assertEqual(self.heard(), ["WATCHDOG=1"])
        self.successResultOf(service.reload())
        reloading, ready = self.heard()
        self.assertTrue(reloading.startswith("RELOADING=1\nMONOTONIC_USEC=1"))
        self.assertEqual(ready, "READY=1")
        self.successResultOf(service.stopService())
        self.assertEqual(self.heard(), ["STOPPING=1"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_failed_reload(self) -> None:
        """After a reload that failed the service is as ready as before."""
        service = self.started(environ=self.environ)
        self.heard()
        self.next = ConfigError(["x"])
        self.successResultOf(service.reload())
        self.assertEqual(self.heard()[-1], "READY=1")

    def test_standstill(self) -> None:
        """A schedule with calls that does not move feeds no watchdog."""
        service = self.started(environ=self.environ)
        self.heard()
        service.house.schedule = Stuck(self.reactor)
        self.reactor.pump([0.1] * 12)
        self.heard()
        self.reactor.pump([0.1] * 12)
        self.assertEqual(self.heard(), [])


class LateTests(ServiceTestCase):
    """The store answers when the service has been stopped already."""

    def test_stopped_before_ready(self) -> None:
        """Nobody is told that the service takes calls."""
        service = self.service()
        places: Deferred[int] = Deferred()
        service.house.store.places_taken = (  # type: ignore[method-assign]
            lambda *, now: places
        )
        service.startService()
        self.successResultOf(service.stopService())
        with capturedLogs() as events:
            places.callback(0)
        self.assertEqual(events, [])
