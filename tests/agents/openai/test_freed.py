"""A call with a model is freed by its last reference, as every call is."""

from __future__ import annotations

from tests.agents.model.freed import FreedCase

from .test_interrupts import FuzzedCall

__all__ = ["FreedTests"]


class FreedTests(FreedCase):
    """Nothing of it stays."""

    def test_freed(self) -> None:
        """After a few interruptions and the end, neither call nor agent is there."""
        talk = FuzzedCall(3)
        talk.interrupt(3)
        parts = ("_speech", "_connection", "_connection._session")
        self.assert_freed(talk.exchange, talk.line, *parts)
