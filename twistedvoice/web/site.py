# -*- test-case-name: tests.web.test_site -*-
"""HTTP by twisted.web: bounded requests, no access log, and the way to WebSocket.

The upgrade leaves twisted.web for good: the socket is Autobahn's from then on, no HTTP
time-out touches it, and what twisted.web held for the request is let go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from autobahn.twisted.resource import WebSocketResource
from twisted.web.http import Request as HttpRequest
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

__all__ = ["BoundedRequest", "MediaResource", "QuietSite", "tree"]

#: The largest body any webhook has by far.
_MOST_BODY_BYTES = 16 * 1024
#: HTTP connections at once; those that became a media socket do not count. Strangers
#: must not use up the descriptors that calls need.
_MOST_CHANNELS = 500
#: What an HTTP connection may keep still.
_IDLE_SECONDS = 15


class BoundedRequest(Request):
    """A request whose body may not grow without end, and stays in memory."""

    _refused = False

    def gotLength(self, length: int | None) -> None:
        # A length that is long or not known would have it made as a file on the disk.
        super().gotLength(0)
        if length is None:
            # In chunks of a byte each a body costs a thousand times its worth.
            self._refuse(b"411 Length Required")
        elif length > _MOST_BODY_BYTES:
            self._refuse(b"413 Content Too Large")

    def handleContentChunk(self, data: bytes) -> None:
        if not self._refused:
            super().handleContentChunk(data)

    def process(self) -> None:
        if self._refused:
            return
        site: Any = self.channel.site  # type: ignore[attr-defined]
        if not site.keep_alive:
            self.setHeader(b"Connection", b"close")
            self.channel.persistent = False
        super().process()
        site.look()

    def _refuse(self, status: bytes) -> None:
        self._refused = True
        self.channel.write(
            b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
        )
        self.channel.loseConnection()


class MediaResource(WebSocketResource):
    """Hands the socket of an upgrade to Autobahn."""

    def render(self, request: Request) -> bytes | int:
        upgrade = request.getHeader(b"upgrade") or b""
        if request.method != b"GET" or upgrade.lower() != b"websocket":
            request.setResponseCode(426)
            request.setHeader(b"Upgrade", b"websocket")
            request.setHeader(b"Connection", b"Upgrade")
            request.setHeader(b"Content-Type", b"text/plain")
            return b"This address speaks WebSocket.\n"
        channel = request.channel
        answer: bytes | int = super().render(request)
        if answer == NOT_DONE_YET:
            # The channel and its request hold each other until the request is done,
            # and this one will never be.
            channel.requests.remove(request)
        return answer


def tree(pages: dict[str, IResource]) -> Resource:
    """
    :param pages: resources by path, such as ``/twilio/voice``.
    :returns: the root that holds them all.
    """
    root = _Folder()
    for path, page in pages.items():
        *folders, name = path.strip("/").split("/")
        parent = root
        for folder in folders:
            child = parent.children.get(folder.encode())
            if child is None:
                child = _Folder()
                parent.putChild(folder.encode(), child)
            parent = child
        parent.putChild(name.encode(), page)
    return root


class QuietSite(Site):
    """A site that writes no access log: addresses and URLs are nobody's business."""

    noisy = False

    def __init__(
        self,
        root: IResource,
        reactor: object,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        """
        :param look: called whenever a request was seen to, so that a crowd of them
            delays no frame that is due.
        """
        super().__init__(
            root,
            requestFactory=BoundedRequest,
            # Webhooks read their form themselves, after they have seen its signature.
            parsePOSTFormSubmission=False,
            timeout=_IDLE_SECONDS,
            reactor=reactor,
        )
        self.displayTracebacks = False
        self.look = look
        # A channel is freed when its connection ends or becomes a media socket.
        self._channels: WeakSet[Any] = WeakSet()
        #: Whether a connection may have another request after the one it has.
        self.keep_alive = True

    def buildProtocol(self, addr: Any) -> Any:
        """:returns: None when too many are open, which closes the connection."""
        if len(self._channels) >= _MOST_CHANNELS:
            return None
        channel: Any = super().buildProtocol(addr)
        self._channels.add(channel)
        return channel

    def connections(self) -> int:
        """:returns: how many are open that did not become a media socket."""
        return len(self._channels)

    def log(self, request: HttpRequest) -> None:
        """Say nothing."""


class _Folder(Resource):
    """A path that only leads to others."""

    def render(self, request: Request) -> bytes:
        answer: bytes = notFound().render(request)
        return answer
