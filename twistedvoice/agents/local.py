# -*- test-case-name: tests.agents.test_local -*-
"""The agent that holds a spoken dialogue without any account.

It listens by a grammar for each state, speaks with a synthesised voice, and can be
interrupted. Engines hear and speak in processes of their own (:mod:`.localhouse` has
them); without an answer of theirs a call goes on as if nothing had been said. What
callers say is never logged, only which intent it was taken for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from ..errors import EngineError
from ..interfaces import AgentFactory, CallControl, Utterance
from ..realtime.framer import Framer
from ..speech.bargein import BargeIn
from ..speech.recital import Recital
from ..speech.turns import Turns
from ..speech.vad import new_detector
from .actions import Action, GoTo
from .dialogue import Choices, Digits, State, blanks, spoken_digits
from .guide import Guide, Visit
from .listener import Listener

if TYPE_CHECKING:
    from .localhouse import LocalHouse

__all__ = ["Local"]


class Local(Guide[State]):
    """Holds the dialogue of its house; docs/local-agent.rst says how it is written."""

    _gate: BargeIn
    _listener: Listener

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the dialogue; without settings, the sample."""
        from .localhouse import open_house

        return open_house(cls, settings, folder)

    def __init__(self, house: LocalHouse) -> None:
        super().__init__(house.dialogue.states, house.dialogue.start)
        self._house = house
        #: What callers said to what they were asked.
        self.slots: dict[str, str] = {}
        #: The digits that were pressed since the state was last said.
        self._pressed = ""

    def understood(self, state: str, meaning: str) -> str | None:
        """
        The caller has said something that ``state`` listens for; for subclasses.

        :param meaning: ``on INTENT``, ``choice VALUE`` or ``digits``; see ``slots``.
        :returns: the name of a state to go on with, or None for what the file says.
        """
        return None

    # -- what happens to the call --------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting and the first state at once."""
        house = self._house
        house.attendance.entered(self)
        self._recital = Recital(call)
        self._gate = BargeIn(call, self._recital, house.barge_in)
        self._listener = Listener(
            call,
            self._gate,
            turns=Turns(house.turns),
            detector=new_detector(call.format),
            hear=lambda: house.engines.hear(self._asked.name, call.format),
            grammar=lambda: house.grammars.get(self._asked.name),
            began=self._cancel_timer,
            ended=self._speech_ended,
            ignored=self._ignored,
        )
        self._framer = Framer(call.format)
        greeting = house.dialogue.greeting
        self._gate.is_protected = bool(greeting) and house.dialogue.protect_greeting
        self._say_state(greeting)

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Listen."""
        for frame in self._framer.push(payload):
            self._listener.frame(frame)

    def digit_pressed(self, digit: str) -> None:
        """A key cuts off what is said and counts, where the state lets it."""
        state = self._visit.place
        is_protected = self._recital.saying is not None and self._gate.is_protected
        if self._leaving or is_protected:
            return
        self._fall_silent("digit")
        if isinstance(state.ask, Digits):
            self._press(state.ask, digit)
        elif digit in state.keys:
            self._perform(state.keys[digit])
        else:
            self._try_again(state.on_invalid)

    def call_ended(self, outcome: str) -> None:
        """Let go of the engines."""
        self._listener.close()
        self._house.attendance.left(self)

    # -- what the caller said ------------------------------------------------------

    @property
    def _asked(self) -> Visit[State]:
        """What speech answers: the state, or the one that a mere statement leads to."""
        visit = self._visit
        for _ in self._places:  # statements may lead to each other in a circle
            if not isinstance(visit.place.then, GoTo):
                break
            name = visit.place.then.place
            visit = Visit(name, self._places[name])
        return visit

    def _speech_ended(self, meaning: str | None, words: str) -> None:
        """Speech has ended; None when it was nothing that is listened for."""
        if self._leaving:
            return
        if meaning is None:
            self._try_again(self._visit.place.on_invalid)
            return
        visit = self._visit = self._asked
        state = visit.place
        self._log.debug(
            "{call_id} is understood in {state}: {meaning}",
            call_id=self.call.call_id,
            state=visit.name,
            meaning=meaning,
        )
        kind, _, name = meaning.partition(" ")
        if kind == "choice" and isinstance(state.ask, Choices):
            self._fill(state.ask, name, meaning)
        elif kind == "digits" and isinstance(state.ask, Digits):
            self._fill(state.ask, spoken_digits(words), meaning)
        else:
            actions = {**self._house.dialogue.anywhere, **state.on}
            self._follow(meaning, actions[name])

    def _ignored(self) -> None:
        """It was only a noise: go on waiting."""
        if self._recital.saying is None:
            self._wait()

    def _fill(self, ask: Choices | Digits, value: str, meaning: str) -> None:
        # With commas, digits are spoken one by one.
        self.slots[ask.slot] = ", ".join(value) if isinstance(ask, Digits) else value
        self._follow(meaning, ask.then)

    def _follow(self, meaning: str, action: Action) -> None:
        state = self.understood(self._visit.name, meaning)
        self._perform(action if state is None else GoTo(state))

    def _press(self, ask: Digits, digit: str) -> None:
        """Take one more digit, or the end of them."""
        is_end = digit == "#" and len(self._pressed) >= ask.least
        if not (digit.isdecimal() or is_end):
            self._try_again(self._visit.place.on_invalid)
            return
        self._pressed += digit.strip("#")
        if is_end or len(self._pressed) == ask.most:
            self._fill(ask, self._pressed, "digits")
        else:
            self._wait()

    # -- what is said --------------------------------------------------------------

    def _say_place(self, *, sorry: bool = False) -> None:
        self._say_state(self._house.dialogue.sorry if sorry else "")

    def _say_state(self, first: str) -> None:
        self._fall_silent("next")
        self._pressed = ""
        state = self._visit.place
        if not state.barge_in:
            self._gate.is_protected = True
        self._say([first, state.say], self._heard)

    def _heard(self) -> None:
        self._gate.is_protected = False
        super()._heard()

    def _goodbye(self) -> Utterance | None:
        self._gate.is_protected = True
        goodbye = self._house.dialogue.goodbye
        return self._say([goodbye], lambda: None) if goodbye else None

    def _say(self, texts: Sequence[str], then: Callable[[], None]) -> Utterance:
        utterance = self._recital.begin(then)
        speaking = Deferred.fromCoroutine(self._speak(utterance, texts))
        speaking.addErrback(self._recital.failed)
        return utterance

    async def _speak(self, utterance: Utterance, texts: Sequence[str]) -> None:
        def heard(sound: bytes) -> None:
            if self._recital.saying is utterance:
                self._recital.write(sound)

        for text in filter(None, texts):
            if blanks(text):
                text = text.format_map(self.slots)
            sound = self._house.voicing.ready(text, self.call.format)
            if sound is not None:
                heard(sound)
                continue
            try:
                await self._house.voicing.speak(text, self.call.format, heard)
            except EngineError:
                self._log.warn("{call_id} has no voice", call_id=self.call.call_id)
        if self._recital.saying is utterance:
            self._recital.end()

    def _wait(self, seconds: float | None = None) -> None:
        self._cancel_timer()
        if not self._listener.is_busy:
            super()._wait(seconds)

    def _fall_silent(self, reason: str) -> None:
        super()._fall_silent(reason)
        self._listener.close()
