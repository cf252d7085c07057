# -*- test-case-name: tests.agents.test_leaving -*-
"""How a call ends when its agent cannot go on."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.agents.leaving import leave
from twistedvoice.errors import CarrierApiError
from twistedvoice.testing import FakeCall

__all__ = ["LeaveTests"]


class LeaveTests(SynchronousTestCase):
    """Another number, or the end."""

    def setUp(self) -> None:
        self.call = FakeCall(Agent())
        self.call.start()

    def test_nobody(self) -> None:
        """Without a number it is the end."""
        self.successResultOf(leave(self.call, ""))
        self.assertEqual(self.call.events, [("hang_up", "")])

    def test_number(self) -> None:
        """The number takes over."""
        self.successResultOf(leave(self.call, "+15550100"))
        self.assertEqual(self.call.events[0], ("transfer", "+15550100"))

    def test_number_fails(self) -> None:
        """A number that cannot be reached is the end; a bug is none of its business."""
        error = CarrierApiError("no", status=500, code=None, retryable=False)
        self.call.transfer_error = error
        self.successResultOf(leave(self.call, "+15550100"))
        self.assertEqual(self.call.events[-1], ("hang_up", ""))
        call = FakeCall(Agent())
        call.start()
        call.transfer_error = ZeroDivisionError()
        self.failureResultOf(leave(call, "+15550100"), ZeroDivisionError)
