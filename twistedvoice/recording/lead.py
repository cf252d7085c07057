# -*- test-case-name: tests.recording.test_lead -*-
"""How much the carrier's clock is ahead of ours.

Both begin at ``start``, but no two clocks run alike: over an hour they differ by more
than a frame. The caller's stamps tell: none can come from the future, and the newest is
never old for long. It is looked at now and then, when the newest frame is of ever other
ages: the youngest counts. Whole microseconds.
"""

from __future__ import annotations

__all__ = ["Lead"]

#: The newest frame ended at most so long before one of the looks of a window.
_LATE_US = 5_000
#: So long it is watched before the carrier's clock is taken to be slower ...
_WINDOW_US = 30_000_000
#: ... and looked at so often ...
_LEAST_LOOKS = 40
#: ... by this at most in one window: a stream that pauses is no slow clock.
_STEP_US = 5_000


class Lead:
    """The carrier's time less ours, on one call."""

    def __init__(self) -> None:
        self.us = 0
        self._window_ends_us = _WINDOW_US
        self._least_us = 0
        self._looks = 0

    def observe(self, now_us: int, heard_us: int, fresh: bool) -> None:
        """
        :param now_us: our time.
        :param heard_us: the carrier's time at which the newest frame ended.
        :param fresh: whether a frame came just now.
        """
        if not fresh:
            return
        self.us = max(self.us, heard_us - now_us)
        behind_us = now_us + self.us - heard_us - _LATE_US
        self._least_us = min(self._least_us, behind_us) if self._looks else behind_us
        self._looks += 1
        if now_us >= self._window_ends_us:
            if self._looks >= _LEAST_LOOKS:
                self.us -= min(max(self._least_us, 0), _STEP_US)
            self._looks = 0
            self._window_ends_us = now_us + _WINDOW_US
