# -*- test-case-name: tests.test_testing -*-
"""The call for tests keeps the contract of a call, and tells tests what happened."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.calls.control_contract import CallControlContract, CallHarness
from twistedvoice.agents.agent import Agent
from twistedvoice.errors import CarrierApiError, QueueFull
from twistedvoice.formats import AudioFormat
from twistedvoice.interfaces import CallControl
from twistedvoice.testing import FakeCall


class FakeHarness:
    """The strings of a :class:`FakeCall`, for the contract."""

    def __init__(self, call: FakeCall) -> None:
        self._fake = call
        self.call: CallControl = call
        self.advance = call.advance
        self.end = call.caller_hangs_up


class FakeCallContractTests(CallControlContract, SynchronousTestCase):
    """The contract, in the format of most carriers."""

    sound_format = AudioFormat("mulaw", 8000)

    def make_call(self, agent: Agent) -> CallHarness:
        call = FakeCall(agent, format=self.sound_format)
        call.start()
        return FakeHarness(call)


class WideFakeCallContractTests(FakeCallContractTests):
    """The contract, in a format with two bytes a sample."""

    sound_format = AudioFormat("l16", 16000)


class Parrot(Agent):
    """Remembers what it heard, and fails when asked to."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, int]] = []
        self.outcomes: list[str] = []

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        self.heard.append((payload, timestamp_ms))

    def digit_pressed(self, digit: str) -> None:
        if digit == "0":
            raise ValueError("no zero")

    def call_ended(self, outcome: str) -> None:
        self.outcomes.append(outcome)


class FakeCallTests(SynchronousTestCase):
    """What a test gets to see and do."""

    def setUp(self) -> None:
        self.agent = Parrot()
        self.call = FakeCall(self.agent)
        self.call.start()

    def test_hear(self) -> None:
        """The caller's sound comes frame by frame, at its pace, with its time."""
        self.call.hear(b"\x12" * 400)
        self.assertEqual(
            self.agent.heard,
            [(b"\x12" * 160, 0), (b"\x12" * 160, 20), (b"\x12" * 80, 40)],
        )
        self.assertAlmostEqual(self.call.clock.seconds(), 0.06)

    def test_said_and_heard(self) -> None:
        """A test sees all that was said, and of it what was heard, to the sample."""
        self.call.say(b"\x12" * 800)
        self.call.advance(0.05)
        self.call.interrupt("test")
        self.call.advance(1)
        self.assertEqual(self.call.said[:800], b"\x12" * 800)
        self.assertEqual(self.call.heard, b"\x12" * 400)
        self.assertEqual(self.call.events, [("interrupt", "test")])

    def test_last_frame_is_padded(self) -> None:
        """The end of an utterance is filled up with silence, as on the wire."""
        self.call.say(b"\x12" * 100)
        self.assertEqual(self.call.said, b"\x12" * 100 + b"\xff" * 60)

    def test_raising_agent(self) -> None:
        """What an agent raises is logged and ends its call."""
        self.call.press("1")
        self.assertFalse(self.call.ended)
        self.call.press("01")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.call.events, [("ended", "agent_failed")])
        self.assertEqual(self.agent.outcomes, ["agent_failed"])

    def test_transfer(self) -> None:
        """A transfer is written down and ends the call."""
        self.successResultOf(self.call.transfer("+15550100"))
        self.assertEqual(
            self.call.events, [("transfer", "+15550100"), ("ended", "transferred")]
        )

    def test_failing_transfer(self) -> None:
        """A transfer can be made to fail, and the call goes on."""
        self.call.transfer_error = CarrierApiError(
            "no", status=None, code=None, retryable=False
        )
        self.failureResultOf(self.call.transfer("+15550100"), CarrierApiError)
        self.assertFalse(self.call.ended)

    def test_shared_clock(self) -> None:
        """An agent with a clock of its own can share it with its call."""
        clock = Clock()
        clock.advance(1000)
        call = FakeCall(Agent(), clock=clock)
        call.start()
        utterance = call.say(b"\x12" * 8000)
        call.advance(0.5)
        self.assertEqual(utterance.heard_ms(), 500)
        self.assertEqual(clock.seconds(), 1000.5)

    def test_paused_recording(self) -> None:
        """It is written down when the recording really is paused or resumed."""
        self.call.resume_recording()
        self.call.pause_recording()
        self.call.pause_recording()
        self.assertTrue(self.call.is_recording_paused)
        self.call.resume_recording()
        self.assertFalse(self.call.is_recording_paused)
        self.assertEqual(
            self.call.events, [("recording", "paused"), ("recording", "resumed")]
        )

    def test_consent(self) -> None:
        """It is written down once that the caller agreed to be recorded."""
        self.assertFalse(self.call.has_consent)
        self.call.consent_to_recording()
        self.call.consent_to_recording()
        self.assertTrue(self.call.has_consent)
        self.assertEqual(self.call.events, [("recording", "agreed")])

    def test_too_much(self) -> None:
        """What does not fit is refused whole, as on a real call."""
        self.assertRaises(QueueFull, self.call.say, b"\x12" * 8000 * 301)
        self.assertEqual(self.call.said, b"")
        self.call.say(b"\x12" * 8000)

    def test_nothing_left(self) -> None:
        """A call that ended leaves nothing on the clock."""
        self.call.say(b"\x12" * 8000)
        self.call.send_mark("end")
        self.call.call_later(5, lambda: None)
        self.call.caller_hangs_up()
        self.assertEqual(self.call.clock.getDelayedCalls(), [])
