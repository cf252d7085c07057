# -*- test-case-name: tests.agents.test_examples -*-
"""The examples of the documentation do what the documentation says."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.agents.dialogues import speech
from tests.audio.test_beep import sounding
from twistedvoice.agents.menufile import SAMPLE_MENU, read_menus
from twistedvoice.agents.outside import Outside
from twistedvoice.audio.wav import load
from twistedvoice.doubles.plan import Reply
from twistedvoice.formats import MULAW_8K
from twistedvoice.testing import FakeCall, MemoryNetwork, OpenAiDouble

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
HelloAgent = runpy.run_path(str(EXAMPLES / "hello_agent.py"))["HelloAgent"]
Clerk = runpy.run_path(str(EXAMPLES / "clerk.py"))["Clerk"]
_SILENCE = MULAW_8K.silence(4000)
DOUBLE_URL = "ws://127.0.0.1/v1/realtime"
EXAMPLE = runpy.run_path(str(EXAMPLES / "call_control.py"))


class HelloAgentTests(SynchronousTestCase):
    """A call in virtual time, without a network."""

    def setUp(self) -> None:
        self.call = FakeCall(HelloAgent())
        self.call.start()

    def test_says_hello(self) -> None:
        """The caller hears all of the greeting, and then the call ends."""
        self.call.advance(2)
        self.assertGreater(len(self.call.heard), 8000)
        self.assertEqual(self.call.heard, self.call.said)
        self.assertEqual(self.call.events[-1], ("ended", "hung_up"))

    def test_key(self) -> None:
        """A key cuts the greeting off and ends the call."""
        self.call.advance(0.5)
        self.call.press("1")
        self.call.advance(1)
        self.assertEqual(len(self.call.heard), 4000)
        self.assertTrue(self.call.ended)


class ClerkTests(SynchronousTestCase):
    """A call with a model, which the double plays."""

    def test_order(self) -> None:
        """The model asks for an order, is told of it, and tells the caller."""
        clock = Clock()
        double = OpenAiDouble(clock)
        ask = Reply(calls=[("order", {"number": "17"})])
        double.plan.replies += [ask, Reply(says="it was sent yesterday")]
        model = Clerk.configure({}, Path())
        accounts = {"openai.api_key": "sk-double", "openai.url": DOUBLE_URL}
        dial = MemoryNetwork(clock, double)
        model.connect(Outside(clock=clock, dial=dial, accounts=accounts))
        call = FakeCall(model(), clock=clock)
        call.start()
        call.advance(3)
        result = double.session.told[-2]["item"]["output"]
        self.assertEqual(result, '{"state": "sent yesterday"}')
        self.assertGreater(len(call.heard), 8000)
        self.assertEqual(double.session.problems, [])
        call.caller_hangs_up()


class CallControlTests(SynchronousTestCase):
    """The agents that show what else a call can do."""

    def start(self, name: str, *arguments: object, **settings: Any) -> FakeCall:
        """:returns: a call that the agent of this name has just answered."""
        call = FakeCall(EXAMPLE[name](*arguments), **settings)
        call.start()
        return call

    def test_operator(self) -> None:
        """The caller is handed over coldly when it cannot be done warmly."""
        self.assertEqual(
            self.start("Operator").events,
            [
                ("warm_transfer", "+15550100"),
                ("transfer", "+15550100"),
                ("ended", "transferred"),
            ],
        )

    def test_reader(self) -> None:
        """All is said to who listens; after an interrupt nothing more is."""
        call = self.start("Reader")
        call.advance(601)
        self.assertEqual(len(call.heard), 8000 * 600)
        call = self.start("Reader")
        call.advance(5)
        call.interrupt("operator")
        call.advance(60)
        self.assertEqual(len(call.heard), 8000 * 5)

    def test_storyteller(self) -> None:
        """A short sound holds the story up; a longer one ends it."""
        call = self.start("Storyteller")
        call.advance(1)
        call.hear(speech(0.3) + _SILENCE)
        self.assertTrue(call.is_playing)
        call.hear(speech(1.5) + _SILENCE)
        self.assertFalse(call.is_playing)

    def test_cashier(self) -> None:
        """The recording pauses until the code is there."""
        call = self.start("Cashier")
        call.advance(1)
        self.assertEqual(call.events, [("recording", "paused")])
        call.press("4711")
        self.assertIn(("recording", "resumed"), call.events)

    def test_extension(self) -> None:
        """The keys are heard to the end before the call ends."""
        call = self.start("Extension")
        call.advance(2)
        self.assertEqual(len(call.heard), 8000 * 1.6)
        self.assertEqual(call.events[0], ("digits", "ww42#"))
        self.assertTrue(call.ended)

    def test_waiting(self) -> None:
        """The caller hears music for as long as it takes, and then a goodbye."""
        call = self.start("Waiting")
        call.advance(29.9)
        self.assertEqual(len(call.heard), 8000 * 29.9)
        call.advance(0.2)
        self.assertFalse(call.ended)
        call.advance(3)
        self.assertEqual(call.events[-1], ("ended", "hung_up"))

    def test_doorkeeper(self) -> None:
        """Four digits are enough, at any time; who presses none hears a goodbye."""
        pressed, silent = self.start("Doorkeeper"), self.start("Doorkeeper")
        pressed.advance(1)
        pressed.press("4711")
        pressed.advance(2.5)
        self.assertTrue(pressed.ended)
        silent.advance(8)
        self.assertTrue(silent.is_playing)
        silent.advance(3)
        self.assertTrue(silent.ended)

    def test_host(self) -> None:
        """The caller hears a sorry after six seconds, and is left six later."""
        call = self.start("Host")
        call.hear(b"\xff" * 160 * 305)
        self.assertTrue(call.is_playing)
        call.hear(b"\xff" * 160 * 380)
        self.assertTrue(call.ended)

    def test_messenger(self) -> None:
        """A machine hears the opening hours after its beep, and all of them."""
        call = self.start("Messenger")
        call.hear(
            load(EXAMPLES / "../../twistedvoice/agents/prompts/hours.wav", MULAW_8K)
        )
        call.hear(sounding(400, 1000))
        self.assertFalse(call.is_playing)
        call.hear(sounding(200))
        self.assertTrue(call.is_playing)
        call.advance(8)
        self.assertEqual(call.heard, call.said)
        self.assertEqual(call.events[-1], ("ended", "hung_up"))

    def test_thrifty(self) -> None:
        """The caller hears a goodbye when all that may be spent is spent."""
        call = self.start("Thrifty", spend_cap=0.01)
        call.hear(b"\xff" * 160 * 50)
        self.assertEqual(call.said, b"")
        call.hear(b"\xff" * 160)
        call.advance(3)
        self.assertEqual(call.heard, call.said)
        self.assertGreater(len(call.heard), 8000)
        self.assertEqual(call.events[-1], ("ended", "overspent"))


class MenuTests(SynchronousTestCase):
    """The menu that the documentation shows."""

    def test_menu(self) -> None:
        """It can be used as it stands, beside the sample prompts."""
        toml = (EXAMPLES / "menu.toml").read_text("utf-8")
        tree = read_menus(tomllib.loads(toml), SAMPLE_MENU.parent)
        self.assertEqual(set(tree.menus), {"main", "hours", "code", "thanks"})
