# -*- test-case-name: tests.recording.test_wire -*-
"""What a service and its writer process say to each other.

A message is its length and a value of Python's own, marshalled: a list of orders one
way, a list of answers the other way. Both ends are of one version and one user.
"""

from __future__ import annotations

import marshal
import socket
import struct
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ..realtime.tracks import Note
from .mixer import Batch

__all__ = [
    "LAST_VERBS",
    "Answer",
    "Facts",
    "Line",
    "Order",
    "WriterError",
    "batch_of",
    "plain",
]

#: After these there is nothing more to be done with a part.
LAST_VERBS = frozenset({"finish", "fail", "discard"})

_HEAD = struct.Struct("<I")


class WriterError(Exception):
    """The writer process could not do something, through a fault of ours."""


class Order(NamedTuple):
    """What a part shall do."""

    #: Which part.
    number: int
    #: ``open``, ``append``, ``finish``, ``fail`` or ``discard``.
    verb: str
    args: tuple[Any, ...]


class Facts(NamedTuple):
    """What a part says of itself."""

    path: str | None = None
    duration_ms: int = 0
    late_frames: int = 0
    dropped_frames: int = 0
    #: Spans of sound that a writer took along when it died, in microseconds.
    lost: Sequence[tuple[int, int]] = ()
    #: How many batches were appended.
    batches: int = 0
    #: What proves the finished recording; see :mod:`.seal`.
    chain: str = ""
    seal: str = ""


class Answer(NamedTuple):
    """What an order came to."""

    facts: Facts
    #: What was raised: a number of the system's or 0, a text, and a file's name.
    error: tuple[int, str, str | None] | None = None

    @classmethod
    def of(cls, facts: Facts, error: Exception) -> Answer:
        """:returns: an order came to this ``error``, which is being handled."""
        if isinstance(error, OSError) and error.errno:
            name = None if error.filename is None else str(error.filename)
            return cls(facts, (error.errno, error.strerror or "", name))
        return cls(facts, (0, traceback.format_exc(), None))

    def bare(self) -> tuple[Any, ...]:
        """:returns: it in plain tuples."""
        return tuple(self.facts), self.error

    def check(self) -> None:
        """
        :raises OSError: as it was raised over there.
        :raises WriterError: for anything else.
        """
        if self.error is None:
            return
        number, text, name = self.error
        raise OSError(number, text, name) if number else WriterError(text)


class Line:
    """One end of a conversation; blocks."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, values: list[tuple[Any, ...]]) -> None:
        """
        :param values: plain tuples: marshal knows none of their children.
        :raises OSError: when the other end is gone.
        """
        data = marshal.dumps(values)
        self._end.sendall(_HEAD.pack(len(data)) + data)

    def receive(self) -> Any:
        """
        :returns: the next message: a list of plain tuples.
        :raises EOFError: when the other end is gone; or an ``OSError``.
        """
        (size,) = _HEAD.unpack(self._read(_HEAD.size))
        # Nobody else can write on a pair of sockets.
        return marshal.loads(self._read(size))  # noqa: S302

    def close(self) -> None:
        """Hang up; who waits for a message waits no longer."""
        with suppress(OSError):  # the other end did
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._end.recv(size - len(data), socket.MSG_WAITALL)
            if not more:
                raise EOFError("the other end is gone")
            data += more
        return data


def plain(batch: Batch) -> tuple[Any, ...]:
    """:returns: a batch as it goes over the line."""
    heard, played, until_us, now_us, notes, lost = batch
    return heard, played, until_us, now_us, [tuple(note) for note in notes], lost


def batch_of(values: Sequence[Any]) -> Batch:
    """:returns: the batch that came over the line."""
    heard, played, until_us, now_us, notes, lost = values
    notes = [Note(*note) for note in notes]
    return Batch(heard, played, until_us, now_us, notes, lost)
