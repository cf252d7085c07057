# -*- test-case-name: tests.agents.test_menufile tests.agents.test_dialoguefile -*-
"""What can follow in a call that is led: go on, repeat, hang up, transfer.

Menus and spoken dialogues share these values, and the words by which a file names
them. Performed by the agents.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from ..errors import ConfigError
from .section import Section, suggestion

__all__ = [
    "KEYS",
    "WORDS",
    "Action",
    "GoTo",
    "HangUp",
    "Repeat",
    "Targets",
    "Transfer",
    "parsed",
    "phone_number",
    "reachable",
]

#: The keys of a telephone.
KEYS = frozenset("0123456789*#ABCD")
#: Actions that are no place.
WORDS = frozenset({"repeat", "hangup", "transfer"})
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")


@frozen
class GoTo:
    """Go on with another place: a menu, or a state of a dialogue."""

    place: str


@frozen
class Repeat:
    """Say the same again."""


@frozen
class HangUp:
    """Say goodbye, and hang up once that was heard."""


@frozen
class Transfer:
    """Hand the caller to another number."""

    number: str = field(repr=False)


Action = GoTo | Repeat | HangUp | Transfer


class Targets:
    """Where the actions of one file can lead."""

    def __init__(self, names: Sequence[str], noun: str, transfer: str) -> None:
        """
        :param names: of all places.
        :param noun: what a place is called: ``menus``, say.
        :param transfer: where ``"transfer"`` leads; may be empty.
        """
        self._names = names
        self._noun = noun
        self._transfer = transfer

    def start(self, section: Section) -> str:
        """:returns: the place that ``start`` names."""
        start = section.text("start")
        if start and start not in self._names:
            hint = suggestion(start, self._names)
            noun = self._noun.removesuffix("s")
            what = f"there is no {noun} {start!r};{hint} {self._all()}"
            section.problem("start", what)
        return start

    def action(self, section: Section, key: str, default: str | None = None) -> Action:
        """:returns: what ``key`` leads to."""
        text = section.text(key, default)
        if text in self._names:
            return GoTo(text)
        if text == "repeat":
            return Repeat()
        if text.partition(":")[0] == "transfer":
            return self._transferring(section, key, text.partition(":")[2])
        if text and text != "hangup":
            hint = suggestion(text, [*self._names, *WORDS])
            section.problem(key, f"leads nowhere;{hint} {self._all()}")
        return HangUp()

    def actions(self, section: Section) -> Mapping[str, Action]:
        """:returns: what each key of a table leads to."""
        return {key: self.action(section, key) for key in section.names()}

    def keys(self, section: Section) -> Mapping[str, Action]:
        """:returns: what each key of the telephone leads to."""
        for key in section.names():
            if key not in KEYS:
                section.problem(
                    key, "is not a key; allowed are 0 to 9, *, # and A to D"
                )
        return self.actions(section)

    def last_resort(self, section: Section, key: str) -> Action:
        """:returns: what follows when something was repeated often enough."""
        action = self.action(section, key, "hangup")
        if isinstance(action, Repeat):
            section.problem(key, '"repeat" would never end; repeats says how often')
        return action

    def _transferring(self, section: Section, key: str, number: str) -> Transfer:
        number = number or self._transfer
        if not _NUMBER.fullmatch(number):
            section.problem(key, 'needs a number: "transfer:+15550100", or transfer')
        return Transfer(number)

    def _all(self) -> str:
        """:returns: what an action can be."""
        actions = "repeat, hangup and transfer:+NUMBER"
        return (
            f"the {self._noun} are {', '.join(self._names) or 'none'}; else {actions}"
        )


def reachable(start: str, leads_to: Mapping[str, Iterable[Action]]) -> set[str]:
    """
    :param leads_to: what can follow each place.
    :returns: the places that a caller can get to.
    """
    found: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in found or name not in leads_to:
            continue
        found.add(name)
        for action in leads_to[name]:
            if isinstance(action, GoTo):
                ahead.append(action.place)
    return found


def phone_number(section: Section, key: str) -> str:
    """:returns: a phone number in E.164, or nothing."""
    number = section.text(key, "")
    if number and not _NUMBER.fullmatch(number):
        section.problem(key, "is not a phone number; write it as +15550100")
    return number


def parsed(path: Path, key: str, problems: Sequence[str]) -> Mapping[str, object]:
    """
    :param key: what names the file.
    :raises ConfigError: when there is no table to look at; with ``problems`` too.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError([*problems, f"{key}: cannot read {path}: {error}"]) from error
