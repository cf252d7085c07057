# -*- test-case-name: tests.bench.test_interrupts tests.slow.alignment -*-
"""A service and a caller in virtual time, for what is measured to the millisecond.

All that belongs to a call is the service's own, from the dialect to the schedule; the
simulator is at the other end, without a socket between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

from twisted.internet.defer import execute, succeed
from twisted.internet.task import Clock

from ..calls.admission import Admission
from ..calls.services import CallLimits, CallServices, Route
from ..calls.switchboard import Switchboard
from ..carriers.twilio.dialect import TwilioDialect
from ..events import Message
from ..interfaces import AgentFactory, CallObserver
from ..realtime.schedule import Schedule
from ..simulator.caller import SimulatedCall
from ..simulator.journal import Journal
from ..simulator.script import Script, Step
from ..simulator.wire import StreamWriter
from ..store.memory import MemoryStore

__all__ = ["FarEnd", "advance", "switchboard"]


def switchboard(
    clock: Clock, make_agent: AgentFactory, observers: Sequence[CallObserver] = ()
) -> Switchboard:
    """:returns: a service that takes calls."""
    numbers = count(1)
    admission = Admission(
        clock,
        clock.seconds,
        MemoryStore(),
        node_id="n1",
        max_calls=None,
        new_token=lambda: f"token-{next(numbers)}",
        is_late=lambda: False,
    )
    services = CallServices(
        clock=clock,
        wall=clock.seconds,
        schedule=Schedule(clock),
        admission=admission,
        route=lambda number: Route(agent_name="", make_agent=make_agent),
        new_session_id=lambda: f"n1-{next(numbers)}",
        node_id="n1",
        limits=CallLimits(start=3.0, longest=3600.0, silence=3600.0),
        trusted=True,
        observers=observers,
        load_sound=execute,
        keep_cdr=lambda record: succeed(None),
    )
    return Switchboard(services)


class FarEnd:
    """The simulator at the other end of a call, without a socket."""

    def __init__(
        self,
        clock: Clock,
        switchboard: Switchboard,
        steps: Sequence[Step],
        *,
        delay: float,
        jitter_ms: int,
    ) -> None:
        """
        Call.

        :param delay: how long each way takes, in seconds.
        :param jitter_ms: what the carrier's ear waits for late sound.
        """
        self.clock = clock
        self.delay = delay
        self.writable = True
        self.journal = Journal(call_id="CA" + "1" * 32)
        writer = StreamWriter(
            stream_id="MZ" + "1" * 32,
            call_id=self.journal.call_id,
            account_id="AC" + "1" * 32,
        )
        self.far = SimulatedCall(
            writer, Script(steps), self.journal, jitter_ms=jitter_ms, max_ms=1e9
        )
        self.call: Any = switchboard.connect(self, TwilioDialect())
        self.started = self.clock.seconds()
        self.arrives = 0.0
        self.tell(self.far.start({}))

    def now_ms(self) -> float:
        """:returns: the age of the stream at the carrier."""
        return round((self.clock.seconds() - self.started) * 1e6) / 1000

    def tell(self, messages: list[str], late: float = 0.0) -> None:
        """Send messages to the service; they arrive in order."""
        self.arrives = max(self.arrives, self.clock.seconds() + self.delay + late)
        for message in messages:
            received = Message(message.encode(), False)
            self.later(self.arrives, partial(self.call_received, received))

    def call_received(self, message: Message) -> None:
        """The service reads a message."""
        self.call.inbound.message_received(message)

    def later(self, at: float, function: Callable[[], None]) -> None:
        """Do something at a time that may be now."""
        self.clock.callLater(max(0.0, at - self.clock.seconds()), function)

    # the transport of the call

    def frame(self, message: Message) -> bytes:
        return message.data

    def write(self, wire: bytes) -> None:
        self.later(
            self.clock.seconds() + self.delay,
            lambda: self.tell(self.far.receive(wire, False, self.now_ms())),
        )

    def close(self, reason: str) -> None:
        self.writable = False


def advance(clock: Clock, seconds: float) -> None:
    """Let time pass; what is due in between happens at its own time."""
    until = clock.seconds() + seconds
    while clock.calls and clock.calls[0].getTime() <= until:
        clock.rightNow = max(clock.calls[0].getTime(), clock.rightNow)
        clock.advance(0)
    clock.rightNow = until
    clock.advance(0)
