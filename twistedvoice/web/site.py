# -*- test-case-name: tests.web.test_site -*-
"""HTTP by twisted.web: bounded requests, no access log, and the way to WebSocket.

The upgrade leaves twisted.web for good: the socket is Autobahn's from then on, no HTTP
time-out touches it, and what twisted.web held for the request is let go.
"""

from __future__ import annotations

from autobahn.twisted.resource import WebSocketResource
from twisted.internet.interfaces import IReactorTime
from twisted.web.http import Request as HttpRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from .media import MediaFactory

__all__ = ["BoundedRequest", "MediaResource", "QuietSite", "tree"]

#: The largest body any webhook has by far.
_MOST_BODY_BYTES = 64 * 1024


class BoundedRequest(Request):
    """A request whose body may not grow without end."""

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > _MOST_BODY_BYTES:
            self._refuse()
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        super().handleContentChunk(data)
        if self.content is not None and self.content.tell() > _MOST_BODY_BYTES:
            self._refuse()

    def _refuse(self) -> None:
        self.channel.write(b"HTTP/1.1 413 Content Too Large\r\n\r\n")
        self.channel.loseConnection()


class MediaResource(WebSocketResource):
    """Hands the socket of an upgrade to Autobahn."""

    def __init__(self, clock: IReactorTime, factory: MediaFactory) -> None:
        super().__init__(factory)
        self._clock = clock

    def render(self, request: Request) -> bytes | int:
        upgrade = request.getHeader(b"upgrade") or b""
        if request.method != b"GET" or upgrade.lower() != b"websocket":
            request.setResponseCode(426)
            request.setHeader(b"Upgrade", b"websocket")
            return b"This address speaks WebSocket.\n"
        answer: bytes | int = super().render(request)
        if answer is NOT_DONE_YET:
            # Not before twisted.web is out of this request.
            self._clock.callLater(0, _let_go, request)
        return answer


def tree(pages: dict[str, IResource]) -> Resource:
    """
    :param pages: resources by path, such as ``/twilio/voice``.
    :returns: the root that holds them all.
    """
    root = Resource()
    for path, page in pages.items():
        *folders, name = path.strip("/").split("/")
        parent = root
        for folder in folders:
            child = parent.children.get(folder.encode())
            if child is None:
                child = Resource()
                parent.putChild(folder.encode(), child)
            parent = child
        parent.putChild(name.encode(), page)
    return root


class QuietSite(Site):
    """A site that writes no access log: addresses and URLs are nobody's business."""

    def __init__(self, root: IResource, reactor: object) -> None:
        super().__init__(root, requestFactory=BoundedRequest, reactor=reactor)
        self.displayTracebacks = False

    def log(self, request: HttpRequest) -> None:
        """Say nothing."""


def _let_go(request: Request) -> None:
    """Break the cycles of a request that will never end."""
    channel = request.channel
    if channel is not None:
        channel.requests.clear()
        channel.__dict__.clear()
    request.__dict__.clear()
