"""The real call keeps the contract of a call."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls import utterance
from twistedvoice.interfaces import Agent, CallControl

from .control_contract import CallControlContract, CallHarness
from .doubles import Exchange, Line

__all__ = ["CallContractTests"]


class Harness:
    """A real call on a simulated line."""

    def __init__(self, exchange: Exchange, line: Line, call: CallControl) -> None:
        self.call = call
        self.advance = exchange.advance
        self.end = line.stop


class CallContractTests(CallControlContract, SynchronousTestCase):
    """The contract, on a carrier with marks and clear."""

    def setUp(self) -> None:
        # Five minutes, at the pace of a caller's ear, are long in virtual time too.
        self.patch(utterance, "MOST_WAITING_FRAMES", 1_000)
        super().setUp()

    def make_call(self, agent: Agent) -> CallHarness:
        exchange = Exchange(agent=lambda: agent)
        line = exchange.dial()
        return Harness(exchange, line, getattr(agent, "call"))  # noqa: B009
