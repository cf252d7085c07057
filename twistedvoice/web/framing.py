# -*- test-case-name: tests.web.test_framing -*-
"""A whole message as one WebSocket frame of a server: RFC 6455, section 5.2.

Servers do not mask, so the header depends on the length alone and a frame can be made
when its message is queued. Everything else about WebSocket is Autobahn's.
"""

from __future__ import annotations

from struct import pack

from ..events import Message

__all__ = ["frame_message"]

_FINAL_TEXT = 0x81
_FINAL_BINARY = 0x82


def frame_message(message: Message) -> bytes:
    """:returns: the bytes that carry ``message``, in one final frame."""
    first = _FINAL_BINARY if message.binary else _FINAL_TEXT
    size = len(message.data)
    if size < 126:
        header = pack("!BB", first, size)
    elif size < 1 << 16:
        header = pack("!BBH", first, 126, size)
    else:
        header = pack("!BBQ", first, 127, size)
    return header + message.data
