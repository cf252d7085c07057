"""A call with a model is freed by its last reference, as every call is."""

from __future__ import annotations

import gc
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.agents.model.freed import left_of, parts_of
from tests.calls.doubles import Exchange, tone
from twistedvoice.agents.gemini.agent import Gemini
from twistedvoice.agents.model.factory import Model
from twistedvoice.agents.outside import Outside
from twistedvoice.doubles.gemini.service import GeminiDouble
from twistedvoice.doubles.network import MemoryNetwork

from .talk import ACCOUNTS

__all__ = ["FreedTests"]


class FreedTests(SynchronousTestCase):
    """Nothing of it stays."""

    def setUp(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)

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
        parts = parts_of(exchange)
        line.stop()
        line.call = None
        self.assertEqual(exchange.leftovers(), [])
        exchange.advance(60)
        self.assertEqual(left_of(parts), [])
