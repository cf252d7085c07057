"""A client of a double: opens a socket in memory and notes what comes."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.python.failure import Failure

from twistedvoice.doubles.network import MemoryNetwork, Service
from twistedvoice.errors import SocketRefused
from twistedvoice.events import Message
from twistedvoice.sockets import Socket, SocketRequest

__all__ = ["ClientSocket"]


class ClientSocket:
    """One socket to a service; ``refused`` is the status of a refusal."""

    def __init__(
        self, clock: Clock, service: Service, url: str, headers: dict[str, str]
    ) -> None:
        self.told: list[dict[str, Any]] = []
        self.refused: int | None = None
        #: The code with which the service went; None while it is here.
        self.ended: int | None = None
        self._clock = clock
        self._socket: Socket
        request = SocketRequest(url=url, headers=headers)
        opening = MemoryNetwork(clock, service)(request, self)
        opening.addCallbacks(self._opened, self._refused)
        clock.advance(0)

    def send(self, told: object) -> None:
        """Send sound, text as it is, or an object; the service hears it at once."""
        if isinstance(told, bytes):
            message = Message(told, binary=True)
        else:
            text = told if isinstance(told, str) else json.dumps(told)
            message = Message(text.encode(), binary=False)
        self._socket.send(message)
        self.pass_time(0)

    def close(self) -> None:
        """Go."""
        self._socket.close()
        self.pass_time(0)

    def pass_time(self, seconds: float) -> None:
        """Let it pass, a hundredth of a second at a time."""
        self._clock.pump([0.01] * round(seconds * 100) + [0, 0])

    def kinds(self) -> list[str]:
        """:returns: the types of what came."""
        return [told["type"] for told in self.told]

    def received(self, message: Message) -> None:
        self.told.append(json.loads(message.data))

    def lost(self, code: int, reason: str) -> None:
        self.ended = code

    def _opened(self, socket: Socket) -> None:
        self._socket = socket

    def _refused(self, failure: Failure) -> None:
        assert isinstance(failure.value, SocketRefused)
        self.refused = failure.value.status
