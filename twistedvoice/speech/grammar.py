# -*- test-case-name: tests.speech.test_grammar -*-
"""What a caller may say, as the recogniser wants it and as an agent reads it back.

A phrase is words, ``[what may be left out]`` and ``(one | or the other)``. The same
phrases make the JSGF grammar that a recogniser is led by, and what tells whether words
that it found are a whole sentence, and of which rule: a recogniser also gives the
beginnings of sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import define, field, frozen

__all__ = ["DIGITS", "Grammar", "Rule", "digits_phrase", "phrase_problem"]

_TOKEN = re.compile(r"[()\[\]|]|[a-z][a-z'-]*|\S")
_CLOSING = {"(": ")", "[": "]"}

#: What each spoken digit means.
DIGITS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip


@frozen(kw_only=True)
class Rule:
    """One thing that can be meant, and how it is said."""

    name: str
    phrases: Sequence[str]
    #: Whether more may follow when it is whole already, as after some of the digits.
    is_open: bool = False


@define
class Grammar:
    """All that may be said at one point of a dialogue."""

    name: str
    rules: Sequence[Rule]
    _readers: list[tuple[Rule, re.Pattern[str]]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._readers = [(rule, _reader(rule)) for rule in self.rules]

    def jsgf(self) -> str:
        """:returns: the grammar for a recogniser."""
        numbered = list(enumerate(self.rules))
        names = " | ".join(f"<r{number}>" for number, _ in numbered)
        lines = ["#JSGF V1.0;", f"grammar {self.name};", f"public <all> = {names};"]
        for number, rule in numbered:
            said = " | ".join(f"({phrase.lower()})" for phrase in rule.phrases)
            lines.append(f"<r{number}> = {said};")
        return "\n".join(lines) + "\n"

    def read(self, words: str) -> Rule | None:
        """:returns: the rule by which ``words`` are a whole sentence, the first."""
        for rule, reader in self._readers:
            if reader.fullmatch(f"{words} "):
                return rule
        return None

    def words(self) -> set[str]:
        """:returns: every word that may be said."""
        phrases = (phrase for rule in self.rules for phrase in rule.phrases)
        return {word for phrase in phrases for word in words_of(phrase)}


def words_of(phrase: str) -> Iterator[str]:
    """:returns: the words of a phrase, in order."""
    return (token for token in _TOKEN.findall(phrase.lower()) if token[0].isalpha())


def digits_phrase(least: int, most: int) -> str:
    """:returns: the phrase of ``least`` to ``most`` digits, said one by one."""
    digit = f"({' | '.join(DIGITS)})"
    more = ""
    for _ in range(most - least):
        more = f" [{digit}{more}]"
    return " ".join([digit] * least) + more


def phrase_problem(phrase: str) -> str | None:
    """:returns: why ``phrase`` cannot be used; None when it can."""
    open_brackets: list[str] = []
    for mark in _TOKEN.findall(phrase.lower()):
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif mark in ")]":
            if not open_brackets or open_brackets.pop() != mark:
                return f"has a {mark!r} too many"
        elif mark != "|" and not mark[0].isalpha():
            return f"has a {mark!r}; write numbers as words, and no punctuation"
    if open_brackets:
        return f"lacks a {open_brackets[-1]!r}"
    expression = _expression(phrase)
    if not any(words_of(phrase)) or re.fullmatch(expression, ""):
        return "can be said without a word"
    return None


def _reader(rule: Rule) -> re.Pattern[str]:
    return re.compile("|".join(_bracketed(map(_expression, rule.phrases))))


def _expression(phrase: str) -> str:
    """:returns: a regular expression of words, each with a space after it."""
    plain = {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|"}
    tokens = _TOKEN.findall(phrase.lower())
    return "".join(plain.get(token) or f"(?:{re.escape(token)} )" for token in tokens)


def _bracketed(expressions: Iterable[str]) -> Iterator[str]:
    return (f"(?:{expression})" for expression in expressions)
