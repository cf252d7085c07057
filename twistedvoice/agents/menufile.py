# -*- test-case-name: tests.agents.test_menufile -*-
"""Reads the menus of the prompt agent from its settings or from a TOML file.

Everything that is wrong is found in one go: each problem names the key, what is wrong
with it and what is allowed. What a caller may do is in :mod:`.menu`; that the sound
files can be read is found out by :mod:`.sounds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from ..errors import ConfigError
from .actions import WORDS, Targets, parsed, phone_number
from .menu import Gather, Menu, MenuTree, Prompts
from .section import Section, suggestion

__all__ = ["SAMPLE_MENU", "read_menus"]

#: What is played without any settings.
SAMPLE_MENU = Path(__file__).parent / "prompts" / "menu.toml"

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
    transfer = phone_number(settings, "transfer")
    greeting = beside.prompts(settings, "greeting")
    settings.finish()
    section = Section(parsed(path, "menu", problems), f"{path.name}: ", problems)
    tree = _Reader(path.parent, problems, transfer).tree(section)
    return evolve(tree, greeting=greeting or tree.greeting)


class _Reader:
    """Turns the sections of one file into menus."""

    def __init__(self, folder: Path, problems: list[str], transfer: str = "") -> None:
        """:param transfer: where ``"transfer"`` leads; wins over the file's own."""
        self._folder = folder
        self._problems = problems
        self._transfer = transfer
        self._targets = Targets([], "menus", transfer)

    def tree(self, section: Section) -> MenuTree:
        """Read everything; what comes back counts only if there is no problem."""
        own = phone_number(section, "transfer")
        menus = section.section("menus")
        names = menus.names()
        self._targets = Targets(names, "menus", self._transfer or own)
        for name in WORDS.intersection(names):
            menus.problem(name, "is an action; give the menu another name")
        tree = MenuTree(
            start=self._targets.start(section),
            menus={name: self._menu(menus.section(name)) for name in names},
            greeting=self.prompts(section, "greeting"),
            sorry=self.prompts(section, "sorry"),
            goodbye=self.prompts(section, "goodbye"),
        )
        section.finish()
        if not self._problems:  # else a misspelt target would be reported twice
            for name in sorted(set(tree.menus) - tree.reachable()):
                menus.problem(name, "nothing leads to this menu")
        return tree

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

    def _menu(self, section: Section) -> Menu:
        menu = Menu(
            prompt=self.prompts(section, "prompt", needed=True),
            keys=self._targets.keys(section.section("keys")),
            gather=self._gather(section) if "gather" in section else None,
            then=self._targets.action(section, "then") if "then" in section else None,
            timeout_seconds=section.number("timeout_seconds", 5, least=0.1, most=600),
            repeats=section.whole("repeats", 2, least=0, most=100),
            on_timeout=self._targets.last_resort(section, "on_timeout"),
            on_invalid=self._targets.last_resort(section, "on_invalid"),
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

    def _gather(self, menu: Section) -> Gather:
        section = menu.section("gather")
        gather = Gather(
            digits=section.whole("digits", None, least=1, most=100),
            terminator=section.text("terminator", "#"),
            timeout_seconds=section.number("timeout_seconds", 5, least=0.1, most=600),
            then=self._targets.action(section, "then"),
        )
        if gather.terminator not in {"", "*", "#"}:
            section.problem("terminator", 'allowed are "#", "*" and "" for none')
        section.finish()
        return gather
