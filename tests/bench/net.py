"""A network in virtual time: sockets, an epoll set, and a service at the other end."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable

from twistedvoice.bench.frames import CLOSE, PING, TEXT

__all__ = ["Net", "Service", "Socket", "server_frame", "unmasked"]

_QUANTUM_NS = 100_000


def server_frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """:returns: a frame as a server sends it."""
    size = len(payload)
    long = b"" if size < 126 else size.to_bytes(2, "big")
    return bytes((0x80 * final | opcode, 126 if long else size)) + long + payload


def unmasked(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """:returns: the frames that a client sent, and what is left."""
    found = []
    while len(data) >= 6:
        size, start = data[1] & 0x7F, 2
        assert data[1] & 0x80, "a client masks"
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        mask, body = data[start : start + 4], data[start + 4 : start + 4 + size]
        if len(body) < size:
            break
        text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
        found.append((data[0] & 15, text))
        data = data[start + 4 + size :]
    return found, data


class Service:
    """Answers one socket: says yes, and echoes each media message after a delay."""

    def __init__(self, socket: Socket, delay: Callable[[int], int]) -> None:
        """:param delay: of an echo, in nanoseconds, by when it was said."""
        self.socket = socket
        self.delay = delay
        #: Every message that came, in order.
        self.heard: list[tuple[int, bytes]] = []
        self._rest = b""
        self._upgraded = False

    def received(self, data: bytes) -> None:
        """Take what the client sends."""
        self._rest += data
        if not self._upgraded:
            request, end, self._rest = self._rest.partition(b"\r\n\r\n")
            assert request.startswith(b"GET / HTTP/1.1\r\n") and end
            self._upgraded = True
            self.say(b"HTTP/1.1 101 Switching Protocols\r\nX: y\r\n\r\n")
        frames, self._rest = unmasked(self._rest)
        for opcode, payload in frames:
            self.heard.append((opcode, payload))
            self.answer(opcode, payload)

    def answer(self, opcode: int, payload: bytes) -> None:
        """Echo sound, and close when asked to."""
        if opcode == CLOSE:
            self.say(server_frame(payload, CLOSE))
            self.say(b"")
        elif b'"event":"media"' in payload:
            _, _, rest = payload.partition(b'"payload":"')
            sound, _, stream = rest.partition(b'"},"streamSid":')
            media = b'{"event": "media", "streamSid": %s, "media": {"payload": "%s"}}'
            self.say(
                server_frame(media % (stream[:-1], sound)),
                self.delay(self.socket.net.now_ns),
            )

    def say(self, data: bytes, delay_ns: int = 0) -> None:
        """Send; nothing at all closes."""
        inbox = self.socket.inbox
        at_ns = self.socket.net.now_ns + delay_ns
        inbox.append((max(at_ns, inbox[-1][0] if inbox else 0), data))

    def ping(self) -> None:
        """Send a ping."""
        self.say(server_frame(b"hello", PING))


class Socket:
    """The client's end."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.inbox: deque[tuple[int, bytes]] = deque()
        self.closed = False
        self.error = 0
        #: What each ``send`` takes at most; None for all of it.
        self.room: int | None = None
        self.address: tuple[str, int] | None = None
        self.service = Service(self, net.delay)
        net.sockets.append(self)

    def setblocking(self, flag: bool) -> None:
        """As a socket."""
        assert not flag

    def setsockopt(self, *option: int) -> None:
        """As a socket."""

    def fileno(self) -> int:
        """:returns: its number in the net."""
        return self.net.sockets.index(self)

    def connect_ex(self, address: tuple[str, int]) -> None:
        """As a socket."""
        self.address = address

    def getsockopt(self, *option: int) -> int:
        """:returns: the error of the connection."""
        return self.error

    def send(self, data: bytes) -> int:
        """Take what there is room for."""
        if self.room == 0:
            raise BlockingIOError
        if self.room is not None:
            data = data[: self.room]
        self.service.received(data)
        return len(data)

    def recv(self, most: int) -> bytes:
        """Give what has come."""
        if not self.readable:
            raise BlockingIOError
        data = self.inbox.popleft()[1]
        if data == b"reset":
            raise ConnectionResetError
        return data

    def close(self) -> None:
        """As a socket."""
        self.closed = True

    @property
    def readable(self) -> bool:
        """Whether something has come."""
        return bool(self.inbox) and self.inbox[0][0] <= self.net.now_ns


class Net:
    """Time, all sockets, and the epoll set that watches them."""

    def __init__(self, delay: Callable[[int], int] = lambda now_ns: 0) -> None:
        """:param delay: of all echoes; see :class:`Service`."""
        self.now_ns = 0
        self.delay = delay
        self.sockets: list[Socket] = []
        self._wanted: dict[int, int] = {}
        self.closed = False

    def clock(self) -> int:
        """:returns: the time, in nanoseconds."""
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.now_ns += round(seconds * 1e9)

    def new_socket(self) -> Socket:
        """:returns: a socket with a service at its other end."""
        return Socket(self)

    def register(self, descriptor: int, events: int) -> None:
        """As an epoll."""
        self._wanted[descriptor] = events

    modify = register

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        """As an epoll."""
        found = []
        for descriptor, events in self._wanted.items():
            socket = self.sockets[descriptor]
            ready = events & select.EPOLLOUT or socket.readable
            if ready and not socket.closed:
                found.append((descriptor, events))
        return found[:most]

    def close(self) -> None:
        """As an epoll."""
        self.closed = True
