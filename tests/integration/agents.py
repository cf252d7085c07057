"""Agents for the services that tests start."""

from __future__ import annotations

from twistedvoice.agents.agent import Agent
from twistedvoice.interfaces import CallControl

__all__ = ["LATE", "Late", "Talker"]

#: One frame of a loud square wave in mu-law.
_LOUD = b"\x8f" * 80 + b"\x0f" * 80
#: How long :class:`Late` is silent, in seconds.
LATE = 0.6


class Talker(Agent):
    """Talks for ten seconds, whatever it hears."""

    def call_started(self, call: CallControl) -> None:
        """Say all of it at once."""
        call.say(_LOUD * 500)


class Late(Agent):
    """Waits before it says half a second."""

    def call_started(self, call: CallControl) -> None:
        """Say it later."""
        call.call_later(LATE, self._speak)

    def _speak(self) -> None:
        self.call.say(_LOUD * 25)
