# -*- test-case-name: tests.agents.test_section -*-
"""One table of settings, read key by key, with everything that is wrong written down.

A wrong or missing value becomes a problem in a list and a harmless value for the
reader, so that one reading finds all problems. Knows nothing of what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from ..errors import ConfigError

__all__ = ["Section", "reading", "suggestion"]


class Section:
    """A table and where it stands; :meth:`finish` it once all keys are read."""

    def __init__(
        self, table: Mapping[str, object], at: str, problems: list[str]
    ) -> None:
        """
        :param at: what goes before the name of a key in a problem, dot and all.
        :param problems: where problems are written down, one sentence each.
        """
        self._table = table
        self._at = at
        self._problems = problems
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def problem(self, key: str, what: str) -> None:
        """Write down what is wrong with ``key``, and what is allowed."""
        self._problems.append(f"{self._at}{key}: {what}")

    def text(self, key: str, default: str | None = None) -> str:
        """:returns: a string; without a default the key must be there."""
        value = self._value(key, default, "a string")
        if isinstance(value, str):
            return value
        self._wrong(key, value, "a string")
        return ""

    def texts(self, key: str, *, needed: bool = False) -> list[str]:
        """:returns: a string or a list of them, as a list; empty when not there."""
        wanted = "a string or a list of strings"
        value = self._value(key, None if needed else [], wanted)
        items = value if isinstance(value, list) else [value]
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) < len(items) or (needed and not texts):
            self._wrong(key, value, wanted)
        return texts

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """:returns: a number from ``least`` to ``most``."""
        return self._within(key, default, least, most, (int, float), "a number")

    def whole(self, key: str, default: int | None, *, least: int, most: int) -> int:
        """:returns: a whole number; without a default the key must be there."""
        return int(self._within(key, default, least, most, (int,), "a whole number"))

    def flag(self, key: str, *, default: bool) -> bool:
        """:returns: true or false."""
        value = self._value(key, default, "true or false")
        if not isinstance(value, bool):
            self._wrong(key, value, "true or false")
        return value is True

    def section(self, key: str) -> Section:
        """:returns: the table ``key``, empty when it is not there."""
        value = self._value(key, {}, "a table")
        if not isinstance(value, Mapping):
            self._wrong(key, value, "a table")
            value = {}
        return Section(value, f"{self._at}{key}.", self._problems)

    def names(self) -> list[str]:
        """:returns: all keys, for a table whose keys are names."""
        return list(self._table)

    def finish(self) -> None:
        """Every key that nobody read is unknown."""
        for key in self._table:
            if key not in self._read:
                allowed = ", ".join(sorted(self._read))
                self.problem(
                    key,
                    f"is not known;{suggestion(key, self._read)} allowed are {allowed}",
                )

    def _within(
        self,
        key: str,
        default: float | None,
        least: float,
        most: float,
        kinds: tuple[type, ...],
        what: str,
    ) -> float:
        wanted = f"{what} from {least} to {most}"
        value = self._value(key, default, wanted)
        right = isinstance(value, kinds) and not isinstance(value, bool)
        if right and isinstance(value, int | float) and least <= value <= most:
            return value
        self._wrong(key, value, wanted)
        return least

    def _value(self, key: str, default: object, wanted: str) -> object:
        """:returns: what stands there; None, and a problem, for a missing value."""
        self._read.add(key)
        value = self._table.get(key, default)
        if value is None:
            self.problem(key, f"is missing; give {wanted}")
        return value

    def _wrong(self, key: str, value: object, wanted: str) -> None:
        """Write down a value of the wrong kind, unless its absence was already."""
        if value is not None:
            self.problem(key, f"must be {wanted}")


@contextmanager
def reading(settings: Mapping[str, object]) -> Iterator[Section]:
    """
    Read all of an agent's settings: ``with reading(settings) as section``.

    :raises ConfigError: at the end, naming everything that is wrong; what is raised
        within is among it.
    """
    problems: list[str] = []
    section = Section(settings, "", problems)
    others: Sequence[str] = ()
    try:
        yield section
    except ConfigError as error:
        others = error.problems
    section.finish()
    if problems or others:
        raise ConfigError([*problems, *others])


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """:returns: `` did you mean 'right'?``, or nothing when nothing is alike."""
    close = get_close_matches(wrong, list(right), n=1)
    return f" did you mean {close[0]!r}?" if close else ""
