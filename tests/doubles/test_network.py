"""The network in memory keeps the contract of a dialer."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.web.dial_contract import DialerContract, DialerLine
from twistedvoice.doubles.network import MemoryNetwork, Service
from twistedvoice.events import Message

__all__ = ["DelayedTests", "MemoryLine", "MemoryNetworkTests"]


class MemoryLine:
    """A network in memory, for the contract."""

    def __init__(self, service: Service, delay: float) -> None:
        self._clock, self._delay = Clock(), delay
        self.dial = self._network = MemoryNetwork(self._clock, service, delay)

    @property
    def answers(self) -> bool:
        """Whether the service answers."""
        return self._network.answers

    @answers.setter
    def answers(self, answers: bool) -> None:
        self._network.answers = answers

    def advance(self, seconds: float = 0.0) -> None:
        """Let messages arrive, the answers to them too."""
        for pause in (self._delay, self._delay, seconds):
            self._clock.advance(pause)

    def leftovers(self) -> list[object]:
        """:returns: all that waits for its time."""
        return list(self._clock.getDelayedCalls())


class MemoryNetworkTests(DialerContract, SynchronousTestCase):
    """The contract, without a delay."""

    def make_line(self, service: Service) -> DialerLine:
        return MemoryLine(service, 0.0)


class DelayedTests(DialerContract, SynchronousTestCase):
    """The contract, with a delay."""

    def make_line(self, service: Service) -> DialerLine:
        return MemoryLine(service, 0.04)

    def test_takes_its_time(self) -> None:
        """A message arrives after the delay, and not before."""
        socket = self.dialled()
        clock = Clock()
        network = MemoryNetwork(clock, self.operator, 0.04)
        opening = network(self.operator.requests[0], self.ear)
        clock.advance(0.04)
        other = self.successResultOf(opening)
        other.send(Message(b"x", False))
        clock.advance(0.039)
        self.assertEqual(self.operator.ear.messages, [])
        clock.advance(0.001)
        self.assertEqual(len(self.operator.ear.messages), 1)
        other.close()
        socket.close()
