"""Tests for :mod:`twistedvoice.simulator.demo`.

The demo as a whole, with its service, is in ``tests/slow/demo.py``.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.simulator.demo import script, script_problems
from twistedvoice.simulator.journal import Journal


def journal_of(*kinds: str) -> Journal:
    """:returns: a call in which this happened."""
    journal = Journal(outcome="completed")
    for kind in kinds:
        journal.note(1.0, kind)
    return journal


class Talker:
    """A scene in which the service never stops to speak."""

    hears_speech = True

    def __init__(self) -> None:
        self.keys = ""
        self.notes: list[tuple[str, str]] = []

    def press(self, digit: str) -> None:
        """Note the key."""
        self.keys += digit

    def hang_up(self) -> None:
        """The caller of the demo leaves that to the service."""
        raise AssertionError

    def note(self, kind: str, detail: str = "") -> None:
        """Note what the journal would."""
        self.notes.append((kind, detail))


class ScriptTests(SynchronousTestCase):
    """What the caller does."""

    def test_acts(self) -> None:
        """The caller speaks, presses keys and interrupts, in half a minute."""
        scene = Talker()
        frames = [frame for step in script() for frame in step.perform(scene)]
        self.assertEqual(scene.keys, "12*9")
        self.assertEqual(
            scene.notes,
            [
                ("saying", "hello"),
                ("interrupting", ""),
                ("saying", "wait"),
                ("saying", "thanks"),
            ],
        )
        self.assertLess(len(frames) * 20, 30_000)

    def test_as_it_should_be(self) -> None:
        """A service that fell silent and hung up did what it should."""
        journal = journal_of("clear", "clear", "clear", "clear", "closed")
        self.assertEqual(list(script_problems(journal)), [])

    def test_not_silent(self) -> None:
        """A service that talks on when keys are pressed is told of."""
        (problem,) = script_problems(journal_of("clear", "closed"))
        self.assertIn("fall silent", problem)

    def test_not_hung_up(self) -> None:
        """A service that leaves it to the carrier to end the call is told of."""
        (problem,) = script_problems(journal_of(*["clear"] * 3, "stopped", "closed"))
        self.assertIn("did not hang up", problem)

    def test_mute(self) -> None:
        """A service that the caller waits for in vain is told of."""
        (problem,) = script_problems(journal_of(*["clear"] * 3, "gave_up"))
        self.assertIn("in vain", problem)
