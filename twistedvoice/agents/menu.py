# -*- test-case-name: tests.agents.test_menu -*-
"""What a caller can hear and choose: the menus of the prompt agent as values.

Made by :mod:`.menufile`, which knows how they are written in TOML and finds what is
wrong with them; walked through by :mod:`.prompt`. Prompts are paths of files here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from .actions import Action, reachable

__all__ = [
    "Gather",
    "Menu",
    "MenuTree",
    "Prompts",
]

#: Files that are said one after the other.
Prompts = tuple[Path, ...]


@frozen(kw_only=True)
class Gather:
    """Collect several digits; the terminator ends them before there are ``digits``."""

    digits: int
    terminator: str
    #: How long the caller may take from one digit to the next.
    timeout_seconds: float
    then: Action


@frozen(kw_only=True)
class Menu:
    """One thing that is said, and what can follow it."""

    prompt: Prompts
    keys: Mapping[str, Action]
    gather: Gather | None
    #: What follows when the prompt was heard; None waits for the caller.
    then: Action | None
    #: How long the caller may take to press the first key.
    timeout_seconds: float
    #: How often the menu is said again after silence or a wrong key.
    repeats: int
    on_timeout: Action
    on_invalid: Action
    #: Whether a key cuts the prompt off.
    barge_in: bool

    def actions(self) -> Iterator[Action]:
        """:returns: everything that can follow this menu."""
        yield from self.keys.values()
        if self.gather is not None:
            yield self.gather.then
        if self.then is not None:
            yield self.then
        yield self.on_timeout
        yield self.on_invalid


@frozen(kw_only=True)
class MenuTree:
    """All menus of a service, and what is said outside of any."""

    start: str
    menus: Mapping[str, Menu]
    #: Said once, before the first menu.
    greeting: Prompts
    #: Said before a menu is repeated because nothing or the wrong thing was pressed.
    sorry: Prompts
    #: Said before hanging up.
    goodbye: Prompts

    def files(self) -> Iterator[tuple[str, Path]]:
        """:returns: every file that is said, with the key that names it."""
        outside = {
            "greeting": self.greeting,
            "sorry": self.sorry,
            "goodbye": self.goodbye,
        }
        inside = {f"menus.{name}.prompt": m.prompt for name, m in self.menus.items()}
        for key, prompts in (outside | inside).items():
            for path in prompts:
                yield key, path

    def reachable(self) -> set[str]:
        """:returns: the names of the menus that a caller can get to."""
        return reachable(
            self.start, {name: menu.actions() for name, menu in self.menus.items()}
        )
