# -*- test-case-name: tests.agents.test_localhouse -*-
"""Tests of what all calls of one local agent share."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.local import Local
from twistedvoice.agents.localhouse import LocalHouse, open_house
from twistedvoice.agents.workshop import Surroundings, Workshop
from twistedvoice.errors import ConfigError, EngineError
from twistedvoice.testing import FakeCall

from ..speech.engines import EngineReactor
from .dialogues import DIALOGUE


class LocalHouseTests(SynchronousTestCase):
    """A house and its engines, which are none."""

    def setUp(self) -> None:
        self.reactor = EngineReactor()
        self.house = LocalHouse(DIALOGUE, ears=1)
        self.opening = self.house.open_workshop(
            Surroundings(
                reactor=self.reactor, defer_to_thread=maybeDeferred, cache=None
            )
        )

    def open(self) -> None:
        """The engines start, and say what they must."""
        ear, mouth = self.reactor.processes
        ear.answer(b"R")
        mouth.answer(b"R")
        for job in range(1, len(DIALOGUE.texts()) + 1):
            self.assertNoResult(self.opening)
            mouth.answer(b"A", job, b"\x01" * 1600)
            mouth.answer(b"D", job)
        self.successResultOf(self.opening)

    def test_workshop(self) -> None:
        """The service knows it by what it can do."""
        self.assertIsInstance(self.house, Workshop)

    def test_open(self) -> None:
        """It is open once all sentences are there."""
        self.open()

    def test_cannot_open(self) -> None:
        """Without engines it does not open, and leaves nothing running."""
        for _ in range(6):
            for process in self.reactor.processes:
                if process.words[-1] == "hear" and not process.protocol.is_gone:
                    process.die()
            self.reactor.advance(1)
        mouth = next(p for p in self.reactor.processes if p.words[-1] == "speak")
        mouth.die()
        self.failureResultOf(self.opening, EngineError)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_never_opened(self) -> None:
        """A house that was never opened closes all the same."""
        self.successResultOf(LocalHouse(DIALOGUE).close_workshop())

    def test_close(self) -> None:
        """The engines stay until the last call has ended."""
        self.open()
        call = FakeCall(self.house())
        call.start()
        closing = self.house.close_workshop()
        ear, mouth = self.reactor.processes
        self.assertEqual(ear.events, [])
        call.caller_hangs_up()
        self.assertEqual(ear.events, ["closed"])
        ear.die()
        mouth.die()
        self.successResultOf(closing)


class OpenHouseTests(SynchronousTestCase):
    """Settings."""

    if find_spec("pocketsphinx") is None or find_spec("hibari") is None:
        skip = "engines are not installed: pip install 'twistedvoice[local]'"

    def test_settings(self) -> None:
        """Without settings there is the sample; with some they count."""
        self.assertIsInstance(Local.configure({}, Path()), LocalHouse)
        house = open_house(Local, {"hangover_ms": 300, "fade_ms": 0}, Path())
        self.assertEqual(house.turns.hangover_ms, 300)
        self.assertEqual(house.barge_in.fade_ms, 0)

    def test_problems(self) -> None:
        """Everything that is wrong is named at once."""
        wrong = {"ears": 0, "colour": "red", "dialogue": "none.toml"}
        error = self.assertRaises(ConfigError, open_house, Local, wrong, Path())
        self.assertEqual(len(error.problems), 3)

    def test_words(self) -> None:
        """The recogniser knows every word of the sample, and not every word."""
        path = Path(self.mktemp())
        text = 'start = "a"\n[intents]\nb = "xyzzyq"\n'
        path.write_text(text + '[states.a]\nsay = "A."\non = { b = "hangup" }\n')
        error = self.assertRaises(
            ConfigError, open_house, Local, {"dialogue": str(path)}, Path()
        )
        self.assertIn("does not know 'xyzzyq'", error.problems[0])
