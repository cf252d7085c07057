# -*- test-case-name: tests.recording.test_heard -*-
"""Places the caller's sound by the carrier's stamps.

What was lost on the way stays silence of its exact length, and what comes late or out
of order goes where it belongs. A frame that leaves a gap is placed once the next one
shows that the gap is real, and one with a stamp that real time cannot have reached only
when several frames confirm it: so one wrong number costs one frame, and no other.
Positions are samples from the start of the stream; knows no clock and no file.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from ..formats import FRAME_MS, AudioFormat

__all__ = ["HeardTrack", "Jump"]

#: A frame that others overtook comes within so many; else its stamp was wrong.
_OVERTAKEN = 3
#: So many frames in sequence confirm a stamp ahead of real time ...
_CONFIRM_AHEAD = 3
#: ... and so many that the carrier counts anew: a second, which no repetition lasts.
_CONFIRM_BEHIND = 50
#: Holes this old are final: nothing comes to fill them any more.
_FINAL_SECONDS = 10


class Jump(NamedTuple):
    """The carrier's clock jumped; from here on stamps are read with a correction."""

    position: int
    #: How many samples are added to each stamp that were not before.
    by: int


class HeardTrack:
    """
    The caller's side of one recording.

    Frames whose stamps only jitter are joined without a seam; a hole of half a frame
    or more stays a hole until something fills it.
    """

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self._width = format.sample_bytes
        self._rate = format.rate
        # Stamps are steered back before they are a frame off: half of one.
        self._seam = format.rate * FRAME_MS // 2000
        #: Where the sound placed so far ends.
        self.end = 0
        #: What was placed since it was last taken, in no order and without overlap.
        self.placed: list[tuple[int, bytes]] = []
        #: Frames that had no place: sent twice, or with a time that cannot be.
        self.dropped = 0
        self.jumps: list[Jump] = []
        self._holes: list[tuple[int, int]] = []
        #: Frames after a gap that is not known to be real, in order.
        self._early: list[tuple[int, bytes]] = []
        #: How many frames came since the first of them.
        self._early_for = 0
        #: Frames whose stamps cannot be, in sequence.
        self._doubted: list[tuple[int, bytes]] = []
        #: How many samples are added to each stamp.
        self.correction = 0
        self._most = 0

    def continues(self, stamp: int) -> bool:
        """:returns: whether sound from ``stamp`` on simply goes on, in any length."""
        if self._early or self._doubted:
            return False
        return abs(stamp + self.correction - self.end) < self._seam

    def place(self, stamp: int, payload: bytes, limit: int, most: int) -> None:
        """
        :param stamp: where the carrier says that ``payload`` begins.
        :param limit: how far real time has come, as far as we know.
        :param most: how far it may have come at all; nothing is placed beyond.
        """
        self._most = most
        position = stamp + self.correction
        size = len(payload) // self._width
        if not size:
            return
        if abs(position - self.end) < self._seam:
            self._disbelieve()
            self._extend(self.end, payload)
            self._reach_early()
        elif self._continues_doubted(position):
            self._doubt(position, payload, limit)
        elif position > self.end and position + size > limit:
            self._disbelieve()
            self._doubt(position, payload, limit)
        elif position > self.end:
            self._disbelieve()
            self._hold(position, payload)
        elif not self._fill(position, payload):
            self._disbelieve()
            self._doubt(position, payload, limit)

    def gaps(self) -> list[tuple[int, int]]:
        """:returns: holes that nothing will fill any more; told once."""
        if not self._holes:
            return []
        final = self.end - _FINAL_SECONDS * self._rate
        found = [hole for hole in self._holes if hole[1] <= final]
        self._holes = [hole for hole in self._holes if hole[1] > final]
        return found

    def finish(self) -> list[tuple[int, int]]:
        """:returns: the holes that are left; nothing comes any more."""
        self._disbelieve()
        self._place(self._early)
        self._early.clear()
        holes, self._holes = self._holes, []
        return holes

    def take(self) -> list[tuple[int, bytes]]:
        """:returns: what was placed since the last time."""
        placed, self.placed = self.placed, []
        return placed

    def _extend(self, position: int, payload: bytes) -> None:
        if self._stop((position, payload)) > self._most:
            self.dropped += 1
            return
        if position > self.end:
            self._holes.append((self.end, position))
        self.placed.append((position, payload))
        self.end = position + len(payload) // self._width

    def _fill(self, position: int, payload: bytes) -> bool:
        """:returns: whether any of a frame from the past was missing."""
        stop, width = position + len(payload) // self._width, self._width
        left: list[tuple[int, int]] = []
        filled = False
        for start, end in self._holes:
            first, last = max(start, position), min(end, stop)
            if first >= last:
                left.append((start, end))
                continue
            filled = True
            piece = payload[(first - position) * width : (last - position) * width]
            self.placed.append((first, piece))
            left += [
                hole for hole in ((start, first), (last, end)) if hole[0] < hole[1]
            ]
        self._holes = left
        if stop > self.end:
            self._extend(self.end, payload[(self.end - position) * width :])
            return True
        return filled

    # -- gaps that may be none ---------------------------------------------------------

    def _hold(self, position: int, payload: bytes) -> None:
        """A frame left a gap; one that comes in order after it confirms that."""
        before = [
            each for each in self._early if self._stop(each) < position + self._seam
        ]
        del self._early[: len(before)]
        self._place(before)
        if abs(position - self.end) < self._seam:
            self._extend(self.end, payload)
            self._reach_early()
        else:
            insort(self._early, (position, payload))

    def _place(self, early: list[tuple[int, bytes]]) -> None:
        for position, payload in early:
            if position > self.end - self._seam:
                self._extend(max(position, self.end), payload)

    def _stop(self, frame: tuple[int, bytes]) -> int:
        position, payload = frame
        return position + len(payload) // self._width

    def _reach_early(self) -> None:
        """The gap closes: what overtook others goes on from here, or was wrong."""
        while self._early and self._early[0][0] < self.end + self._seam:
            position, payload = self._early.pop(0)
            if position > self.end - self._seam:
                self._extend(self.end, payload)
        self._early_for = self._early_for + 1 if self._early else 0
        if self._early_for > _OVERTAKEN:
            self.dropped += len(self._early)
            self._early.clear()
            self._early_for = 0

    # -- stamps that cannot be --------------------------------------------------------

    def _continues_doubted(self, position: int) -> bool:
        if not self._doubted:
            return False
        return abs(position - self._stop(self._doubted[-1])) < self._seam

    def _disbelieve(self) -> None:
        self.dropped += len(self._doubted)
        self._doubted.clear()

    def _doubt(self, position: int, payload: bytes, limit: int) -> None:
        doubted = self._doubted
        doubted.append((position, payload))
        is_ahead = doubted[0][0] > self.end
        if len(doubted) < (_CONFIRM_AHEAD if is_ahead else _CONFIRM_BEHIND):
            return
        self._doubted = []
        self._correct(doubted, limit)
        for _, confirmed in doubted[1:]:
            self._extend(self.end, confirmed)

    def _correct(self, confirmed: list[tuple[int, bytes]], limit: int) -> None:
        """Place the first of ``confirmed``, and read later stamps accordingly."""
        stamp, payload = confirmed[0]
        position = stamp
        length = sum(len(each) for _, each in confirmed) // self._width
        if not self.end < stamp <= self._most - length:
            position = max(self.end, limit - length)
        by = position - stamp
        self.correction += by
        self.jumps.append(Jump(position, by))
        self._extend(position, payload)
