"""A call with a model is freed by its last reference, as every call is."""

from __future__ import annotations

from pathlib import Path

from tests.agents.model.freed import FreedCase
from tests.calls.doubles import Exchange, tone
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.outside import Outside
from twistedvoice.doubles.gemini.service import GeminiDouble
from twistedvoice.doubles.network import MemoryNetwork

from .talk import ACCOUNTS

__all__ = ["FreedTests"]


class FreedTests(FreedCase):
    """Nothing of it stays."""

    def test_freed(self) -> None:
        """After an interruption, a lost session and the end nothing is there."""
        exchange = Exchange()
        double = GeminiDouble(exchange.clock)
        model = Gemini.configure({}, Path())
        assert isinstance(model, Model)
        dial = MemoryNetwork(exchange.clock, double)
        model.connect(Outside(clock=exchange.clock, dial=dial, accounts=ACCOUNTS))
        exchange.make_agent = model
        line = exchange.dial()
        exchange.advance(1)
        for _ in range(10):
            line.sound(tone(20))
            exchange.advance(0.02)
        self.assertEqual(double.session.contents("interrupted"), [True])
        double.session.break_off(1011)
        exchange.advance(1)
        parts = ("_speech", "_connection", "_connection._session")
        self.assert_freed(exchange, line, *parts)
