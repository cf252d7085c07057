# -*- test-case-name: tests.realtime.test_tracks -*-
"""Both sides of a call's sound, as references to the bytes that came and went.

The receive path appends to ``heard`` and the tick to ``played``: one list append each,
of bytes that exist anyway. Whoever records takes them from here, elsewhere and later.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from ..formats import FRAME_US, AudioFormat

__all__ = ["Note", "Tracks"]


class Note(NamedTuple):
    """Something that happened to the sound; times are on the schedule's clock."""

    #: ``clear``, or what became of an utterance: ``played``, ``cleared`` ...
    kind: str
    at_us: int
    #: How many frames of ``heard`` came before it.
    heard: int
    #: Where the utterance lies on the playout clock.
    from_us: int = 0
    until_us: int = 0


class Tracks:
    """
    The sound of one call that nobody has taken yet.

    Times count from the start of the stream. ``heard`` holds ``(milliseconds on the
    carrier's clock, payload)`` in order of arrival; ``played`` holds ``(microseconds
    on the playout clock, payload)`` in playing order, without overlap.
    """

    __slots__ = ("ended_us", "format", "heard", "notes", "played")

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self.format = format
        self.heard: list[tuple[int, bytes]] = []
        self.played: list[tuple[int, bytes]] = []
        #: What happened besides; never noted by the tick.
        self.notes: list[Note] = []
        #: When the call ended; nothing is heard or played any more.
        self.ended_us: int | None = None

    def cut(self, at_us: int) -> None:
        """Forget what would play after ``at_us``: the carrier was told to drop it."""
        played = self.played
        while played and played[-1][0] >= at_us:
            played.pop()
        if played:
            start_us, payload = played[-1]
            kept = payload[: self.format.bytes_in(at_us - start_us)]
            played[-1] = (start_us, kept)

    def take(
        self, until_us: int
    ) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
        """
        Take all that was heard, and what had been played out by ``until_us``.

        :returns: ``heard`` and ``played``, which are then no longer here. A frame that
            is still playing stays, since a clear may yet cut it.
        """
        heard, self.heard = self.heard, []
        played = self.played
        # A frame is a period at most, and only that of a cut is less.
        count = bisect_right(played, (until_us - FRAME_US + 1,))
        while count < len(played) and self._is_over(played[count], until_us):
            count += 1
        taken = played[:count]
        del played[:count]
        return heard, taken

    def _is_over(self, frame: tuple[int, bytes], until_us: int) -> bool:
        start_us, payload = frame
        return start_us + self.format.duration_us(len(payload)) <= until_us
