# -*- test-case-name: tests.agents.test_dialoguefile -*-
"""Reads a spoken dialogue from a TOML file.

Everything that is wrong is found in one go, as in :mod:`.menufile`: phrases that
cannot be read, words that the recogniser does not know, slots that nobody asks for,
actions that lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ..errors import ConfigError
from ..speech.grammar import phrase_problem
from .actions import WORDS, Action, Targets, parsed, phone_number
from .dialogue import YES_AND_NO, Choices, Dialogue, Digits, State, blanks
from .section import Section, suggestion

__all__ = ["SAMPLE_DIALOGUE", "read_dialogue"]

#: What is held without any settings.
SAMPLE_DIALOGUE = Path(__file__).parent / "prompts" / "clinic.toml"

#: From words to those that cannot be recognised.
Unknown = Callable[[Collection[str]], Collection[str]]


def read_dialogue(
    path: Path, transfer: str = "", unknown_words: Unknown = lambda words: ()
) -> Dialogue:
    """
    Read the dialogue in a file.

    :param transfer: where ``"transfer"`` leads; wins over the file's own.
    :raises ConfigError: naming everything that is wrong.
    """
    problems: list[str] = []
    section = Section(parsed(path, "dialogue", problems), f"{path.name}: ", problems)
    dialogue = _Reader(section, problems, transfer).dialogue()
    if not problems:
        words = {word for each in dialogue.grammars().values() for word in each.words()}
        for word in sorted(unknown_words(words)):
            section.problem("phrases", f"the recogniser does not know {word!r}")
    if problems:
        raise ConfigError(problems)
    return dialogue


class _Reader:
    """Turns the sections of one file into a dialogue."""

    def __init__(self, section: Section, problems: list[str], transfer: str) -> None:
        self._section = section
        self._problems = problems
        self._states = section.section("states")
        names = self._states.names()
        own = phone_number(section, "transfer")
        self._targets = Targets(names, "states", transfer or own)
        for name in WORDS.intersection(names):
            self._states.problem(name, "is an action; give the state another name")
        self._intents = self._phrases(section.section("intents"))
        choices = section.section("choices")
        self._choices = {
            name: self._phrases(choices.section(name)) for name in choices.names()
        }
        self._slots: set[str] = set()

    def dialogue(self) -> Dialogue:
        """Read everything; what comes back counts only if there is no problem."""
        section, states = self._section, self._states
        anywhere = section.section("anywhere")
        self._known(anywhere)
        dialogue = Dialogue(
            start=self._targets.start(section),
            states={name: self._state(states.section(name)) for name in states.names()},
            intents=self._intents,
            anywhere=self._targets.actions(anywhere),
            greeting=section.text("greeting", ""),
            protect_greeting=section.flag("protect_greeting", default=False),
            sorry=section.text("sorry", ""),
            goodbye=section.text("goodbye", ""),
        )
        section.finish()
        self._check_blanks(dialogue)
        if not self._problems:  # else a misspelt target would be reported twice
            for name in sorted(set(dialogue.states) - dialogue.reachable()):
                states.problem(name, "nothing leads to this state")
        return dialogue

    def _state(self, section: Section) -> State:
        on = section.section("on")
        self._known(on)
        state = State(
            say=section.text("say"),
            on=self._targets.actions(on),
            keys=self._targets.keys(section.section("keys")),
            ask=self._ask(section) if "ask" in section else None,
            then=None if "ask" in section else self._then(section),
            timeout_seconds=section.number("timeout_seconds", 5, least=0.1, most=600),
            repeats=section.whole("repeats", 2, least=0, most=100),
            on_timeout=self._targets.last_resort(section, "on_timeout"),
            on_invalid=self._targets.last_resort(section, "on_invalid"),
            barge_in=section.flag("barge_in", default=True),
        )
        if not (state.on or state.keys or state.ask or state.then):
            section.problem("on", "give on, keys, ask or then, or the call is stuck")
        section.finish()
        return state

    def _then(self, section: Section) -> Action | None:
        return self._targets.action(section, "then") if "then" in section else None

    def _ask(self, section: Section) -> Choices | Digits:
        slot = section.text("ask")
        self._slots.add(slot)
        then = self._targets.action(section, "then")
        if "digits" in section:
            least = section.whole("digits", None, least=1, most=20)
            most = section.whole("most_digits", least, least=least, most=20)
            return Digits(slot=slot, least=least, most=most, then=then)
        if slot not in self._choices:
            hint = suggestion(slot, self._choices)
            section.problem("ask", f"needs digits, or a table choices.{slot};{hint}")
        return Choices(slot=slot, phrases=self._choices.get(slot, {}), then=then)

    def _phrases(self, section: Section) -> Mapping[str, tuple[str, ...]]:
        found = {
            name: tuple(section.texts(name, needed=True)) for name in section.names()
        }
        for name, phrases in found.items():
            for phrase in phrases:
                if (problem := phrase_problem(phrase)) is not None:
                    section.problem(name, f"{phrase!r} {problem}")
        return found

    def _known(self, on: Section) -> None:
        known = {**YES_AND_NO, **self._intents}
        for intent in on.names():
            if intent not in known:
                hint = suggestion(intent, known)
                on.problem(intent, f"there is no such intent;{hint} give it in intents")

    def _check_blanks(self, dialogue: Dialogue) -> None:
        said = {f"states.{name}.say": s.say for name, s in dialogue.states.items()}
        for key in ("greeting", "sorry", "goodbye"):
            said[key] = getattr(dialogue, key)
        for key, text in said.items():
            try:
                unasked = set(blanks(text)) - self._slots
            except ValueError as error:
                self._section.problem(key, f"cannot be read: {error}")
                continue
            for slot in sorted(unasked):
                hint = suggestion(slot, self._slots)
                self._section.problem(key, f"nothing asks for {{{slot}}};{hint}")
