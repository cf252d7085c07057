"""Tests of ``twistedvoice.calls.lifecycle``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.calls.lifecycle import OVER, Life, LifeMachine

__all__ = ["LifeTests"]

INPUTS: dict[str, Callable[[Life], None]] = {
    "admitted": lambda life: life.admitted(),
    "hang up": lambda life: life.hang_up("hung_up"),
    "drained": lambda life: life.drained(),
    "over": lambda life: life.over("lost"),
}


class Diary:
    """Writes down the deeds."""

    def __init__(self) -> None:
        self.deeds: list[str] = []

    def begin(self) -> None:
        self.deeds.append("begin")

    def drain(self) -> None:
        self.deeds.append("drain")

    def close(self, outcome: str) -> None:
        self.deeds.append(f"close {outcome}")


class LifeTests(SynchronousTestCase):
    """The life of a call, by what is done about it."""

    def live(self, *inputs: str) -> list[str]:
        """:returns: the deeds of a life in which all this happened."""
        diary = Diary()
        life: Life = LifeMachine(diary)
        for name in inputs:
            INPUTS[name](life)
        return diary.deeds

    def test_whole_life(self) -> None:
        """A call begins, drains when it is hung up, and closes when it has drained."""
        self.assertEqual(
            self.live("admitted", "hang up", "drained"),
            ["begin", "drain", "close hung_up"],
        )

    def test_cut_short(self) -> None:
        """In each state a call may be over at once."""
        self.assertEqual(self.live("over"), ["close lost"])
        self.assertEqual(self.live("hang up"), ["close hung_up"])
        self.assertEqual(self.live("admitted", "over"), ["begin", "close lost"])
        self.assertEqual(
            self.live("admitted", "hang up", "over"), ["begin", "drain", "close lost"]
        )

    def test_every_order(self) -> None:
        """Whatever happens, in any order, each deed is done at most once, in order."""
        order = ["begin", "drain", "close"]
        for inputs in product(INPUTS, repeat=5):
            deeds = [deed.split()[0] for deed in self.live(*inputs)]
            self.assertEqual(deeds, [deed for deed in order if deed in deeds], inputs)
            if "over" in inputs:
                self.assertIn("close", deeds, inputs)

    def test_over(self) -> None:
        """To a life that was let go nothing happens."""
        for happens in INPUTS.values():
            happens(OVER)

    def test_drained_at_once(self) -> None:
        """Draining may be over before it is done beginning."""

        class Quick(Diary):
            def drain(self) -> None:
                super().drain()
                life.drained()

        diary = Quick()
        life: Life = LifeMachine(diary)
        life.admitted()
        life.hang_up("hung_up")
        self.assertEqual(diary.deeds, ["begin", "drain", "close hung_up"])
