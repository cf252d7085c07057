# -*- test-case-name: tests.web.test_receive -*-
"""Takes the frames that nearly all traffic consists of, before Autobahn sees them.

A carrier sends whole, final, masked texts in ASCII, fifty a second a call; Autobahn's
general engine spends ten times as long on each as it takes to see that one is such.
Everything else - control frames, fragments, other encodings, errors, what came only in
part - goes to Autobahn unchanged and in order, and so does what follows it.

It reads Autobahn's state (``state``, ``data``, ``current_frame`` and its masker,
``inside_message``): the version range in setup.cfg is pinned for that, and
``tests/web/test_receive`` holds it to Autobahn itself on any cut of any bytes. Where
the scanner in C was built, it does what :func:`pure_take_text` does.
"""

from __future__ import annotations

from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol

from ..scanning import fastest

__all__ = ["FastReceive", "pure_take_text", "take_text"]

_FINAL_TEXT = 0x81
_MASKED = 0x80
_LENGTH_IN_TWO_BYTES = 126


def pure_take_text(data: bytes, start: int, most: int) -> tuple[bytes, int]:
    """
    Take one whole, final, masked text frame in ASCII.

    :param start: where the frame begins, from zero up.
    :param most: the longest payload to take.
    :returns: the payload and where the frame ends; when there is no such frame there,
        nothing and ``start``.
    """
    size = len(data)
    if size < start + 6 or data[start] != _FINAL_TEXT:
        return b"", start
    length = data[start + 1] - _MASKED
    body = start + 6
    if length == _LENGTH_IN_TWO_BYTES and size >= start + 8:
        length = data[start + 2] << 8 | data[start + 3]
        body = start + 8
        if length < _LENGTH_IN_TWO_BYTES:
            return b"", start
    elif not 0 < length < _LENGTH_IN_TWO_BYTES:
        return b"", start
    end = body + length
    if end > size or length > most:
        return b"", start
    mask = data[body - 4 : body] * (length // 4 + 1)
    # One big number is the fastest way to combine so many bytes in pure Python.
    number = int.from_bytes(data[body:end], "little")
    number ^= int.from_bytes(mask[:length], "little")
    text = number.to_bytes(length, "little")
    return (text, end) if text.isascii() else (b"", start)


take_text = fastest("take_text", pure_take_text)


class FastReceive(WebSocketServerProtocol):
    """A server's end of a WebSocket that takes usual frames the short way."""

    #: From Autobahn, which sets them without types.
    data: bytes
    current_frame: Any
    current_frame_masker: Any
    inside_message: bool
    maxFramePayloadSize: int
    autoPingTimeoutCall: Any

    def dataReceived(self, data: bytes) -> None:
        if self.state == self.STATE_OPEN:
            if self.current_frame is not None:
                data = self._end_frame(data)
            if not (self.current_frame or self.inside_message):
                if self.data:  # not even a whole header
                    data, self.data = self.data + data, b""
                data = self._take_texts(data)
        if data:
            super().dataReceived(data)

    def _end_frame(self, data: bytes) -> bytes:
        """
        Have Autobahn read the frame that it has begun, and nothing beyond.

        Under load reads end anywhere. If all that follows went the long way, the next
        read would end within a frame again, and so on.

        :returns: what comes after that frame; all of ``data`` when it has no end there.
        """
        rest = self.current_frame.length - self.current_frame_masker.pointer()
        if rest >= len(data):
            return data
        super().dataReceived(data[:rest])
        return data[rest:]

    def _take_texts(self, data: bytes) -> bytes:
        """:returns: what is left when the usual frames at the beginning are taken."""
        start, size = 0, len(data)
        while start < size and self.state == self.STATE_OPEN:
            text, end = take_text(data, start, self.maxFramePayloadSize)
            if end == start:
                break
            start = end
            if self.autoPingTimeoutCall is not None:
                # Any traffic is as good as a pong.
                self._cancelAutoPingTimeoutCall()
            self.onMessage(text, False)
        return data[start:] if start else data
