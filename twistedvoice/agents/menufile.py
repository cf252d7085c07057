# -*- test-case-name: tests.agents.test_menufile -*-
"""Reads the menus of the prompt agent from its settings or from a TOML file.

Everything that is wrong is found in one go: each problem names the key, what is wrong
with it and what is allowed. What a caller may do is in :mod:`.menu`; that the sound
files can be read is found out by :mod:`.sounds`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from ..errors import ConfigError
from .menu import (
    Action,
    Gather,
    GoTo,
    HangUp,
    Menu,
    MenuTree,
    Prompts,
    Repeat,
    Transfer,
)
from .section import Section, suggestion

__all__ = ["SAMPLE_MENU", "read_menus"]

#: What is played without any settings.
SAMPLE_MENU = Path(__file__).parent / "prompts" / "menu.toml"

_KEYS = frozenset("0123456789*#ABCD")
#: Actions that are no menu.
_WORDS = frozenset({"repeat", "hangup", "transfer"})
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
#: What may stand beside the name of a file: what differs from number to number.
_BESIDE_A_FILE = {"greeting", "transfer"}


def read_menus(settings: Mapping[str, object], folder: Path) -> MenuTree:
    """
    Read the menus that ``settings`` hold or name; without either, the sample menu.

    :param folder: where relative paths in ``settings`` start. Those in a file start
        where the file is.
    :raises ConfigError: naming everything that is wrong.
    """
    problems: list[str] = []
    if "menu" not in settings and set(settings) - _BESIDE_A_FILE:
        tree = _Reader(folder, problems).tree(Section(settings, "", problems))
    else:
        tree = _read_file(Section(settings, "", problems), folder, problems)
    if problems:
        raise ConfigError(problems)
    return tree


def _read_file(settings: Section, folder: Path, problems: list[str]) -> MenuTree:
    """Read the file that is named, and let the settings beside it win."""
    beside = _Reader(folder, problems)
    path = folder / settings.text("menu", str(SAMPLE_MENU))
    transfer = beside.number(settings, "transfer")
    greeting = beside.prompts(settings, "greeting")
    settings.finish()
    section = Section(_parsed(path, problems), f"{path.name}: ", problems)
    tree = _Reader(path.parent, problems, transfer).tree(section)
    return evolve(tree, greeting=greeting or tree.greeting)


def _parsed(path: Path, problems: list[str]) -> Mapping[str, object]:
    """:raises ConfigError: when there is no table to look at."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError([*problems, f"menu: cannot read {path}: {error}"]) from error


class _Reader:
    """Turns the sections of one file into menus."""

    def __init__(self, folder: Path, problems: list[str], transfer: str = "") -> None:
        """:param transfer: where ``"transfer"`` leads; wins over the file's own."""
        self._folder = folder
        self._problems = problems
        self._transfer = transfer
        self._names: list[str] = []

    def tree(self, section: Section) -> MenuTree:
        """Read everything; what comes back counts only if there is no problem."""
        own = self.number(section, "transfer")
        self._transfer = self._transfer or own
        menus = section.section("menus")
        self._names = menus.names()
        for name in _WORDS.intersection(self._names):
            menus.problem(name, "is an action; give the menu another name")
        tree = MenuTree(
            start=self._start(section),
            menus={name: self._menu(menus.section(name)) for name in self._names},
            greeting=self.prompts(section, "greeting"),
            sorry=self.prompts(section, "sorry"),
            goodbye=self.prompts(section, "goodbye"),
        )
        section.finish()
        if not self._problems:  # else a misspelt target would be reported twice
            for name in sorted(set(tree.menus) - tree.reachable()):
                menus.problem(name, "nothing leads to this menu")
        return tree

    def number(self, section: Section, key: str) -> str:
        """:returns: a phone number in E.164, or nothing."""
        number = section.text(key, "")
        if number and not _NUMBER.fullmatch(number):
            section.problem(key, "is not a phone number; write it as +15550100")
        return number

    def prompts(self, section: Section, key: str, *, needed: bool = False) -> Prompts:
        """:returns: the files that ``key`` names."""
        names = section.texts(key, needed=needed)
        paths = tuple(self._folder / name for name in names)
        for path in paths:
            if not path.is_file():
                near = (other.name for other in path.parent.glob("*.wav"))
                hint = suggestion(path.name, near)
                section.problem(key, f"there is no file {path};{hint or ' give a WAV'}")
        return paths

    def _start(self, section: Section) -> str:
        start = section.text("start")
        if start and start not in self._names:
            hint = suggestion(start, self._names)
            section.problem("start", f"there is no menu {start!r};{hint} {self._all()}")
        return start

    def _menu(self, section: Section) -> Menu:
        menu = Menu(
            prompt=self.prompts(section, "prompt", needed=True),
            keys=self._keys(section.section("keys")),
            gather=self._gather(section) if "gather" in section else None,
            then=self._action(section, "then") if "then" in section else None,
            timeout_seconds=section.number("timeout_seconds", 5, least=0.1, most=600),
            repeats=section.whole("repeats", 2, least=0, most=100),
            on_timeout=self._last_resort(section, "on_timeout"),
            on_invalid=self._last_resort(section, "on_invalid"),
            barge_in=section.flag("barge_in", default=True),
        )
        if not (menu.keys or menu.gather or menu.then):
            section.problem("keys", "give keys, gather or then, or the call is stuck")
        if menu.gather and (menu.keys or menu.then):
            section.problem(
                "gather", "excludes keys and then; it has a then of its own"
            )
        section.finish()
        return menu

    def _keys(self, section: Section) -> Mapping[str, Action]:
        for key in section.names():
            if key not in _KEYS:
                section.problem(
                    key, "is not a key; allowed are 0 to 9, *, # and A to D"
                )
        return {key: self._action(section, key) for key in section.names()}

    def _gather(self, menu: Section) -> Gather:
        section = menu.section("gather")
        gather = Gather(
            digits=section.whole("digits", None, least=1, most=100),
            terminator=section.text("terminator", "#"),
            timeout_seconds=section.number("timeout_seconds", 5, least=0.1, most=600),
            then=self._action(section, "then"),
        )
        if gather.terminator not in {"", "*", "#"}:
            section.problem("terminator", 'allowed are "#", "*" and "" for none')
        section.finish()
        return gather

    def _last_resort(self, section: Section, key: str) -> Action:
        """:returns: what follows when a menu was repeated often enough."""
        action = self._action(section, key, "hangup")
        if isinstance(action, Repeat):
            section.problem(key, '"repeat" would never end; repeats says how often')
        return action

    def _action(self, section: Section, key: str, default: str | None = None) -> Action:
        text = section.text(key, default)
        if text in self._names:
            return GoTo(text)
        if text == "repeat":
            return Repeat()
        if text.partition(":")[0] == "transfer":
            return self._transferring(section, key, text.partition(":")[2])
        if text and text != "hangup":
            hint = suggestion(text, [*self._names, *_WORDS])
            section.problem(key, f"leads nowhere;{hint} {self._all()}")
        return HangUp()

    def _transferring(self, section: Section, key: str, number: str) -> Transfer:
        number = number or self._transfer
        if not _NUMBER.fullmatch(number):
            section.problem(key, 'needs a number: "transfer:+15550100", or transfer')
        return Transfer(number)

    def _all(self) -> str:
        """:returns: what an action can be."""
        actions = "repeat, hangup and transfer:+NUMBER"
        return f"the menus are {', '.join(self._names) or 'none'}; else {actions}"
