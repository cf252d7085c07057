"""A peer of a media stream that does as it likes, down to the socket.

It is no WebSocket client: it writes frames by hand, so that it can break off, fall
silent, stop reading or send what no library would.
"""

from __future__ import annotations

import base64
import os
import socket
import struct
from contextlib import suppress
from typing import Any

from attrs import define, field

from twistedvoice.simulator.wire import StreamWriter

__all__ = ["Peer"]

_REQUEST = (
    "GET /twilio/media HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: {key}\r\n\r\n"
)
_TEXT = 0x81
_LOUD = b"\x8f" * 80 + b"\x0f" * 80


def _connected(port: int, buffer_bytes: int | None) -> socket.socket:
    link = socket.socket()
    if buffer_bytes is not None:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    link.settimeout(5)
    link.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    link.sendall(_REQUEST.format(key=key).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += link.recv(1)
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return link


def _size(length: int) -> bytes:
    if length < 126:
        return struct.pack("!B", 0x80 | length)
    if length < 1 << 16:
        return struct.pack("!BH", 0x80 | 126, length)
    return struct.pack("!BQ", 0x80 | 127, length)


@define
class Peer:
    """One stream, which is open."""

    call_id: str
    _link: socket.socket = field(repr=False)
    _writer: StreamWriter = field(repr=False)
    _sent_ms: int = 0

    @classmethod
    def connect(cls, port: int, call_id: str, buffer_bytes: int | None = None) -> Peer:
        """:param buffer_bytes: what the kernel takes in while nobody reads."""
        ids: dict[str, Any] = {"call_id": call_id, "account_id": "AC" + "0" * 32}
        writer = StreamWriter(stream_id=f"MZ-{call_id}", **ids)
        return cls(call_id, _connected(port, buffer_bytes), writer)

    def start(self) -> None:
        """Be a call."""
        self.send(self._writer.connected())
        self.send(self._writer.start({}))

    def speak(self, frames: int = 1) -> None:
        """Send loud sound."""
        for _ in range(frames):
            self.send(self._writer.media(_LOUD, self._sent_ms))
            self._sent_ms += 20

    def send(self, text: str, *, kind: int = _TEXT) -> None:
        """Send one message, masked with zeros."""
        data = text.encode()
        size = _size(len(data))
        with suppress(OSError):  # what becomes of the call is in its record
            self._link.sendall(bytes([kind]) + size + bytes(4) + data)

    def reset(self) -> None:
        """Break off with RST."""
        self._link.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._link.close()

    def close(self) -> None:
        """Close the socket without a word."""
        self._link.close()
