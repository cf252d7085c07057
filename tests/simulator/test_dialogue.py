# -*- test-case-name: tests.simulator.test_dialogue -*-
"""Tests of the caller who holds a dialogue, and of what is made of the call."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.dialogue import (
    MEANINGS,
    Turn,
    cough,
    dialogue,
    dialogue_problems,
    meanings_in,
    turns,
)
from twistedvoice.simulator.journal import Happening, Journal
from twistedvoice.simulator.script import Interrupt, Say


def journal() -> Journal:
    """:returns: a call in which one line of half a second was answered."""
    silence, voice = b"\xff" * 8000, b"\x10" * 4000
    return Journal(
        said=bytearray(silence + voice + silence * 5),
        arrivals=[(500.0, 160), (1700.0, 160), (1720.0, 160)],
        happenings=[
            Happening(1000.0, "saying", "hours"),
            Happening(1300.0, "clear"),
            Happening(1780.0, "speech_started"),
            Happening(2000.0, "saying", "cough"),
        ],
    )


class DialogueTests(SynchronousTestCase):
    """The script, and the call that comes of it."""

    def test_lines(self) -> None:
        """Each meaning has a line, and one cough is among them."""
        said = [step for step in dialogue() if isinstance(step, Say | Interrupt)]
        self.assertEqual(len(said), len(MEANINGS) + 1)
        self.assertIn(cough(), [step.audio for step in said])
        self.assertEqual(len(cough()), 480)

    def test_turns(self) -> None:
        """An answer is timed from the last sound of its line, and a cough has none."""
        self.assertEqual(list(turns(journal())), [Turn("hours", 200.125, 280.125)])

    def test_right(self) -> None:
        """A service that understood everything has no problem."""
        self.assertEqual(list(dialogue_problems(journal(), MEANINGS)), [])

    def test_wrong(self) -> None:
        """What was misunderstood, stopped or left out is named."""
        call = journal()
        for kind in ("clear", "gave_up", "stopped"):
            call.note(0, kind)
        found = list(dialogue_problems(call, ["hours"]))
        self.assertEqual(len(found), 4)
        self.assertIn("the service understood hours, not hours, book,", found[1])

    def test_log(self) -> None:
        """Meanings are read from the lines of the service's log."""
        log = [
            "2026 [x#debug] CA12 is understood in main: on hours",
            "2026 [x#debug] something else",
            "2026 [x#debug] CA12 is understood in time: choice ten o'clock",
            "2026 [x#debug] CA12 is understood in number: digits",
        ]
        self.assertEqual(meanings_in(log), ["hours", "ten o'clock", ""])
