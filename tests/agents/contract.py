# -*- test-case-name: tests.agents.test_contract -*-
"""What every agent that comes with twistedvoice must stand.

Mix :class:`AgentContract` into a test case in ``test_contract``, and give it the class
of the agent and :meth:`make_agent`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import TYPE_CHECKING, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.formats import ALAW_8K, MULAW_8K, AudioFormat
from twistedvoice.testing import FakeCall

if TYPE_CHECKING:
    _Mixin = SynchronousTestCase
else:
    _Mixin = object

__all__ = ["AgentContract"]

#: What can happen in a call, in any order.
_HAPPENINGS: tuple[Callable[[FakeCall], object], ...] = (
    lambda call: call.press("1"),
    lambda call: call.press("5#A"),
    lambda call: call.hear(b"\x12" * 800),
    lambda call: call.advance(30),
    lambda call: call.interrupt("operator"),
)


class AgentContract(_Mixin):
    """The contract of :class:`twistedvoice.interfaces.Agent`, seen from the call."""

    agent_class: ClassVar[type[Agent]]

    def make_agent(self) -> Agent:
        """:returns: a new agent, as its factory makes them."""
        raise NotImplementedError

    def started_call(self, sound: AudioFormat = MULAW_8K) -> FakeCall:
        """:returns: a call with a new agent, which was told of it."""
        call = FakeCall(self.make_agent(), format=sound)
        call.start()
        return call

    def test_an_agent_each(self) -> None:
        """Two calls never share an agent."""
        self.assertIsInstance(self.make_agent(), self.agent_class)
        self.assertIsNot(self.make_agent(), self.make_agent())

    def test_anything_in_any_order(self) -> None:
        """Any three of keys, sound, silence and interrupts raise nothing."""
        for order in permutations(_HAPPENINGS, 3):
            call = self.started_call()
            for happen in order:
                if not call.ended:
                    happen(call)
            call.caller_hangs_up()
            self.assertEqual(self.flushLoggedErrors(), [])
            self.assertEqual(call.clock.getDelayedCalls(), [])

    def test_end_at_any_time(self) -> None:
        """A caller may hang up at any time, and leaves nothing behind."""
        for tenths in range(0, 100, 6):
            call = self.started_call()
            call.advance(tenths / 10)
            call.press("1")
            call.advance(tenths / 10)
            call.caller_hangs_up()
            call.advance(60)
            self.assertEqual(self.flushLoggedErrors(), [])
            self.assertEqual(call.clock.getDelayedCalls(), [])

    def test_must_end(self) -> None:
        """An agent that must end its call has said what it will in 15 seconds."""
        for tenths in range(0, 60, 7):
            call = FakeCall(self.make_agent(), spend_cap=0)
            call.start()
            call.advance(tenths / 10)
            call.spent(1)
            call.advance(14.9)
            self.assertTrue(call.ended)
            self.assertEqual(self.flushLoggedErrors(), [])

    def test_mark_of_someone_else(self) -> None:
        """A mark that the agent did not set means nothing to it."""
        call = self.started_call()
        call.send_mark("other")
        call.advance(60)
        call.caller_hangs_up()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_other_format(self) -> None:
        """An agent speaks the format of its call."""
        for sound in (ALAW_8K, AudioFormat("l16", 16000)):
            call = self.started_call(sound)
            call.hear(sound.silence(sound.frame_bytes))
            call.press("1")
            call.advance(1)
            call.caller_hangs_up()
            self.assertEqual(self.flushLoggedErrors(), [])
