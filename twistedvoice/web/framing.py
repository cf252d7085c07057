# -*- test-case-name: tests.web.test_framing -*-
"""A whole message as one WebSocket frame: RFC 6455, section 5.2.

Servers do not mask, so the header depends on the length alone and a frame can be made
when its message is queued, and taken as it stands. Clients mask each frame with a key
of its own. Everything else about WebSocket is Autobahn's.
"""

from __future__ import annotations

from struct import Struct

from ..events import Message

__all__ = ["frame_message", "mask_message", "take_message"]

_FINAL_TEXT = 0x81
_FINAL_BINARY = 0x82
_FINALS = (_FINAL_TEXT, _FINAL_BINARY)
_MASKED = 0x80
_LENGTH_IN_TWO_BYTES = 126
_LENGTH_IN_EIGHT_BYTES = 127
_SHORT, _USUAL, _LONG = Struct("!BB"), Struct("!BBH"), Struct("!BBQ")


def frame_message(message: Message) -> bytes:
    """:returns: a server's bytes that carry ``message``, in one final frame."""
    return _header(message, 0) + message.data


def mask_message(message: Message, key: bytes) -> bytes:
    """
    :param key: four bytes that nobody can foresee.
    :returns: a client's bytes that carry ``message``, in one final frame.
    """
    size = len(message.data)
    # One big number is the fastest way to combine so many bytes in pure Python.
    number = int.from_bytes(message.data, "little")
    number ^= int.from_bytes((key * (size // 4 + 1))[:size], "little")
    return _header(message, _MASKED) + key + number.to_bytes(size, "little")


def take_message(data: bytes, start: int) -> tuple[Message | None, int]:
    """
    Take one whole message of a server's in one frame: a text in ASCII, or bytes.

    :param start: where the frame begins.
    :returns: the message and where its frame ends; when there is none such there, or
        it is of 64 KiB or more, None and ``start``.
    """
    size = len(data)
    if size < start + 2 or data[start] not in _FINALS:
        return None, start
    length, body = data[start + 1], start + 2
    if length == _LENGTH_IN_TWO_BYTES and size >= start + 4:
        length, body = data[start + 2] << 8 | data[start + 3], start + 4
        if length < _LENGTH_IN_TWO_BYTES:
            return None, start
    elif length >= _LENGTH_IN_TWO_BYTES:
        return None, start
    end = body + length
    if end > size:
        return None, start
    payload = data[body:end]
    if data[start] == _FINAL_BINARY:
        return Message(payload, binary=True), end
    return (Message(payload, binary=False), end) if payload.isascii() else (None, start)


def _header(message: Message, masked: int) -> bytes:
    first = _FINAL_BINARY if message.binary else _FINAL_TEXT
    size = len(message.data)
    if size < _LENGTH_IN_TWO_BYTES:
        return _SHORT.pack(first, masked | size)
    if size < 1 << 16:
        return _USUAL.pack(first, masked | _LENGTH_IN_TWO_BYTES, size)
    return _LONG.pack(first, masked | _LENGTH_IN_EIGHT_BYTES, size)
