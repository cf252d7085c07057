# -*- test-case-name: tests.recording.test_farend -*-
"""Where our sound is heard: the playout clock, corrected by the marks that come back.

Our clock says when a frame would be heard without any way to go; the far end hears it
later by the way and by the carrier's buffer. A mark's echo says when the far end really
came to the end of something, so it shows how much later, and corrects what was placed
before. Whole microseconds; stream time is our playout clock, recording time is where it
lies in the file.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from attrs import define

__all__ = ["FarEnd", "Shift"]

#: After so long a hole the carrier's buffer is surely empty and fills anew.
_PAUSE_US = 500_000
#: An echo is sent and read up to a frame late, never early: less is no news.
_LATE_US = 20_000
_EARLY_US = 3_000
#: How many delays are remembered; the smallest of them counts.
_REMEMBERED = 5
#: Sound in more pieces than this is corrected from here on only.
_MOST_PIECES = 500


class Shift(NamedTuple):
    """A span of recording time that moves, as it is by ``by_us``."""

    at_us: int
    until_us: int
    by_us: int


@define
class _Piece:
    """Sound that plays without a hole: in stream time, and where it lies."""

    start_us: int
    end_us: int
    at_us: int
    #: Whether the carrier's buffer was surely empty before it.
    fresh: bool
    #: Whether an echo has told where it lies.
    known: bool = False

    @property
    def delay_us(self) -> int:
        return self.at_us - self.start_us

    @property
    def until_us(self) -> int:
        return self.at_us + self.end_us - self.start_us


class FarEnd:
    """Where one call's outgoing sound lies in its recording."""

    def __init__(self) -> None:
        #: Pieces that no echo has confirmed yet, in order.
        self._pieces: deque[_Piece] = deque(maxlen=_MOST_PIECES)
        #: How long sound took to be heard that met an empty buffer.
        self._delays: deque[int] = deque(maxlen=_REMEMBERED)
        #: The same of other sound: it counts while there is nothing better.
        self._other_delay_us = 0
        #: Nothing is placed before this: there lies what was confirmed.
        self._floor_us = 0
        #: A hole of this length empties the carrier's buffer; None until one did.
        self._absorbs_us: int | None = None

    @property
    def delay_us(self) -> int:
        """How much later than our clock says sound is heard; 0 until it is known."""
        return min(self._delays, default=self._other_delay_us)

    def resume(self, delay_us: int) -> None:
        """Go on with the delay that was known elsewhere."""
        self._other_delay_us = delay_us

    def place(self, start_us: int, duration_us: int, ahead_us: int) -> int:
        """
        :param ahead_us: how much recording time is ahead of stream time.
        :returns: where a frame lies that plays from ``start_us`` by our clock.
        """
        last = self._pieces[-1] if self._pieces else None
        if last is not None and start_us == last.end_us:
            last.end_us += duration_us
            return last.until_us - duration_us
        fresh = last is None or start_us - last.end_us >= _PAUSE_US
        at_us = self._entry(start_us, last, ahead_us)
        self._pieces.append(_Piece(start_us, start_us + duration_us, at_us, fresh))
        return at_us

    def cleared(self, at_us: int, ahead_us: int) -> int:
        """
        :param at_us: when the carrier was told to drop what it holds.
        :returns: the recording time from which on nothing said before is heard.
        """
        cut_us = at_us + ahead_us
        pieces = self._pieces
        while pieces and pieces[-1].at_us >= cut_us:
            pieces.pop()
        if pieces and pieces[-1].until_us > cut_us:
            pieces[-1].end_us -= pieces[-1].until_us - cut_us
        return cut_us

    def echoed(self, end_us: int, heard_us: int, ahead_us: int) -> list[Shift]:
        """
        A mark came back.

        :param end_us: the stream time where the sound before the mark ended.
        :param heard_us: the recording time when the far end came there.
        :returns: what moves, in order and without overlap.
        """
        number = self._piece_at(end_us)
        if number is None:
            return []
        pieces = self._pieces
        piece = pieces[number]
        measured_us = max(heard_us - end_us, ahead_us)
        guessed = not self._delays
        if piece.fresh:
            self._delays.append(measured_us - ahead_us)
        elif guessed:
            self._other_delay_us = measured_us - ahead_us
        off_us = measured_us - piece.delay_us
        old = [each.at_us for each in pieces]
        moves = off_us >= _LATE_US or off_us <= -_EARLY_US
        if moves or guessed:
            nominal_us = self.delay_us + ahead_us
            if not guessed:
                self._learn(number, measured_us, nominal_us)
            delay_us = measured_us if moves else piece.delay_us
            first = self._correct(number, delay_us, max(nominal_us, measured_us))
            self._place_anew(range(first), ahead_us)
            self._place_anew(range(number + 1, len(pieces)), ahead_us)
        shifts = [
            Shift(at_us, at_us + each.end_us - each.start_us, each.at_us - at_us)
            for at_us, each in zip(old, pieces, strict=True)
            if each.at_us != at_us
        ]
        self._confirm(number, end_us)
        return shifts

    def _entry(self, start_us: int, last: _Piece | None, ahead_us: int) -> int:
        """:returns: where sound goes that comes while the buffer plays, or is dry."""
        at_us = start_us + ahead_us + self.delay_us
        if last is None:
            return max(at_us, self._floor_us)
        absorbs_us = self.delay_us if self._absorbs_us is None else self._absorbs_us
        hole_us = _hole_us(last, start_us, self.delay_us + ahead_us)
        if hole_us < absorbs_us and start_us + ahead_us < last.until_us:
            return last.until_us
        return max(at_us, last.until_us)

    def _learn(self, number: int, measured_us: int, nominal_us: int) -> None:
        """Sound after a hole that waited as at the beginning: the buffer was empty."""
        if not number or abs(measured_us - nominal_us) >= _LATE_US:
            return
        start_us = self._pieces[number].start_us
        hole_us = _hole_us(self._pieces[number - 1], start_us, nominal_us)
        if self._absorbs_us is None or hole_us < self._absorbs_us:
            self._absorbs_us = hole_us

    def _piece_at(self, end_us: int) -> int | None:
        for number, piece in enumerate(self._pieces):
            if piece.start_us < end_us <= piece.end_us:
                return number
        return None

    def _correct(self, number: int, delay_us: int, nominal_us: int) -> int:
        """
        Move this piece and those before it that one buffer played.

        A hole may have used the buffer up, and before a longer one an echo tells
        nothing.

        :returns: the first that it tells of.
        """
        pieces = self._pieces
        pieces[number].at_us = max(pieces[number].start_us + delay_us, self._floor_us)
        while number and not pieces[number].fresh:
            piece, after, number = pieces[number - 1], pieces[number], number - 1
            if piece.known:
                delay_us = piece.delay_us
                continue
            delay_us = min(nominal_us, delay_us + after.start_us - piece.end_us)
            piece.at_us = max(piece.start_us + delay_us, self._floor_us)
        return number

    def _place_anew(self, numbers: range, ahead_us: int) -> None:
        """Place pieces as if they came now, each after the one before it."""
        pieces = self._pieces
        for number in numbers:
            if not pieces[number].known:
                last = pieces[number - 1] if number else None
                start_us = pieces[number].start_us
                pieces[number].at_us = self._entry(start_us, last, ahead_us)

    def _confirm(self, number: int, end_us: int) -> None:
        """Forget what lies before the echo; it stays where it is, and ends there."""
        pieces = self._pieces
        pieces[number].known = True
        if not self._delays:
            return  # what came before it is a guess
        for _ in range(number):
            pieces.popleft()
        piece = pieces[0]
        self._floor_us = piece.at_us + end_us - piece.start_us
        piece.start_us, piece.at_us, piece.fresh = end_us, self._floor_us, False
        piece.known = piece.end_us == end_us


def _hole_us(last: _Piece, start_us: int, nominal_us: int) -> int:
    """
    :param nominal_us: how long sound takes that meets an empty buffer.
    :returns: how much of the buffer the hole after ``last`` takes, with what the holes
        before it took.
    """
    return start_us - last.end_us + max(0, nominal_us - last.delay_us)
