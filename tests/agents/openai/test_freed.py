"""A call with a model is freed by its last reference, as every call is."""

from __future__ import annotations

import gc

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.model.freed import left_of, parts_of

from .test_interrupts import FuzzedCall

__all__ = ["FreedTests"]


class FreedTests(SynchronousTestCase):
    """Nothing of it stays."""

    def setUp(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)

    def test_freed(self) -> None:
        """After a few interruptions and the end, neither call nor agent is there."""
        talk = FuzzedCall(3)
        talk.interrupt(3)
        parts = parts_of(talk.exchange)
        talk.hang_up()
        talk.exchange.advance(60)
        self.assertEqual(left_of(parts), [])
