# -*- test-case-name: tests.slow.cascade -*-
"""``python -m twistedvoice.doubles.cascade``: three doubles on a port, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from autobahn.twisted.resource import WebSocketResource
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Site

from ..sockets import SocketReceiver, SocketRequest
from .cartesia import CartesiaDouble, CartesiaPlan
from .chat import ChatDouble, ChatPlan
from .command import parser, serve
from .deepgram import DeepgramDouble, DeepgramPlan
from .http import HttpResource
from .network import Service, ServiceSocket
from .server import ServiceFactory

__all__ = ["CascadeDouble", "main", "urls"]


class CascadeDouble:
    """
    The three services of the agent ``cascade``.

    In virtual time give :meth:`socket` to a :class:`~.network.MemoryNetwork` and
    ``chat`` to a :class:`~.http.MemoryHttp`; on a port listen with :meth:`site`.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.deepgram = DeepgramDouble(clock)
        self.chat = ChatDouble(clock)
        self.cartesia = CartesiaDouble(clock)

    def socket(self, request: SocketRequest, socket: ServiceSocket) -> SocketReceiver:
        """Take a socket to either service that has some; a ``Service``."""
        is_hearing = urlsplit(request.url).path.endswith("/listen")
        return (self.deepgram if is_hearing else self.cartesia)(request, socket)

    def site(self, reactor: Any) -> Site:
        """:returns: all three, at the paths that they have elsewhere."""
        root, version, chat, speaking = Resource(), Resource(), Resource(), Resource()
        root.putChild(b"v1", version)
        root.putChild(b"tts", speaking)
        version.putChild(b"listen", _socket(reactor, self.deepgram))
        version.putChild(b"chat", chat)
        chat.putChild(b"completions", HttpResource(self.chat))
        speaking.putChild(b"websocket", _socket(reactor, self.cartesia))
        site = Site(root, reactor=reactor)
        site.noisy = False
        return site


def _socket(reactor: Any, service: Service) -> Any:
    factory = ServiceFactory(reactor, service)
    factory.startFactory()
    return WebSocketResource(factory)


def urls(port: int) -> dict[str, str]:
    """:returns: what the settings of each service are, by key."""
    return {
        "deepgram.url": f"ws://127.0.0.1:{port}/v1/listen",
        "llm.url": f"http://127.0.0.1:{port}/v1",
        "cartesia.url": f"ws://127.0.0.1:{port}/tts/websocket",
    }


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status; 1 when the port cannot be had."""
    from twisted.internet import reactor

    what = "Deepgram, a chat model and Cartesia"
    said = parser("cascade", what, 8901).parse_args(words)
    clock: Any = reactor
    return serve(clock, said.listen, CascadeDouble(clock).site(clock), _settings)


def _settings(port: int) -> str:
    keys = (DeepgramPlan().key, ChatPlan().key, CartesiaPlan().key)
    found = zip(urls(port).items(), keys, strict=True)
    return "\n".join(
        f"{name} is {url} with the key {key}" for (name, url), key in found
    )


if __name__ == "__main__":
    raise SystemExit(main())
