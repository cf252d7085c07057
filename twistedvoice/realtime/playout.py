# -*- test-case-name: tests.realtime.test_playout -*-
"""Where the caller's ear is, by the clock.

The carrier plays what it gets in order and in real time, so the moment of each send
says when each frame is heard. Whole microseconds throughout; time is an argument.
"""

from __future__ import annotations

from ..formats import FRAME_US

__all__ = ["PlayoutClock"]


class PlayoutClock:
    """
    How far ahead of the ear the carrier is fed.

    Late time is never made up: after a hole the clock goes on from now, and no more
    than the lead is ever sent at once.
    """

    __slots__ = ("lead_us", "playing_until_us")

    def __init__(self, lead_us: int) -> None:
        """
        :param lead_us: how much sound the carrier may hold; 20,000 sends strictly one
            frame a tick.
        """
        self.lead_us = lead_us
        self.playing_until_us = 0

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
