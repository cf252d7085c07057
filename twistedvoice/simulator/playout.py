# -*- test-case-name: tests.simulator.test_playout -*-
"""The carrier's playout buffer, as the carrier documents it.

Sound of any length is appended and played in order, in real time; marks wait in the
same queue and come back when all sound before them was played; a clear empties the
queue and gives every waiting mark back at once. Time is an argument. The simulated
call asks it what the ear heard; nothing here knows of messages or sockets.
"""

from __future__ import annotations

from collections import deque

from ..formats import MULAW_8K

__all__ = ["PAUSE_MS", "PlayoutBuffer"]

#: A silence longer than this between two pieces of sound is a pause somebody meant.
PAUSE_MS = 1000

_BYTES_PER_MS = MULAW_8K.bytes_per_second // 1000


class PlayoutBuffer:
    """
    A queue of mu-law sound and marks that plays in real time.

    Sound that meets an empty queue waits ``jitter_ms`` before it plays, as a real
    carrier's jitter buffer makes it wait; with 0 the link has no delay.

    An *underrun* is a hole inside an utterance: the queue ran dry, no mark and no
    clear came by before more sound did, and that sound played at most ``PAUSE_MS``
    after the last. So a service that marks the end of what it says is never blamed
    for a pause, and one that does not only for short ones.
    """

    def __init__(self, *, jitter_ms: int) -> None:
        self._queue: deque[bytes | str] = deque()
        self._hold = jitter_ms * _BYTES_PER_MS
        #: Counted in bytes since time zero, as all positions here.
        self._position = 0
        self._plays_from = 0
        self._ran_dry_at: int | None = None
        #: Whether no clear came since it played last.
        self._goes_on = False
        #: From when to when, in milliseconds, it played without a break.
        self.played: list[tuple[float, float]] = []
        #: When and for how long, in milliseconds, the ear heard a hole.
        self.underruns: list[tuple[float, float]] = []
        #: Bytes of sound that wait to be played.
        self.waiting = 0
        #: Bytes of sound that were dropped by a clear.
        self.cleared = 0

    def media(self, payload: bytes) -> None:
        """Append sound that arrives now: at the time last given to :meth:`advance`."""
        if not self.waiting:
            self._plays_from = self._position + self._hold
        if payload:
            self._queue.append(payload)
            self.waiting += len(payload)

    def mark(self, name: str) -> None:
        """Append a mark; the next :meth:`advance` gives it back when it is reached."""
        self._queue.append(name)

    def clear(self) -> list[str]:
        """:returns: the marks that waited; nothing waits any more."""
        marks = [item for item in self._queue if isinstance(item, str)]
        self._queue.clear()
        self.cleared += self.waiting
        self.waiting = 0
        self._ran_dry_at = None
        self._goes_on = False
        return marks

    def advance(self, now_ms: float) -> tuple[bytes, list[str]]:
        """
        Play on until ``now_ms``; a time that has passed plays nothing.

        :returns: what the ear heard since the last time, silence where the queue was
            dry, and the marks that were reached, in order.
        """
        heard = bytearray()
        marks = self._pass_marks()
        until = int(now_ms * _BYTES_PER_MS)
        while self._position < until:
            piece = self._play(until - self._position)
            heard += piece
            self._position += len(piece)
            marks += self._pass_marks()
        return bytes(heard), marks

    def _pass_marks(self) -> list[str]:
        marks: list[str] = []
        while self._queue and isinstance(self._queue[0], str):
            marks.append(self._queue[0])
            self._queue.popleft()
            self._ran_dry_at = None
        return marks

    def _play(self, size: int) -> bytes:
        """:returns: up to ``size`` bytes, at least one, of sound or of silence."""
        if not self.waiting:
            return MULAW_8K.silence(size)
        if self._position < self._plays_from:
            return MULAW_8K.silence(min(size, self._plays_from - self._position))
        self._end_hole()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        piece = self._queue.popleft()
        assert isinstance(piece, bytes)
        if len(piece) > size:
            self._queue.appendleft(piece[size:])
            piece = piece[:size]
        self.waiting -= len(piece)
        self._note_played(len(piece))
        if not self.waiting:
            self._ran_dry_at = self._position + len(piece)
        return piece

    def _note_played(self, size: int) -> None:
        from_ms = self._position / _BYTES_PER_MS
        if self._goes_on and self.played[-1][1] == from_ms:
            from_ms, _ = self.played.pop()
        self.played.append((from_ms, (self._position + size) / _BYTES_PER_MS))
        self._goes_on = True

    def _end_hole(self) -> None:
        began, self._ran_dry_at = self._ran_dry_at, None
        if began is None:
            return
        length_ms = (self._position - began) / _BYTES_PER_MS
        if 0 < length_ms <= PAUSE_MS:
            self.underruns.append((began / _BYTES_PER_MS, length_ms))
