# -*- test-case-name: tests.agents.test_menu -*-
"""Menus know what follows them and which files they need."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.agents.actions import GoTo, HangUp, Repeat, Transfer
from twistedvoice.agents.menu import Gather, Menu, MenuTree

PLAIN = Menu(
    prompt=(Path("plain.wav"),),
    keys={},
    gather=None,
    then=None,
    timeout_seconds=5,
    repeats=2,
    on_timeout=HangUp(),
    on_invalid=HangUp(),
    barge_in=True,
)


def tree(**menus: Menu) -> MenuTree:
    """:returns: these menus, from the first one on."""
    return MenuTree(
        start=next(iter(menus)),
        menus=menus,
        greeting=(Path("hello.wav"),),
        sorry=(),
        goodbye=(Path("bye.wav"),),
    )


class MenuTests(SynchronousTestCase):
    """What menus say of themselves."""

    def test_actions(self) -> None:
        """All that can follow a menu is told."""
        number = Transfer("+15550100")
        gather = Gather(digits=4, terminator="#", timeout_seconds=5, then=number)
        menu = evolve(PLAIN, keys={"1": Repeat()}, gather=gather, then=GoTo("a"))
        self.assertEqual(
            list(menu.actions()), [Repeat(), number, GoTo("a"), HangUp(), HangUp()]
        )

    def test_reachable(self) -> None:
        """A menu is reached by any way that leads to it, and rings do no harm."""
        menus = tree(
            a=evolve(PLAIN, keys={"1": GoTo("b")}),
            b=evolve(PLAIN, on_timeout=GoTo("c")),
            c=evolve(PLAIN, then=GoTo("a")),
            d=evolve(PLAIN, then=GoTo("a")),
        )
        self.assertEqual(menus.reachable(), {"a", "b", "c"})

    def test_files(self) -> None:
        """Every file is told with the key that names it."""
        self.assertEqual(
            list(tree(a=PLAIN).files()),
            [
                ("greeting", Path("hello.wav")),
                ("goodbye", Path("bye.wav")),
                ("menus.a.prompt", Path("plain.wav")),
            ],
        )

    def test_number_is_not_shown(self) -> None:
        """A number does not get into a log by the way an action is shown."""
        self.assertNotIn("555", repr(Transfer("+15550100")))
