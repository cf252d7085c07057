"""A call with a model is freed by its last reference, as every call is."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

from twisted.trial.unittest import SynchronousTestCase

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
        [call] = talk.exchange.switchboard
        assert call._link is not None
        agent: Any = call._link.agent
        parts = {
            "call": ref(call),
            "agent": ref(agent),
            "speech": ref(agent._speech),
            "connection": ref(agent._connection),
            "session": ref(agent._connection._session),
        }
        del call, agent
        talk.hang_up()
        talk.exchange.advance(60)
        left = [name for name, part in parts.items() if part() is not None]
        self.assertEqual(left, [])
