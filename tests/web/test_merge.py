"""Tests of ``twistedvoice.web.merge``."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import CarrierApiError
from twistedvoice.interfaces import HttpRequest, HttpResponse
from twistedvoice.web.merge import MergedMetrics, Source, merge
from twistedvoice.web.site import QuietSite, tree

from .doors import Doors

__all__ = ["MergeTests", "PageTests"]


def page(live: int, *places: str) -> str:
    """:returns: the page of one process."""
    registry = CollectorRegistry()
    Gauge("calls_live", "Calls, and \\ and\nlines.", registry=registry).set(live)
    Histogram("late", "How late.", buckets=(1.0,), registry=registry).observe(live)
    blocked = Counter("blocked", "Where.", ["place"], registry=registry)
    for place in places:
        blocked.labels(place).inc()
    return generate_latest(registry).decode()


class MergeTests(SynchronousTestCase):
    """Pages made into one."""

    def samples(self, text: str) -> list[tuple[str, dict[str, str], float]]:
        """:returns: what Prometheus reads, but for the times of creation."""
        return [
            (sample.name, dict(sample.labels), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.name.endswith("_created")
        ]

    def test_same_samples(self) -> None:
        """Every sample of every process is there, and says whose it is."""
        odd = 'a "b" {c} \\ d\ne'
        pages = {"w1": page(1, "x", odd), "w2": page(2, odd), "w3": page(3)}
        expected = [
            (name, {**labels, "worker": worker}, value)
            for worker in pages
            for name, labels, value in self.samples(pages[worker])
        ]
        merged = self.samples(merge(pages))
        self.assertCountEqual(merged, expected)
        self.assertEqual(len(merged), 3 * 5 + 3)

    def test_meaning_once(self) -> None:
        """A family stands together, under what it means, once."""
        merged = merge({"w1": page(1), "w2": page(2)})
        families = list(text_string_to_metric_families(merged))
        names = [family.name for family in families]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(merged.count("# TYPE calls_live gauge\n"), 1)
        self.assertEqual(merged.count("# HELP calls_live "), 1)
        live = families[0]
        self.assertEqual(live.documentation, "Calls, and \\ and\nlines.")

    def test_family_of_one(self) -> None:
        """What only one process has is there all the same."""
        more = "# HELP own Own.\n# TYPE own gauge\nown{} 1\n"
        merged = merge({"w1": page(1), "w2": page(1) + more})
        self.assertIn('\nown{worker="w2"} 1\n', merged)

    def test_none(self) -> None:
        """Without a process there is nothing."""
        self.assertEqual(merge({}), "")


class Workers:
    """Answers for the workers, by URL."""

    def __init__(self) -> None:
        self.answers: dict[str, Deferred[HttpResponse]] = {}

    def perform(self, request: HttpRequest) -> Deferred[HttpResponse]:
        """:returns: the answer that was prepared."""
        return self.answers[request.url]


def answer(text: str, status: int = 200) -> HttpResponse:
    """:returns: a page."""
    return HttpResponse(status=status, headers={}, body=text.encode())


class PageTests(SynchronousTestCase):
    """The page of the parent."""

    def setUp(self) -> None:
        """Two workers, of which the second was started three times."""
        self.workers = Workers()
        self.doors = Doors()
        pages = {"/metrics": MergedMetrics(self.workers, self.sources)}
        self.doors.site = QuietSite(tree({**pages}), MemoryReactorClock())

    def sources(self) -> Sequence[Source]:
        """:returns: the workers."""
        return [
            Source(name="w1", url="one", restarts=0),
            Source(name="w2", url="two", restarts=2),
        ]

    def ask(self, *answers: Deferred[HttpResponse]) -> str:
        """:returns: the page, when the workers answer so."""
        self.workers.answers = dict(zip(("one", "two"), answers, strict=True))
        got = self.doors.ask("GET", "/metrics")
        self.assertEqual(got.status, 200)
        self.assertIn("text/plain", got.headers["content-type"])
        return got.body.decode()

    def test_all(self) -> None:
        """All are up, and what each counts is told."""
        text = self.ask(succeed(answer(page(1))), succeed(answer(page(2))))
        self.assertIn('calls_live{worker="w1"} 1.0\n', text)
        self.assertIn('calls_live{worker="w2"} 2.0\n', text)
        self.assertIn('twistedvoice_worker_up{worker="w1"} 1\n', text)
        self.assertIn('twistedvoice_worker_restarts_total{worker="w1"} 0\n', text)
        self.assertIn('twistedvoice_worker_restarts_total{worker="w2"} 2\n', text)

    def test_no_answer(self) -> None:
        """Who does not answer, or not well, is left out and said to be down."""
        error = CarrierApiError("late", status=None, code=None, retryable=True)
        for bad in (fail(error), succeed(answer("broken", 500))):
            text = self.ask(bad, succeed(answer(page(2))))
            self.assertNotIn('calls_live{worker="w1"}', text)
            self.assertIn('calls_live{worker="w2"} 2.0\n', text)
            self.assertIn('twistedvoice_worker_up{worker="w1"} 0\n', text)
            self.assertIn('twistedvoice_worker_up{worker="w2"} 1\n', text)

    def test_odd_answer(self) -> None:
        """What nobody thought of is logged, and the page is there all the same."""
        mute = HttpResponse(status=200, headers={}, body=b"\xff")
        for bad in (fail(KeyError("odd")), succeed(mute)):
            text = self.ask(bad, succeed(answer(page(2))))
            self.assertIn('twistedvoice_worker_up{worker="w1"} 0\n', text)
            self.assertEqual(len(self.flushLoggedErrors()), 1)
