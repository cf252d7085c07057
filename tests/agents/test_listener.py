# -*- test-case-name: tests.agents.test_listener -*-
"""Tests of the ear of an agent: what becomes of a speech."""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.agent import Agent
from twistedvoice.agents.listener import Listener
from twistedvoice.speech.bargein import BargeIn, BargeInRules
from twistedvoice.speech.engines import Hearing
from twistedvoice.speech.grammar import Grammar, Rule
from twistedvoice.speech.recital import Recital
from twistedvoice.speech.turns import Turns
from twistedvoice.testing import FakeCall

from .dialogues import FakeHearing

_VOICE, _QUIET = b"\x01" * 160, b"\xff" * 160


class _Plain:
    """Takes frames that are not silent for speech."""

    def is_voiced(self, frame: bytes) -> bool:
        return frame == _VOICE


class ListenerTests(SynchronousTestCase):
    """A listener in virtual time, with a grammar of two sentences."""

    def setUp(self) -> None:
        self.call = FakeCall(Agent())
        self.call.start()
        self.grammar: Grammar | None = Grammar(
            "main",
            [
                Rule(name="yes", phrases=["yes"]),
                Rule(name="open", phrases=["one [two]"], is_open=True),
            ],
        )
        self.hearings: list[FakeHearing] = []
        self.events: list[object] = []
        recital = Recital(self.call)
        self.listener = Listener(
            self.call,
            BargeIn(self.call, recital, BargeInRules()),
            turns=Turns(),
            detector=_Plain(),
            hear=self.hear,
            grammar=lambda: self.grammar,
            began=lambda: self.events.append("began"),
            ended=lambda name, words: self.events.append((name, words)),
            ignored=lambda: self.events.append("ignored"),
        )

    def hear(self) -> Hearing:
        """:returns: a new hearing."""
        self.hearings.append(FakeHearing("main"))
        return cast(Hearing, self.hearings[-1])

    def say(self, picture: str) -> None:
        """``#`` is a voiced frame."""
        for mark in picture:
            self.listener.frame(_VOICE if mark == "#" else _QUIET)

    def test_whole_sentence(self) -> None:
        """A pause after a whole sentence ends it at once."""
        self.say("#" * 20 + "." * 9)
        self.hearings[0].understand("yes")
        self.assertEqual(self.events, ["began", ("yes", "yes")])
        self.assertTrue(self.hearings[0].is_closed)

    def test_from_before(self) -> None:
        """The engine hears from 380 ms before speech on, and all that follows."""
        self.say("." * 40 + "#" * 20 + "." * 9)
        expected = _QUIET * 19 + _VOICE * 20 + _QUIET * 9
        self.assertEqual(bytes(self.hearings[0].heard), expected)

    def test_goes_on(self) -> None:
        """A caller who pauses inside a sentence is heard to its end, as one speech."""
        self.say("#" * 20 + "." * 9)
        self.hearings[0].understand("one")
        self.call.advance(0.5)
        self.say("#" * 20 + "." * 9)
        self.hearings[0].understand("one two")
        self.call.advance(0.7)
        self.assertEqual(self.events, ["began", "began", ("open", "one two")])

    def test_too_late_an_answer(self) -> None:
        """Words that come while the caller speaks again do not count."""
        self.say("#" * 20 + "." * 9)
        self.say("#" * 10)
        self.hearings[0].understand("yes")
        self.assertEqual(self.events, ["began", "began"])

    def test_noise(self) -> None:
        """A short noise without meaning is ignored; a long one is not."""
        for length, event in ((8, "ignored"), (20, (None, ""))):
            self.say("#" * length + "." * 9)
            self.hearings[-1].understand("")
            self.call.advance(1)
            self.assertEqual(self.events[-1], event)

    def test_endless_noise(self) -> None:
        """A noise that does not stop is ended, is not heard on, and may come again."""
        for count in (1, 2):
            self.say("#" * 1500)
            self.assertLess(len(self.hearings[-1].heard), 8000 * 21)
            self.hearings[-1].understand("")
            self.assertEqual(self.events[-1], (None, ""))
            self.assertEqual(len(self.hearings), count)

    def test_nothing_listened_for(self) -> None:
        """Without a grammar speech is nothing."""
        self.grammar = None
        self.say("#" * 20 + "." * 9)
        self.assertEqual((self.hearings, self.events), ([], []))
