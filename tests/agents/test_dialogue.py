# -*- test-case-name: tests.agents.test_dialogue -*-
"""Tests of a dialogue as a value."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.dialogue import blanks, spoken_digits

from .dialogues import DIALOGUE


class DialogueTests(SynchronousTestCase):
    """A dialogue with one state of each kind."""

    def meaning(self, state: str, words: str) -> str | None:
        """:returns: what ``words`` mean in a state."""
        rule = DIALOGUE.grammar(state).read(words)
        return None if rule is None else rule.name

    def test_grammars(self) -> None:
        """Each state listens for its own, and for what counts anywhere."""
        self.assertEqual(self.meaning("main", "opening hours"), "on hours")
        self.assertEqual(self.meaning("day", "friday"), "choice Friday")
        self.assertEqual(self.meaning("code", "one two"), "digits")
        self.assertEqual(self.meaning("check", "yes please"), "on yes")
        self.assertEqual(self.meaning("day", "goodbye"), "on bye")
        self.assertIsNone(self.meaning("day", "opening hours"))

    def test_nothing_to_hear(self) -> None:
        """A state in which nothing can be said has no grammar."""
        self.assertNotIn("hours", evolve(DIALOGUE, anywhere={}).grammars())

    def test_texts(self) -> None:
        """What has nothing to fill in can be spoken before any call."""
        texts = ["Welcome.", "Sorry.", "Goodbye.", "Main.", "Hours.", "Day."]
        self.assertEqual(DIALOGUE.texts(), texts)

    def test_reachable(self) -> None:
        """What nothing leads to is not reached."""
        self.assertEqual(DIALOGUE.reachable(), set(DIALOGUE.states))
        alone = evolve(DIALOGUE, start="check")
        self.assertEqual(alone.reachable(), {"check", "code"})

    def test_words(self) -> None:
        """Slots are named, and digits read, as they are written."""
        self.assertEqual(blanks("{day} at {time}."), ["day", "time"])
        self.assertEqual(spoken_digits("oh nine one"), "091")
