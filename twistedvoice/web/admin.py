# -*- test-case-name: tests.web.test_admin -*-
"""Pages for operators and their tools: up, ready, metrics.

``/health`` is public and says nothing but that the process answers. ``/ready`` and
``/metrics`` belong on the admin port.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

__all__ = ["Health", "Metrics", "Ready"]

_log = Logger()


class Health(Resource):
    """The process answers."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"Content-Type", b"text/plain")
        return b"up\n"


class Ready(Resource):
    """Whether this process takes new calls."""

    isLeaf = True

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        super().__init__()
        self._is_ready = is_ready

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"Content-Type", b"text/plain")
        if self._is_ready():
            return b"ready\n"
        request.setResponseCode(503)
        return b"taking no calls\n"


class Metrics(Resource):
    """
    All meters, in Prometheus' text format.

    They are read at once, between two turns of the reactor, so that no call ends
    meanwhile and is counted twice or not at all. The page is written in a thread.
    """

    isLeaf = True

    def __init__(
        self,
        registry: CollectorRegistry,
        defer_to_thread: Callable[..., Deferred[bytes]],
    ) -> None:
        super().__init__()
        self._registry = registry
        self._defer_to_thread = defer_to_thread

    def render_GET(self, request: Request) -> int:
        lost = request.notifyFinish()
        gone: list[bool] = []
        lost.addErrback(lambda _: gone.append(True))

        def done(page: bytes) -> None:
            if not gone:
                request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
                request.write(page)
                request.finish()

        def failed(failure: Failure) -> None:
            _log.failure("while writing /metrics", failure)
            if not gone:
                request.setResponseCode(500)
                request.finish()

        read = _Read(list(self._registry.collect()))
        writing = self._defer_to_thread(generate_latest, read)
        writing.addCallbacks(done, failed)
        return NOT_DONE_YET


@frozen
class _Read(Collector):
    """Meters that have been read."""

    families: Sequence[Metric]

    def collect(self) -> Sequence[Metric]:
        """:returns: what was read."""
        return self.families
