# -*- test-case-name: tests.realtime.test_playout -*-
"""Where the caller's ear is, by the clock, and how far ahead of it we feed.

The carrier plays what it gets in order and in real time, so the moment of each send
says when each frame is heard. Whole microseconds throughout; time is an argument.
"""

from __future__ import annotations

from ..formats import FRAME_US

__all__ = ["PlayoutClock"]

#: How much longer than the longest delay a lead is: the next may be longer.
_SPARE_US = 3 * FRAME_US

#: How long all must have been quiet before a lead that was raised is lowered a frame.
_QUIET_US = 10_000_000


class PlayoutClock:
    """
    How far ahead of the ear the carrier is fed: the lead.

    Late time is never made up: after a hole the clock goes on from now, and no more
    than the lead is ever sent at once. A lead may grow when visits come late, and then
    shrinks a frame at a time while they do not.
    """

    __slots__ = (
        "_most_us",
        "_quiet_since_us",
        "_rest_us",
        "lead_us",
        "playing_until_us",
    )

    def __init__(self, lead_us: int, most_lead_us: int = 0) -> None:
        """
        :param lead_us: how much sound the carrier may hold; 20,000 sends strictly one
            frame a tick.
        :param most_lead_us: what it may grow to; by default it stays.
        """
        self.lead_us = lead_us
        self.playing_until_us = 0
        self._rest_us = lead_us
        self._most_us = max(lead_us, most_lead_us)
        self._quiet_since_us = 0

    def frames_due(self, now_us: int) -> int:
        """:returns: how many frames may be sent now."""
        ahead_us = self.playing_until_us - now_us
        if ahead_us < 0:
            ahead_us = 0
        return -((ahead_us - self.lead_us) // FRAME_US)

    def frame_sent(self, now_us: int) -> int:
        """:returns: when the frame sent now begins to be heard."""
        start_us = self.playing_until_us
        if start_us < now_us:
            start_us = now_us
        self.playing_until_us = start_us + FRAME_US
        return start_us

    def cleared(self, now_us: int) -> None:
        """The carrier drops what it holds: nothing is playing any more."""
        if self.playing_until_us > now_us:
            self.playing_until_us = now_us

    def adapt(self, now_us: int, late_us: int) -> None:
        """
        Have the lead cover what the visit was late and a little more, and ease off
        when all is quiet.

        :param late_us: how late this visit is.
        """
        wanted_us = late_us // FRAME_US * FRAME_US + _SPARE_US
        if wanted_us > self._rest_us:
            self._quiet_since_us = now_us
            self.lead_us = max(self.lead_us, min(wanted_us, self._most_us))
        elif (
            self.lead_us > self._rest_us and now_us - self._quiet_since_us >= _QUIET_US
        ):
            self._quiet_since_us = now_us
            self.lead_us = max(self.lead_us - FRAME_US, self._rest_us)
