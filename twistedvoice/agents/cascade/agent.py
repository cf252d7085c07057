# -*- test-case-name: tests.agents.cascade.test_agent -*-
"""The agent of a cascade: one service hears, a chat model thinks, another one speaks.

It keeps the turns: what the caller said is answered, sentence by sentence, and the
caller's words cut the answer off, in the model's memory too. When one of the three is
gone for good the caller hears an apology, and is put through or hung up on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import CallStateError, CarrierApiError, ChatFailed
from ...formats import MULAW_8K
from ...interfaces import AgentFactory, CallControl, Utterance
from ..agent import Agent
from ..leaving import leave
from ..model.conduct import BUILT_IN
from ..model.memory import Line
from ..sounds import Sounds
from ..tools import Toolbox, tool, tools_of
from .answer import Answer, Mind
from .history import History
from .options import read_options
from .services import Services
from .speech import Speech
from .stt import Ears
from .tts import Mouth

__all__ = ["Cascade"]

_T = TypeVar("_T")

#: Failed answers in a row after which the model is given up.
_MOST_FAILURES = 3
_RETRY_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 5.0


class Cascade(Agent):
    """Talks with the caller by three services; see docs/cascade.rst for settings."""

    _log = Logger()
    _ears: Ears
    _speech: Speech
    _mind: Mind

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the settings and encode the prompts."""
        options = read_options(settings, folder)
        conduct = options.conduct
        files = {"apology": conduct.apology, "greeting": conduct.greeting}
        sounds = Sounds([(key, path) for key, path in files.items() if path])
        sounds.encoded_as(MULAW_8K)
        tools = tools_of(cls, without=set(BUILT_IN) - set(conduct.functions))
        return Services(cls, options, sounds, tools)

    def __init__(self, services: Services) -> None:
        self._services = services
        self._conduct = services.options.conduct
        self._clock = services.outside.clock
        self._began = self._clock.seconds()
        self._history = History()
        self._toolbox = Toolbox(self, services.tools)
        #: Nothing that the caller says is passed on.
        self._is_deaf = self._conduct.protect_greeting
        #: Goodbye is being said.
        self.is_leaving = False
        self._answer: Answer | None = None
        #: Asks again for an answer that failed.
        self._retry: Any = None
        self._failures = 0
        #: When the caller began to say what is not known yet.
        self._caller_began_ms = 0

    # -- for subclasses ----------------------------------------------------------------

    def transcribed(self, line: Line) -> object:
        """
        Something was said, by either side, and it is known what; for subclasses.

        May be a coroutine. Never log it: it is what people say on the phone.
        """

    @tool("End the call. Say goodbye first, then call this.")
    def hang_up(self) -> str:
        """End the call once the last words were heard."""

        def begun(last: Utterance | None) -> None:
            if last is not None and self.is_leaving:
                self.call.hang_up_after(last)
            elif self.is_leaving:
                self.call.hang_up()

        self.is_leaving = True
        self._then(self._speech.last(), begun)
        return "done"

    @tool(
        "Put the caller through to a person. Say so first, then call this.",
        timeout_seconds=60.0,
    )
    async def transfer(self) -> object:
        """Hand the caller over once the last words were heard."""
        if await self._speech.heard() == "cleared":
            return {"error": "the caller spoke, and was not put through"}
        try:
            await self.call.transfer(self._conduct.transfer)
        except (CarrierApiError, CallStateError):
            return {"error": "the caller could not be put through"}
        return "done"

    # -- what happens to the call ------------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting, or have the model; the sockets may be there already."""
        self._began = self._clock.seconds()
        links = self._services.claim(call.call_id, call.format)
        patience = self._conduct.answer_seconds
        mouth = Mouth(
            links.speaking,
            call.call_later,
            self._services.options.voice,
            call.format,
            patience_seconds=patience,
            given_up=self._give_up,
        )
        self._speech = Speech(
            call, mouth, self._history, self._now_ms, self._note, self._failed
        )
        self._ears = Ears(links.hearing, call.call_later, self, patience)
        self._mind = self._make_up(call)
        links.hearing.attach(self._ears, self._contain)
        links.speaking.attach(mouth, self._contain)
        if not self.is_leaving:
            self._greet(self._conduct.greeting)

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Pass it on."""
        if not self._is_deaf:
            self._ears.hear(payload)

    def interrupted(self, reason: str) -> None:
        """What was said is cut off."""
        self._fall_silent()

    def call_ended(self, outcome: str) -> None:
        """Let go of the services, and of all that knows this agent."""
        self._fall_silent()
        for part in (self._toolbox, self._ears, self._speech):
            part.close()
        del self._mind

    # -- what the caller says ----------------------------------------------------------

    def caller_began(self) -> None:
        self._caller_began_ms = self._now_ms()
        self._fall_silent()
        self.call.interrupt("speech")

    def caller_said(self, text: str) -> None:
        self._history.add("user", text)
        self._note(Line(who="caller", text=text, at_ms=self._caller_began_ms))
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
        self._failures += 1
        self._log.warn(
            "an answer on {call_id} failed: {reason}",
            call_id=self.call.call_id,
            reason=failed.reason,
        )
        if failed.hopeless or self._failures >= _MOST_FAILURES:
            self._give_up()
        else:
            wait = min(failed.wait_seconds, _LONGEST_WAIT_SECONDS)
            self._retry = self.call.call_later(max(wait, _RETRY_SECONDS), self._ask)

    # -- within ------------------------------------------------------------------------

    def _make_up(self, call: CallControl) -> Mind:
        conduct = self._conduct
        return Mind(
            chat=self._services.chat(),
            history=self._history,
            toolbox=self._toolbox,
            instructions=conduct.instructions,
            opening=conduct.opening,
            call_later=call.call_later,
            contain=self._contain,
            patience_seconds=conduct.answer_seconds,
        )

    def _greet(self, path: Path | None) -> None:
        if path is None:
            self._ask()
            return
        text = self._conduct.greeting_text
        if text:
            self._history.add("assistant", text)
            self._note(Line(who="agent", text=text, at_ms=0))
        greeting = self.call.say(self._services.sound(path, self.call.format))
        self._then(greeting.finished(), self._greeted)

    def _greeted(self, outcome: str) -> None:
        self._is_deaf = self._is_deaf and self.is_leaving

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
        """Apologise; then another number, or the end."""
        self._fall_silent()
        self._ears.close()
        self._speech.mute()
        self.is_leaving = self._is_deaf = True
        apology = self._services.sound(self._conduct.apology, self.call.format)
        self._then(self.call.say(apology).finished(), self._leave)

    def _leave(self, outcome: str) -> None:
        if outcome != "lost":
            is_handed_on = self._conduct.on_failure == "transfer"
            number = self._conduct.transfer if is_handed_on else ""
            leave(self.call, number).addErrback(self._failed)

    def _note(self, line: Line) -> None:
        if line.text:
            maybeDeferred(self.transcribed, line).addErrback(self._failed)

    def _now_ms(self) -> int:
        return round((self._clock.seconds() - self._began) * 1000)

    def _then(self, waiting: Deferred[_T], function: Callable[[_T], None]) -> None:
        then: Deferred[Any] = waiting
        then.addCallback(function).addErrback(self._failed)

    def _contain(self, step: Callable[[], object]) -> None:
        maybeDeferred(step).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        """Something that runs beside the call's own events raised: end the call."""
        if not isinstance(failure.value, CallStateError):
            # Its message may hold what people said.
            self._log.error(
                "the agent of {call_id} raised {kind}",
                call_id=self.call.call_id,
                kind=type(failure.value).__name__,
            )
            self.call.hang_up()
