# -*- test-case-name: tests.agents.test_echo -*-
"""The agent that says back what it hears.

It is the shortest way to hear whether a line works, and the lightest load a call can
be: one method call a frame, and the caller's own bytes. It begins a little late: an
echo comes in real time, so what it keeps back at first is all that the line has to
cover a stall with.
"""

from __future__ import annotations

from ..errors import QueueFull
from ..interfaces import CallControl, Utterance
from .agent import Agent

__all__ = ["Echo"]

#: What an utterance begins with at once: the 100 ms that the carrier takes ahead of its
#: ear, and 60 more, so that a frame is there for each tick even when reads come late.
_CUSHION_FRAMES = 8


class Echo(Agent):
    """Says back everything as one utterance without end; keys mean nothing to it."""

    _utterance: Utterance
    #: How many frames the utterance has still to wait for, and those that wait.
    _missing: int
    _kept: bytes

    def call_started(self, call: CallControl) -> None:
        """Begin the one utterance."""
        self._begin(call)

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Say it back."""
        if self._missing:
            self._missing -= 1
            self._kept += payload
            if self._missing:
                return
            payload, self._kept = self._kept, b""
        try:
            self._utterance.write(payload)
        except QueueFull:
            # The line takes less than it gives. An echo that is late already is worth
            # nothing, so this frame goes; the call has counted it as rejected.
            return

    def interrupted(self, reason: str) -> None:
        """Begin again, since an utterance that was cut off stays silent."""
        self._begin(self.call)

    def _begin(self, call: CallControl) -> None:
        self._utterance = call.speak()
        self._missing, self._kept = _CUSHION_FRAMES, b""
