# -*- test-case-name: tests.bench.test_frames -*-
"""WebSocket as a client writes and reads it, in bytes alone: RFC 6455.

What is sent is masked with zero, which is a mask like any other to who receives it, and
lets the sender make its frames in advance. What comes is read without mercy. No socket,
no clock.
"""

from __future__ import annotations

from struct import pack

__all__ = ["CLOSE", "PING", "PONG", "TEXT", "FrameReader", "masked", "upgrade"]

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

_FINAL = 0x80
_MASKED = 0x80
_NO_MASK = bytes(4)
_LONG = {126: 2, 127: 8}
#: Far above what any service sends.
_MOST_BYTES = 1 << 20


def masked(payload: bytes, opcode: int = TEXT, following: int = 0) -> bytes:
    """
    Make one final frame.

    :param following: how many bytes of its payload are not here and come right after.
    """
    size = len(payload) + following
    if size < 126:
        head = pack("!BB", _FINAL | opcode, _MASKED | size)
    else:
        head = pack("!BBH", _FINAL | opcode, _MASKED | 126, size)
    return head + _NO_MASK + payload


def upgrade(host: str, path: str) -> bytes:
    """:returns: the request that opens a WebSocket; the answer is not checked."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dHdpc3RlZHZvaWNlIGxvYQ==\r\n\r\n"
    ).encode("ascii")


class FrameReader:
    """Takes what a server sends, cut anywhere, and gives whole messages."""

    def __init__(self) -> None:
        #: What came of a frame that is not whole yet.
        self.rest = b""
        self._message = b""
        self._opcode = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """
        :returns: each message and each control frame: its opcode, its payload.
        :raises ValueError: when the server broke the protocol.
        """
        self.rest += data
        found = []
        while (frame := self._take()) is not None:
            first, payload = frame
            whole = self._whole(first & 15, bool(first & _FINAL), payload)
            if whole is not None:
                found.append(whole)
        return found

    def _take(self) -> tuple[int, bytes] | None:
        rest = self.rest
        if len(rest) < 2:
            return None
        first, size = rest[0], rest[1]
        if first & 0x70 or size & _MASKED:
            raise ValueError("no frame of a server")
        start = 2 + _LONG.get(size, 0)
        if size in _LONG:
            if len(rest) < start:
                return None
            size = int.from_bytes(rest[2:start], "big")
        if size > _MOST_BYTES:
            raise ValueError("a frame that is far too long")
        if len(rest) < start + size:
            return None
        self.rest = rest[start + size :]
        return first, rest[start : start + size]

    def _whole(
        self, opcode: int, final: bool, payload: bytes
    ) -> tuple[int, bytes] | None:
        if opcode >= CLOSE:
            return opcode, payload
        if (opcode == 0) != (self._opcode != 0):
            raise ValueError("a fragment out of order")
        self._opcode = self._opcode or opcode
        self._message += payload
        if not final:
            return None
        message = self._opcode, self._message
        self._opcode, self._message = 0, b""
        return message
