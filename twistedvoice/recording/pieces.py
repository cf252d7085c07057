# -*- test-case-name: tests.recording.test_pieces -*-
"""Pieces of sound with their places: joined, cut, and put together.

A piece is a position in samples and sound of one channel. Pure functions; each works on
whole pieces at once, as it runs in a thread beside the reactor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..formats import AudioFormat

__all__ = ["before", "fill", "in_one", "interleaved", "joined"]


def in_one(
    frames: Sequence[tuple[int, bytes]],
    format: AudioFormat,  # noqa: A002
    step: int,
) -> Sequence[tuple[int, bytes]]:
    """
    Join frames, when each is whole and follows the one before: the usual case.
    """
    if not frames:
        return frames
    first, count = frames[0][0], len(frames)
    if frames[-1][0] != first + step * (count - 1):
        return frames  # at once, where it is not so
    times, payloads = zip(*frames, strict=True)
    if times != tuple(range(first, first + step * count, step)):
        return frames
    if set(map(len, payloads)) != {format.frame_bytes}:
        return frames
    return [(first, b"".join(payloads))]


def before(
    frames: Sequence[tuple[int, bytes]], end: int, width: int
) -> Iterator[tuple[int, bytes]]:
    for position, payload in frames:
        if position < end:
            yield position, payload[: (end - position) * width]


def fill(
    sound: bytearray, frames: Sequence[tuple[int, bytes]], start: int, width: int
) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """
    Put frames into the span that begins at ``start``.

    :returns: what should have come before it, and what comes after it.
    """
    end = start + len(sound) // width
    late, waiting = [], []
    for position, payload in frames:
        size = len(payload) // width
        first = min(max(start - position, 0), size)
        last = min(max(end - position, first), size)
        if first:
            late.append((position, payload[: first * width]))
        if last > first:
            at = (position + first - start) * width
            sound[at : at + (last - first) * width] = payload[
                first * width : last * width
            ]
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


def interleaved(left: bytearray, right: bytearray, width: int) -> bytes:
    both = bytearray(2 * len(left))
    for byte in range(width):
        both[byte :: 2 * width] = left[byte::width]
        both[width + byte :: 2 * width] = right[byte::width]
    return bytes(both)
