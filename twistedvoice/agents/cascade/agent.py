# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""The agent of a cascade: something hears, a chat model thinks, something speaks.

It keeps the turns: what the caller said is answered, sentence by sentence, and the
caller's words cut the answer off, in the model's memory too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred

from ...errors import ChatFailed
from ...interfaces import AgentFactory, CallControl
from ..model.memory import Line
from ..model.remote import LONGEST_WAIT_SECONDS, RETRY_SECONDS, RemoteAgent
from ..model.watch import NewWatch, Watch
from .answer import Answer, Mind
from .history import History
from .options import read_options
from .senses import Ears
from .services import Services
from .speech import Speech

__all__ = ["Cascade"]


class Cascade(RemoteAgent):
    """Talks with the caller by three services; see docs/cascade.rst for settings."""

    _house: Services
    _ears: Ears
    _speech: Speech
    _mind: Mind

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the settings and encode the prompts."""
        return Services(cls, read_options(settings, folder))

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._history = History()
        self._answer: Answer | None = None
        #: Asks again for an answer that failed.
        self._retry: Any = None
        #: When the caller began to say what is not known yet, and whether that broke an
        #: answer off.
        self._caller_began_ms = 0
        self._is_broken_off = False

    # -- what happens to the call ------------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting, or have the model; sockets may be there already."""
        self._house.attendance.entered(self)
        self._began = self._clock.seconds()
        senses = self._house.claim(call.call_id, call.format)
        seconds = self._conduct.answer_seconds
        new_watch = partial(Watch, self._clock, call.call_later, seconds)
        mouth = senses.new_mouth(new_watch, self._give_up)
        self._speech = Speech(
            call, mouth, self._history, self._now_ms, self._note, self._failed
        )
        self._ears = senses.new_ears(self, new_watch)
        self._mind = self._make_up(call, new_watch)
        greeting = self._conduct.greeting
        if greeting is not None:
            if self._conduct.greeting_text:
                self._history.add("assistant", self._conduct.greeting_text)
            self._greet(greeting)
        # What went wrong while the phone rang is told now.
        self._ears.begin(self._contain)
        mouth.begin(self._contain)
        if greeting is None and not self.is_leaving:
            self._ask()

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Pass it on."""
        if not self._is_deaf:
            self._ears.hear(payload)

    def interrupted(self, reason: str) -> None:
        """What was said is cut off; a protected greeting, too."""
        self._fall_silent()
        self._greeted(reason)

    def call_ended(self, outcome: str) -> None:
        """Let go of what hears and speaks, and of all that knows this agent."""
        self._house.attendance.left(self)
        self._fall_silent()
        for part in (self._toolbox, self._ears, self._speech):
            part.close()
        del self._mind

    # -- what the caller says ----------------------------------------------------------

    def caller_began(self) -> None:
        self._caller_began_ms = self._now_ms()
        self._is_broken_off = self._is_answering
        self._fall_silent()
        self.call.interrupt("speech")

    def caller_said(self, text: str) -> None:
        if text:
            self._history.add("user", text)
            self._note(Line(who="caller", text=text, at_ms=self._caller_began_ms))
        if text or self._is_broken_off:
            self._ask()

    def ears_given_up(self) -> None:
        self._give_up()

    # -- what the model says -----------------------------------------------------------

    def answer_says(self, sentence: str) -> None:
        self._speech.say(sentence)

    def answer_over(self) -> None:
        self._answer = None
        self._failures = 0
        if self._is_deaf:
            self._then(self._speech.heard(), self._greeted)

    def answer_failed(self, failed: ChatFailed) -> None:
        self._answer = None
        if self._may_ask_again(failed.reason, hopeless=failed.hopeless):
            wait = min(failed.wait_seconds, LONGEST_WAIT_SECONDS)
            self._retry = self.call.call_later(max(wait, RETRY_SECONDS), self._ask)
        else:
            self._give_up()

    # -- within ------------------------------------------------------------------------

    def _make_up(self, call: CallControl, new_watch: NewWatch) -> Mind:
        conduct = self._conduct
        return Mind(
            chat=self._house.chat(),
            history=self._history,
            toolbox=self._toolbox,
            instructions=conduct.instructions,
            opening=conduct.opening,
            call_later=call.call_later,
            contain=self._contain,
            new_watch=new_watch,
        )

    @property
    def _is_answering(self) -> bool:
        """Whether something is being said, or made up, or is to be asked for again."""
        is_to_come = self._retry is not None and self._retry.active()
        is_made_up = self._answer is not None or not self._speech.is_silent
        return is_to_come or is_made_up or self.call.is_playing

    def _ask(self) -> None:
        self._answer = Answer(self._mind, self)
        self._answer.start()

    def _fall_silent(self) -> None:
        """Neither say nor make up any more."""
        self.is_leaving = False
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.cancel()
        retry, self._retry = self._retry, None
        if retry is not None and retry.active():
            retry.cancel()
        self._speech.stop()

    def _give_up(self) -> None:
        self._fall_silent()
        self._ears.close()
        self._speech.mute()
        self._apologise()

    def _contain(self, step: Callable[[], object]) -> None:
        maybeDeferred(step).addErrback(self._failed)
