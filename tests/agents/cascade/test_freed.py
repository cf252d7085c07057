# -*- test-case-name: tests.agents.cascade.test_freed -*-
"""A call with the cascade is freed by its last reference, as every call is."""

from __future__ import annotations

from tests.agents.model.freed import FreedCase
from tests.calls.doubles import Exchange
from twistedvoice.doubles.chat import ChatReply

from .talk import Talk
from .test_agent import Clerk

__all__ = ["FreedTests"]


class FreedTests(FreedCase):
    """Nothing of it stays."""

    def test_freed(self) -> None:
        """After a function, an interruption and the end nothing of it is there."""
        ask = ChatReply(says="One moment.", calls=[("order", {"number": "17"})])
        exchange = Exchange()
        talk = Talk(ask, ask, agent=Clerk, clock=exchange.clock)
        exchange.make_agent = talk.house
        line = exchange.dial()
        exchange.advance(1.0)
        talk.hearing.results("wait", final=True, ends=True)
        exchange.advance(1.0)
        self.assertEqual(self.agent_of(exchange).asked, ["17", "17"])
        self.assert_freed(exchange, line, "_ears", "_speech", "_answer")
