# -*- test-case-name: tests.bench.test_dialogue -*-
"""Tests of the figures of the local agent."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.dialoguefile import SAMPLE_DIALOGUE, read_dialogue
from twistedvoice.bench.dialogue import LINES, Figures, measured
from twistedvoice.simulator import lines
from twistedvoice.simulator.journal import Happening, Journal

_GOOD = Figures(
    understood=[(line, line.meaning) for line in LINES],
    answered_ms=[200.0, 250.0, 400.0],
    completed=2,
    underruns=[0, 0],
)


class FiguresTests(SynchronousTestCase):
    """What is made of lines and calls."""

    def test_lines(self) -> None:
        """There are twenty lines, each with a file, a state and a rule there."""
        dialogue = read_dialogue(SAMPLE_DIALOGUE)
        folder = Path(lines.__path__[0])
        self.assertEqual(
            {each.stem for each in folder.glob("*.wav")}, {line.name for line in LINES}
        )
        self.assertEqual(len(LINES), 20)
        for line in LINES:
            rules = {rule.name for rule in dialogue.grammar(line.state).rules}
            name = "digits" if line.meaning.startswith("digits") else line.meaning
            self.assertIn(name, rules)

    def test_holds(self) -> None:
        """One line may be taken wrong; nothing else may fail."""
        self.assertTrue(_GOOD.holds)
        one = [(LINES[0], ""), *_GOOD.understood[1:]]
        two = [*one[:-1], (LINES[-1], "on human")]
        self.assertTrue(evolve(_GOOD, understood=one).holds)
        self.assertFalse(evolve(_GOOD, understood=two).holds)
        self.assertFalse(evolve(_GOOD, underruns=[0, 1]).holds)
        self.assertFalse(evolve(_GOOD, completed=1).holds)
        self.assertFalse(evolve(_GOOD, answered_ms=[200.0, None, None]).holds)
        self.assertFalse(evolve(_GOOD, answered_ms=[]).holds)

    def test_told(self) -> None:
        """What was wrong is named."""
        wrong = [(LINES[0], ""), *_GOOD.understood[1:]]
        self.assertEqual(
            evolve(_GOOD, understood=wrong, underruns=[0, 3]).lines(),
            [
                "understood: 19 of 20 lines",
                "  joe_hours in main: nothing",
                "end of speech to first audio: 250 ms median of 3 turns",
                "calls at once: 2, 2 as planned, underruns 0, 3",
            ],
        )

    def test_measured(self) -> None:
        """Times and holes are read from the journals."""
        journal = Journal(
            said=bytearray(b"\x10" * 4000 + b"\xff" * 16000),
            arrivals=[(800.0, 160)],
            happenings=[Happening(0.0, "saying", "hours")],
            underruns=[(1.0, 2.0)],
            outcome="completed",
        )
        found = measured([], [journal, Journal()])
        self.assertEqual(found.answered_ms, [300.125])
        self.assertEqual((found.completed, found.underruns), (1, [1, 0]))
