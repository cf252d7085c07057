"""Tests of ``twistedvoice.web.admin``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.web.admin import Health, Metrics, Ready
from twistedvoice.web.site import QuietSite, tree

from .doors import Doors

__all__ = ["AdminTests", "MetricsTests"]


class Pool:
    """A thread that works when the test says so."""

    def __init__(self) -> None:
        self._work: list[Callable[[], None]] = []

    def defer(self, work: Callable[..., bytes], *args: object) -> Deferred[bytes]:
        """Keep work for later."""
        done: Deferred[bytes] = Deferred()

        def step() -> None:
            try:
                done.callback(work(*args))
            except ValueError:
                done.errback()

        self._work.append(step)
        return done

    def step(self) -> None:
        """Do one piece of work."""
        self._work.pop(0)()


class Odometer(Collector):
    """A meter that moves."""

    value = 1.0
    broken = False

    def collect(self) -> Iterator[Metric]:
        value: Any = "no number" if self.broken else self.value
        yield GaugeMetricFamily("odometer", "How far it is.", value=value)


class AdminTestCase(SynchronousTestCase):
    """The pages behind a site of their own."""

    def setUp(self) -> None:
        self.ready = True
        self.pool, self.odometer = Pool(), Odometer()
        registry = CollectorRegistry()
        registry.register(self.odometer)
        self.doors = Doors()
        self.doors.site = QuietSite(
            tree(
                {
                    "/health": Health(),
                    "/ready": Ready(lambda: self.ready),
                    "/metrics": Metrics(registry, self.pool.defer),
                }
            ),
            MemoryReactorClock(),
        )


class AdminTests(AdminTestCase):
    """Up, and ready or not."""

    def test_health_says_nothing_but_up(self) -> None:
        """The page is public, and the same whatever goes on."""
        self.ready = False
        answer = self.doors.ask("GET", "/health")
        self.assertEqual((answer.status, answer.body), (200, b"up\n"))
        self.assertEqual(self.doors.ask("HEAD", "/health").status, 200)

    def test_ready(self) -> None:
        """A service that takes calls says 200, one that drains 503."""
        self.assertEqual(self.doors.ask("GET", "/ready").status, 200)
        self.ready = False
        self.assertEqual(self.doors.ask("GET", "/ready").status, 503)

    def test_nothing_can_be_posted(self) -> None:
        """The pages are there to be read."""
        for path in ("/health", "/ready", "/metrics"):
            self.assertEqual(self.doors.ask("POST", path).status, 405)


class MetricsTests(AdminTestCase):
    """The page of meters."""

    REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

    def test_page_is_written_in_a_thread(self) -> None:
        """Nothing is answered until the thread has written the page."""
        browser = self.doors.send(self.REQUEST)
        self.assertEqual(browser.data, b"")
        self.pool.step()
        self.doors.settle()
        self.assertIn(b"Content-Type: text/plain; version=", browser.data)
        page = browser.data.partition(b"\r\n\r\n")[2].decode()
        self.assertIn("# HELP odometer How far it is.\n", page)
        self.assertIn("odometer 1.0\n", page)

    def test_meters_are_read_before_the_thread_works(self) -> None:
        """All figures are of one moment, that of the request."""
        browser = self.doors.send(self.REQUEST)
        self.odometer.value = 2.0
        self.pool.step()
        self.doors.settle()
        self.assertIn(b"odometer 1.0\n", browser.data)

    def test_asker_is_gone(self) -> None:
        """A page that nobody waits for is thrown away."""
        browser = self.doors.send(self.REQUEST)
        self.doors.near.loseConnection()
        self.doors.settle()
        self.pool.step()
        self.assertEqual(browser.data, b"")

    def test_page_that_cannot_be_written(self) -> None:
        """A fault in the thread is logged, and answered with 500."""
        self.odometer.broken = True
        browser = self.doors.send(self.REQUEST)
        self.pool.step()
        self.doors.settle()
        self.assertTrue(browser.data.startswith(b"HTTP/1.1 500 "))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_fault_for_which_nobody_waits(self) -> None:
        """It is logged all the same."""
        self.odometer.broken = True
        self.doors.send(self.REQUEST)
        self.doors.near.loseConnection()
        self.doors.settle()
        self.pool.step()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
