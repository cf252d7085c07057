# -*- test-case-name: tests.web.test_merge -*-
"""The metrics of several processes as one page, in Prometheus' text format.

Each sample gets a label that says whose it is; what a family means stands there once. A
process that does not answer in time is left out, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import Factory, define, frozen
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from ..errors import CarrierApiError
from ..interfaces import HttpClient, HttpRequest, HttpResponse

__all__ = ["MergedMetrics", "Source", "merge"]

_log = Logger()

_UP = """\
# HELP twistedvoice_worker_up Whether the worker gave its metrics in time.
# TYPE twistedvoice_worker_up gauge
"""
_RESTARTS = """\
# HELP twistedvoice_worker_restarts_total How often the worker was started again.
# TYPE twistedvoice_worker_restarts_total counter
"""


@frozen(kw_only=True)
class Source:
    """One process whose metrics are on the page."""

    name: str
    #: Of its own page.
    url: str
    restarts: int


def merge(pages: Mapping[str, str]) -> str:
    """
    :param pages: by the name of the process: its page as ``/metrics`` gives it.
    :returns: one page; each sample has the name as its label ``worker``.
    """
    families: dict[str, _Family] = {}
    for name, page in pages.items():
        family = _Family()
        for line in page.splitlines():
            if line.startswith(("# HELP ", "# TYPE ")):
                family = families.setdefault(line.split(" ", 3)[2], _Family())
                if line not in family.meaning:
                    family.meaning.append(line)
            elif line and not line.startswith("#"):
                family.samples.append(_labelled(line, name))
    lines = [
        line for each in families.values() for line in (*each.meaning, *each.samples)
    ]
    return "".join(f"{line}\n" for line in lines)


class MergedMetrics(Resource):
    """The page."""

    isLeaf = True

    def __init__(
        self, client: HttpClient, sources: Callable[[], Sequence[Source]]
    ) -> None:
        """:param client: gives up when a process does not answer in time."""
        super().__init__()
        self._client = client
        self._sources = sources

    def render_GET(self, request: Request) -> int:
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)
        sources = self._sources()

        def done(pages: Sequence[str | None]) -> None:
            if not gone:
                request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
                request.write(_page(sources, pages).encode())
                request.finish()

        asked = gatherResults([self._ask(source) for source in sources])
        asked.addCallback(done)
        asked.addErrback(lambda failure: _log.failure("while merging", failure))
        return NOT_DONE_YET

    def _ask(self, source: Source) -> Deferred[str | None]:
        asking = self._client.perform(HttpRequest(method="GET", url=source.url))
        return asking.addCallback(_text).addErrback(_nothing)


@define
class _Family:
    """What a metric means, and its samples."""

    meaning: list[str] = Factory(list)
    samples: list[str] = Factory(list)


def _labelled(sample: str, name: str) -> str:
    # A name has neither a brace nor a space in it, so the first of them ends it.
    end = min(place for place in (sample.find("{"), sample.find(" ")) if place > 0)
    rest = sample[end:]
    if rest.startswith("{"):
        more = "" if rest.startswith("{}") else ","
        return f'{sample[:end]}{{worker="{name}"{more}{rest[1:]}'
    return f'{sample[:end]}{{worker="{name}"}}{rest}'


def _page(sources: Sequence[Source], pages: Sequence[str | None]) -> str:
    found = {
        source.name: page
        for source, page in zip(sources, pages, strict=True)
        if page is not None
    }
    up = [f'twistedvoice_worker_up{{worker="{source.name}"}} '
          f"{int(source.name in found)}\n" for source in sources]  # fmt: skip
    restarts = [f'twistedvoice_worker_restarts_total{{worker="{source.name}"}} '
                f"{source.restarts}\n" for source in sources]  # fmt: skip
    return "".join([merge(found), _UP, *up, _RESTARTS, *restarts])


def _text(response: HttpResponse) -> str | None:
    return response.body.decode("utf-8") if response.status == 200 else None


def _nothing(failure: Failure) -> None:
    if not failure.check(CarrierApiError):  # which is that it did not answer in time
        _log.failure("while a worker was asked for its metrics", failure)
