# -*- test-case-name: tests.speech.test_turns -*-
"""Tests of where speech starts and ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.speech.turns import TurnRules, Turns


def heard(turns: Turns, picture: str) -> list[tuple[int, str]]:
    """:returns: what was decided at which frame; ``#`` is a voiced frame."""
    decided = [(at, turns.frame(mark == "#")) for at, mark in enumerate(picture)]
    return [(at, what) for at, what in decided if what is not None]


class TurnsTests(SynchronousTestCase):
    """A caller's speech, frame by frame."""

    def test_speech(self) -> None:
        """It starts with the sixth voiced frame, and ends with the ninth silent one."""
        turns = Turns()
        picture = "...##########.........."
        self.assertEqual(heard(turns, picture), [(8, "started"), (21, "ended")])
        self.assertEqual(turns.spoken_ms, 200)

    def test_cough(self) -> None:
        """Five voiced frames are no speech, however often they come."""
        self.assertEqual(heard(Turns(), "#####." * 50), [])

    def test_pause_inside(self) -> None:
        """A pause shorter than the hangover is part of the speech."""
        turns = Turns()
        decided = heard(turns, "######........######.........")
        self.assertEqual(decided, [(5, "started"), (28, "ended")])
        self.assertEqual(turns.spoken_ms, 400)

    def test_too_long(self) -> None:
        """What lasts too long is ended, and begins anew."""
        turns = Turns(TurnRules(longest_ms=300))
        decided = [(14, "ended"), (5, "started"), (20, "started")]
        self.assertEqual(heard(turns, "#" * 21), sorted(decided))

    def test_rules(self) -> None:
        """How long things take to be believed can be set."""
        turns = Turns(TurnRules(confirm_ms=40, hangover_ms=60))
        self.assertEqual(
            heard(turns, "##...##"), [(1, "started"), (4, "ended"), (6, "started")]
        )

    @given(st.text("#.", max_size=200))
    def test_alternates(self, picture: str) -> None:
        """Starts and ends take turns, whatever comes; no length is negative."""
        turns = Turns()
        words = [word for _, word in heard(turns, picture)]
        self.assertEqual(
            words,
            ["started", "ended"] * (len(words) // 2) + ["started"] * (len(words) % 2),
        )
        self.assertGreaterEqual(turns.spoken_ms, 0)
