# -*- test-case-name: tests.recording.test_pieces -*-
"""Pieces of sound with their places: joined, cut, and put together.

A piece is a position in samples and sound of one channel. Pure functions; each works on
whole pieces at once, as it runs in a thread beside the reactor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

__all__ = [
    "CALLER",
    "CHANNELS",
    "SERVICE",
    "before",
    "cut_at",
    "fill",
    "joined",
    "one_by_one",
    "put",
]

#: The channels of a recording: the caller left, the service right.
CALLER, SERVICE = 0, 1
CHANNELS = 2


def one_by_one(
    frames: Sequence[tuple[int, bytes]], size: int, step: int
) -> Sequence[tuple[int, bytes]]:
    """:returns: the frames of which pieces were joined, all whole but the last."""
    return [
        (first + step * number, sound[number * size : (number + 1) * size])
        for first, sound in frames
        for number in range(max(1, -(-len(sound) // size)))
    ]


def before(
    frames: Sequence[tuple[int, bytes]], end: int, width: int
) -> Iterator[tuple[int, bytes]]:
    for position, payload in frames:
        if position < end:
            yield position, payload[: (end - position) * width]


def cut_at(
    frames: Sequence[tuple[int, bytes]], places: Sequence[int], width: int
) -> Iterator[tuple[int, bytes]]:
    """
    :param width: bytes of a sample.
    :returns: the same sound, in which nothing lies across one of ``places``.
    """
    for position, payload in frames:
        end = position + len(payload) // width
        edges = {position, end, *(each for each in places if position < each < end)}
        for start, stop in pairwise(sorted(edges)):
            yield start, payload[(start - position) * width : (stop - position) * width]


def put(both: bytearray, at: int, sound: bytes, width: int, channel: int) -> None:
    """
    Write sound of one channel into sound of both, interleaved.

    :param at: the sample frame where it begins; all of it has room.
    :param width: bytes of a sample.
    """
    stride = CHANNELS * width
    start, stop = at * stride + channel * width, at * stride + CHANNELS * len(sound)
    for byte in range(width):
        both[start + byte : stop : stride] = sound[byte::width]


def fill(
    both: bytearray,
    frames: Sequence[tuple[int, bytes]],
    start: int,
    width: int,
    channel: int,
) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """
    Put one channel's frames into the span of both that begins at ``start``.

    :returns: what should have come before it, and what comes after it.
    """
    end = start + len(both) // (CHANNELS * width)
    late, waiting = [], []
    for position, payload in frames:
        size = len(payload) // width
        first = min(max(start - position, 0), size)
        last = min(max(end - position, first), size)
        if first:
            late.append((position, payload[: first * width]))
        if last > first:
            piece = payload[first * width : last * width]
            put(both, position + first - start, piece, width, channel)
        if last < size:
            waiting.append((position + last, payload[last * width :]))
    return late, waiting


def joined(
    frames: Sequence[tuple[int, bytes]], width: int
) -> Iterator[tuple[int, bytes]]:
    """:returns: frames that lie one behind the other, as one."""
    start, pieces, end = 0, list[bytes](), 0
    for position, payload in frames:
        if pieces and position != end:
            yield start, b"".join(pieces)
            pieces.clear()
        start = start if pieces else position
        pieces.append(payload)
        end = position + len(payload) // width
    if pieces:
        yield start, b"".join(pieces)
