# -*- test-case-name: tests.agents.test_digits -*-
"""What a caller enters arrives whole, in time, and in no log."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.agents.digits import Entry, Keypad
from twistedvoice.errors import CallStateError
from twistedvoice.interfaces import CallControl
from twistedvoice.testing import FakeCall


class Clerk(Agent):
    """Hands its keys to a keypad."""

    def call_started(self, call: CallControl) -> None:
        self.keypad = Keypad(call)
        self.not_taken = ""

    def digit_pressed(self, digit: str) -> None:
        if not self.keypad.press(digit):
            self.not_taken += digit


class KeypadTests(SynchronousTestCase):
    """A caller with a keypad."""

    def setUp(self) -> None:
        self.agent = Clerk()
        self.call = FakeCall(self.agent)
        self.call.start()
        self.keypad = self.agent.keypad

    def ask(self, most: int = 4, terminator: str = "#") -> Deferred[str]:
        """:returns: what is collected after a prompt of two seconds."""
        prompt = self.call.say(b"\x12" * 16000)
        return self.keypad.collect(most=most, terminator=terminator, prompt=prompt)

    def test_enough(self) -> None:
        """It is whole as soon as there are as many keys as wanted."""
        collected = self.keypad.collect(most=4)
        self.call.press("123")
        self.assertNoResult(collected)
        self.call.press("4")
        self.assertEqual(self.successResultOf(collected), "1234")
        self.assertEqual(self.call.clock.getDelayedCalls(), [])

    def test_terminator(self) -> None:
        """The terminator ends it and is no part of it; without one it is a key."""
        collected = self.keypad.collect(most=8)
        self.call.press("1*2#")
        self.assertEqual(self.successResultOf(collected), "1*2")
        collected = self.keypad.collect(most=3, terminator="")
        self.call.press("1#2")
        self.assertEqual(self.successResultOf(collected), "1#2")

    def test_late_terminator(self) -> None:
        """Who ends by habit what was whole does not answer the next question."""
        self.keypad.collect(most=2)
        self.call.press("12")
        collected = self.keypad.collect(most=2)
        self.call.press("#34")
        self.assertEqual(self.successResultOf(collected), "34")
        self.assertEqual(self.agent.not_taken, "")

    def test_first_key_takes_too_long(self) -> None:
        """Who presses nothing has five seconds from the end of the prompt."""
        collected = self.ask()
        self.call.advance(6.9)
        self.assertNoResult(collected)
        self.call.advance(0.2)
        self.assertEqual(self.successResultOf(collected), "")

    def test_next_key_takes_too_long(self) -> None:
        """Each key gives three more seconds; then what was pressed counts."""
        collected = self.ask()
        for digit in "123":
            self.call.advance(2.9)
            self.call.press(digit)
        self.call.advance(2.9)
        self.assertNoResult(collected)
        self.call.advance(0.2)
        self.assertEqual(self.successResultOf(collected), "123")

    def test_barge_in(self) -> None:
        """The first key cuts the prompt off, and later ones nothing else."""
        collected = self.ask()
        self.call.advance(1)
        self.call.press("1")
        self.assertEqual(self.call.events, [("interrupt", "digit")])
        self.call.say(b"\x12" * 8000)
        self.call.press("234")
        self.assertEqual(self.successResultOf(collected), "1234")
        self.assertEqual(self.call.events, [("interrupt", "digit")])

    def test_prompt_cut_off_by_another(self) -> None:
        """When someone else silences the prompt, the time of the first key begins."""
        collected = self.ask()
        self.call.advance(1)
        self.call.interrupt("speech")
        self.call.advance(4.9)
        self.assertNoResult(collected)
        self.call.advance(0.2)
        self.assertEqual(self.successResultOf(collected), "")

    def test_old_prompt(self) -> None:
        """A prompt that ends after its question was answered concerns no other."""
        asked = self.ask(most=1)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        collected = self.keypad.collect(most=4, first_seconds=20)
        self.call.advance(19.9)
        self.assertNoResult(collected)
        self.call.advance(0.2)
        self.assertEqual(self.successResultOf(collected), "")

    def test_end_of_call(self) -> None:
        """A caller who hangs up during the prompt enters nothing any more."""
        collected = self.ask()
        self.call.caller_hangs_up()
        self.failureResultOf(collected, CancelledError)
        self.assertEqual(self.call.clock.getDelayedCalls(), [])

    def test_hanging_up(self) -> None:
        """When the call is being ended during the prompt, nothing more is awaited."""
        collected = self.ask()
        self.call.hang_up()
        self.call.advance(3)
        self.failureResultOf(collected, CancelledError)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_cancel(self) -> None:
        """Cancelled, it takes no more keys and leaves nothing behind."""
        collected = self.keypad.collect(most=4)
        self.call.press("1")
        collected.cancel()
        self.failureResultOf(collected, CancelledError)
        self.call.press("2")
        self.assertEqual(self.agent.not_taken, "2")
        self.assertEqual(self.call.clock.getDelayedCalls(), [])

    def test_one_at_a_time(self) -> None:
        """Two things cannot be entered at once."""
        self.keypad.collect(most=4)
        self.assertRaises(CallStateError, self.keypad.collect, most=4)

    def test_private(self) -> None:
        """What was pressed is not shown."""
        entry = Entry(4, "#")
        entry.press("7")
        self.assertNotIn("7", repr(entry))
