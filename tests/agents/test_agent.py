"""The base of every agent."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.errors import ConfigError
from twistedvoice.testing import FakeCall


class AgentTests(SynchronousTestCase):
    """What an agent does that its author has not thought of."""

    def test_says_nothing(self) -> None:
        """Whatever it is told, the base is silent and keeps the caller on the line."""
        call = FakeCall(Agent())
        call.start()
        call.press("12#")
        call.hear(b"\xff" * 320)
        call.agent.mark_reached("one", "played")
        call.agent.interrupted("speech")
        self.assertEqual((call.said, call.events), (b"", []))
        self.assertFalse(call.ended)

    def test_end(self) -> None:
        """A caller who hangs up on it ends the call."""
        call = FakeCall(Agent())
        call.start()
        call.caller_hangs_up()
        self.assertEqual(call.events, [("ended", "completed")])

    def test_no_settings(self) -> None:
        """Without settings the class makes its own agents."""
        factory = Agent.configure({}, Path())
        self.assertIsInstance(factory(), Agent)

    def test_unknown_settings(self) -> None:
        """Every setting that the agent does not have is refused, by its name."""

        class Parrot(Agent):
            pass

        with self.assertRaises(ConfigError) as caught:
            Parrot.configure({"volume": 3, "colour": "grey"}, Path())
        self.assertEqual(
            caught.exception.problems,
            ("colour: Parrot has no settings", "volume: Parrot has no settings"),
        )
