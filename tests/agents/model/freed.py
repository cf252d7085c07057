"""A call with a model elsewhere is freed by its last reference, as every call is."""

from __future__ import annotations

import gc
from operator import attrgetter
from typing import Any
from weakref import ref

from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Line

__all__ = ["FreedCase"]


class FreedCase(SynchronousTestCase):
    """Nothing of it stays."""

    def setUp(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)

    def agent_of(self, exchange: Exchange) -> Any:
        """:returns: the agent of the only call."""
        [call] = exchange.switchboard
        assert call._link is not None
        return call._link.agent

    def assert_freed(self, exchange: Exchange, line: Line, *names: str) -> None:
        """After the end there is no call, no agent, and none of these parts of it."""
        [call] = exchange.switchboard
        agent = self.agent_of(exchange)
        parts = {name: ref(attrgetter(name)(agent)) for name in names}
        parts.update(call=ref(call), agent=ref(agent))
        del call, agent
        line.stop()
        line.call = None
        self.assertEqual(exchange.leftovers(), [])
        exchange.advance(60)
        self.assertEqual([name for name, part in parts.items() if part()], [])
