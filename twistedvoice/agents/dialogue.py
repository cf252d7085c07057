# -*- test-case-name: tests.agents.test_dialogue -*-
"""What a caller can be asked and can say: a spoken dialogue as a value.

Made by :mod:`.dialoguefile` from TOML, or by an author in Python; held with a caller
by :mod:`.local`. It knows which grammar goes with which state, and nothing of sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

from attrs import Factory, frozen

from ..speech.grammar import DIGITS, Grammar, Rule, digits_phrase
from .actions import Action, reachable

__all__ = [
    "YES_AND_NO",
    "Choices",
    "Dialogue",
    "Digits",
    "State",
    "blanks",
    "spoken_digits",
]

#: Phrases by what they mean.
Phrases = Mapping[str, Sequence[str]]

#: Known in every dialogue; an intent of the same name takes the place of each.
YES_AND_NO: Phrases = {
    "yes": ("yes [please]", "yeah", "yep", "sure", "[that's] (right | correct)"),
    "no": ("no [thank you | thanks]", "nope", "[that's] (wrong | not right)"),
}


@frozen(kw_only=True)
class Choices:
    """A slot that takes one of some values."""

    slot: str
    phrases: Phrases
    then: Action


@frozen(kw_only=True)
class Digits:
    """A slot that takes digits, spoken or pressed."""

    slot: str
    least: int
    most: int
    then: Action


@frozen(kw_only=True)
class State:
    """One thing that is said, and what can be said to it."""

    #: ``{name}`` stands for what a slot holds.
    say: str
    #: What each intent leads to.
    on: Mapping[str, Action] = Factory(dict)
    keys: Mapping[str, Action] = Factory(dict)
    ask: Choices | Digits | None = None
    #: What follows when it was heard; None waits for the caller.
    then: Action | None = None
    #: How long the caller may take to begin to answer.
    timeout_seconds: float = 5.0
    #: How often it is said again after silence, or after what is not understood.
    repeats: int = 2
    on_timeout: Action
    on_invalid: Action
    #: Whether speech and keys cut off what is said.
    barge_in: bool = True

    def actions(self) -> Iterator[Action]:
        """:returns: everything that can follow this state."""
        yield from self.on.values()
        yield from self.keys.values()
        if self.ask is not None:
            yield self.ask.then
        if self.then is not None:
            yield self.then
        yield self.on_timeout
        yield self.on_invalid


@frozen(kw_only=True)
class Dialogue:
    """A whole dialogue."""

    start: str
    states: Mapping[str, State]
    intents: Phrases
    #: Intents that count in every state that listens.
    anywhere: Mapping[str, Action] = Factory(dict)
    #: Said once, before the first state.
    greeting: str = ""
    #: Whether the greeting must be heard to its end.
    protect_greeting: bool = False
    #: Said before a state is repeated because nothing was understood.
    sorry: str = ""
    #: Said before hanging up.
    goodbye: str = ""

    def grammar(self, name: str) -> Grammar:
        """:returns: what may be said in a state; rules have the names of meanings."""
        state = self.states[name]
        known = {**YES_AND_NO, **self.intents}
        rules = [
            Rule(name=f"on {intent}", phrases=known[intent])
            for intent in {**self.anywhere, **state.on}
        ]
        if isinstance(state.ask, Digits):
            phrase = digits_phrase(state.ask.least, state.ask.most)
            is_open = state.ask.least < state.ask.most
            rules.append(Rule(name="digits", phrases=[phrase], is_open=is_open))
        elif state.ask is not None:
            for value, phrases in state.ask.phrases.items():
                rules.append(Rule(name=f"choice {value}", phrases=phrases))
        return Grammar(name, rules)

    def grammars(self) -> dict[str, Grammar]:
        """:returns: the grammar of every state in which something may be said."""
        every = {name: self.grammar(name) for name in self.states}
        return {name: grammar for name, grammar in every.items() if grammar.rules}

    def texts(self) -> list[str]:
        """:returns: all that is said with nothing to fill in."""
        said = [self.greeting, self.sorry, self.goodbye]
        said += [state.say for state in self.states.values()]
        return [text for text in dict.fromkeys(said) if text and not blanks(text)]

    def reachable(self) -> set[str]:
        """:returns: the names of the states that a caller can get to."""
        anywhere = list(self.anywhere.values())
        leads_to = {
            name: [*state.actions(), *anywhere] for name, state in self.states.items()
        }
        return reachable(self.start, leads_to)


def blanks(text: str) -> list[str]:
    """
    :returns: the names of the slots that ``text`` wants.
    :raises ValueError: when its braces cannot be read.
    """
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


def spoken_digits(words: str) -> str:
    """:returns: the digits that ``words`` are."""
    return "".join(DIGITS[word] for word in words.split())
