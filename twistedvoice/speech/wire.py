# -*- test-case-name: tests.speech.test_wire -*-
"""What is spoken over the pipes between the service and its engines.

A message is four bytes of length, one of kind, four of the number of a job, and a body.
Neither end knows more of the other than these kinds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Message", "Unpacker", "pack"]

_HEAD = struct.Struct(">IcI")


class Message(NamedTuple):
    """
    One message.

    To an engine: ``S`` set up (JSON), ``B`` begin (JSON), ``A`` sound, ``W`` say which
    words that was so far, ``C`` close. From it: ``R`` ready, ``A`` sound, ``W`` words,
    ``D`` done.
    """

    kind: bytes
    job: int
    body: bytes


def pack(kind: bytes, job: int, body: bytes = b"") -> bytes:
    """:returns: a message as it goes over the pipe."""
    return _HEAD.pack(len(body), kind, job) + body


class Unpacker:
    """Takes bytes as they come, and gives the messages that are whole."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """:returns: every message that is whole now."""
        self._waiting += data
        while len(self._waiting) >= _HEAD.size:
            size, kind, job = _HEAD.unpack_from(self._waiting)
            end = _HEAD.size + size
            if len(self._waiting) < end:
                return
            body = bytes(self._waiting[_HEAD.size : end])
            del self._waiting[:end]
            yield Message(kind, job, body)
