# -*- test-case-name: tests.agents.test_echo -*-
"""The agent that says back what it hears.

It is the shortest way to hear whether a line works, and the lightest load a call can
be: one method call a frame, the caller's own bytes, no copy.
"""

from __future__ import annotations

from ..errors import QueueFull
from ..interfaces import CallControl, Utterance
from .agent import Agent

__all__ = ["Echo"]


class Echo(Agent):
    """Says back everything as one utterance without end; keys mean nothing to it."""

    _utterance: Utterance

    def call_started(self, call: CallControl) -> None:
        """Begin the one utterance."""
        self._utterance = call.speak()

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Say it back."""
        try:
            self._utterance.write(payload)
        except QueueFull:
            # The line takes less than it gives. An echo that is late already is worth
            # nothing, so this frame goes; the call has counted it as rejected.
            return

    def interrupted(self, reason: str) -> None:
        """Begin again, since an utterance that was cut off stays silent."""
        self._utterance = self.call.speak()
