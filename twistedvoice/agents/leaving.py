# -*- test-case-name: tests.agents.test_leaving -*-
"""How a call ends when its agent cannot go on: another number, or the end."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from ..errors import CallStateError, CarrierApiError
from ..interfaces import CallControl

__all__ = ["leave"]


def leave(call: CallControl, number: str) -> Deferred[None]:
    """
    Put the caller through, or hang up.

    :param number: who takes over; empty for nobody.
    :returns: fires when it is done; a transfer that fails is a hang-up.
    """
    if not number:
        call.hang_up()
        return succeed(None)

    def failed(failure: Failure) -> None:
        failure.trap(CarrierApiError, CallStateError)
        call.hang_up()

    return call.transfer(number).addErrback(failed)
