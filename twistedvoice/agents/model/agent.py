# -*- test-case-name: tests.agents.openai.test_agent -*-
"""The agent that lets a model elsewhere talk with the caller, whichever it is.

It passes sound on both ways, says what the model says, falls silent when the API hears
the caller, and calls functions. What it does by itself is the end: when there is no
model any more the caller hears an apology, and is put through or hung up on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import CallStateError, CarrierApiError, QueueFull
from ...events import Message
from ...formats import MULAW_8K
from ...interfaces import AgentFactory, CallControl, Utterance
from ..agent import Agent
from ..sounds import Sounds
from ..tools import Toolbox, tool, tools_of
from .api import Api
from .conduct import BUILT_IN, Conduct
from .connection import Connection
from .events import (
    AskedTooEarly,
    CallsTakenBack,
    Event,
    Expired,
    FunctionCalled,
    LimitsTold,
    Refused,
    ResponseBegan,
    ResponseEnded,
    Resumable,
    SoundCame,
    SoundEnded,
    SpeechStarted,
    SpeechStopped,
    WordsCame,
    WordsEnded,
    WordsHeard,
)
from .factory import Model
from .heard import Heard
from .memory import Line, Memory
from .sound import Converter
from .speech import Speech
from .turn import Turn
from .watch import Watch

__all__ = ["ModelAgent"]

#: Failed responses in a row after which the model is given up.
_MOST_FAILURES = 3
_RETRY_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 5.0


class ModelAgent(Agent):
    """Talks with the caller by a model; derive the agent of an API from it."""

    _log = Logger()
    _connection: Connection
    _speech: Speech
    _to_api: Converter
    _watch: Watch

    @classmethod
    def read_settings(
        cls, settings: Mapping[str, object], folder: Path
    ) -> tuple[Api, Conduct]:
        """
        Read the section of an agent.

        :raises ConfigError: naming everything that is wrong.
        """
        raise NotImplementedError

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the settings and encode the prompts."""
        api, conduct = cls.read_settings(settings, folder)
        files = {"apology": conduct.apology, "greeting": conduct.greeting}
        sounds = Sounds([(key, path) for key, path in files.items() if path])
        sounds.encoded_as(MULAW_8K)
        tools = tools_of(cls, without=set(BUILT_IN) - set(conduct.functions))
        return Model(cls, api, conduct, sounds, tools)

    def __init__(self, model: Model) -> None:
        self._model = model
        self._api = model.api
        self._conduct = model.conduct
        self._clock = model.outside.clock
        self._began = self._clock.seconds()
        self._memory = Memory()
        self._toolbox = Toolbox(self, model.tools)
        self._heard = Heard()
        self._turn = Turn(self._ask, lambda: self._send(self._api.cancel()))
        #: Functions whose results the model waits for; None until they run.
        self._calls: dict[str, Deferred[None] | None] = {}
        #: Since when what is said is not known to a session that is resumed.
        self._resumable_ms = 0
        #: Nothing that the caller says is passed on.
        self._is_deaf = model.conduct.protect_greeting
        #: Goodbye is being said.
        self._is_leaving = False
        self._failures = 0
        self._limited_until = 0.0

    # -- for subclasses ----------------------------------------------------------------

    def transcribed(self, line: Line) -> object:
        """
        Something was said, by either side, and it is known what; for subclasses.

        May be a coroutine. Never log it: it is what people say on the phone.
        """

    @tool("End the call. Say goodbye first, then call this.")
    def hang_up(self) -> str:
        """End the call once the last words were heard."""
        last = self._speech.last
        if last is None:
            self.call.hang_up()
        else:
            self._is_leaving = True
            self.call.hang_up_after(last)
        return "done"

    @tool(
        "Put the caller through to a person. Say so first, then call this.",
        timeout_seconds=60.0,
    )
    async def transfer(self) -> object:
        """Hand the caller over once the last words were heard."""
        last = self._speech.last
        if last is not None and await last.finished() == "cleared":
            return {"error": "the caller spoke, and was not put through"}
        try:
            await self.call.transfer(self._conduct.transfer)
        except (CarrierApiError, CallStateError):
            return {"error": "the caller could not be put through"}
        return "done"

    # -- what happens to the call ------------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting, or let the model; the session may be there already."""
        self._began = self._clock.seconds()
        heard, _ = self._api.sound_format(call.format)
        self._to_api = Converter(call.format, heard)
        seconds, clock = self._conduct.answer_seconds, self._clock
        self._watch = Watch(clock, call.call_later, seconds, self._no_answer)
        self._speech = self._new_speech()
        self._connection = Connection(self._model, call, self)
        if self._conduct.greeting is not None:
            self._greet(self._conduct.greeting)
        else:
            self._turn.asked()
            self._watch.start()
        self._connection.start()

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Pass it on."""
        if not self._is_deaf:
            self._connection.hear(self._to_api.convert(payload))

    def interrupted(self, reason: str) -> None:
        """What was said is cut off; the API knows already how much was heard."""
        self._is_leaving = False
        self._turn.silenced()

    def call_ended(self, outcome: str) -> None:
        """Let go of the model, and of all that knows this agent."""
        self._toolbox.close()
        for part in (self._watch, self._connection, self._turn, self._speech):
            part.close()

    # -- what happens to the connection ------------------------------------------------

    def model_told(self, event: Event) -> None:
        self._watch.told()
        deed = _DEEDS.get(type(event))
        if deed is not None:
            deed(self, event)

    def model_back(self) -> None:
        self._turn.begin_anew(asked=self.said_before(resumes=False) is None)
        if self._turn.busy:
            self._watch.start()

    def model_gone(self) -> None:
        self._watch.stop()
        self._calls.clear()
        for line in self._heard.rest():
            self._note(line)
        self._speech.forget()
        self._speech = self._new_speech()

    def model_given_up(self) -> None:
        """Apologise; then another number, or the end."""
        self._connection.close()
        self._watch.stop()
        self._is_leaving = self._is_deaf = True
        apology = self._model.sound(self._conduct.apology, self.call.format)
        self._then(self.call.say(apology), self._leave)

    def said_before(self, *, resumes: bool) -> Sequence[Line] | None:
        lines = self._memory.lines()
        if not lines and self._conduct.greeting is None:
            return None
        since_ms = self._resumable_ms if resumes else 0
        return [line for line in lines if line.at_ms >= since_ms]

    def is_quiet(self) -> bool:
        return self._turn.is_quiet and self._speech.last is None

    # -- what the model does -----------------------------------------------------------

    def _response_began(self, event: ResponseBegan) -> None:
        self._turn.response_began(event.response_id)
        self._watch.start()

    def _sound_came(self, event: SoundCame) -> None:
        if event.response_id != self._turn.live:
            return
        try:
            self._speech.sound_came(event)
        except QueueFull:
            self._log.warn("an answer on {id} is too long", id=self.call.call_id)
            self._turn.silenced()

    def _sound_ended(self, event: SoundEnded) -> None:
        self._speech.sound_ended(event.item_id)

    def _words_came(self, event: WordsCame) -> None:
        self._speech.words_came(event.item_id, event.text)

    def _response_ended(self, event: ResponseEnded) -> None:
        self._watch.stop()
        self._turn.response_ended()
        if event.status == "failed":
            self._response_failed(event)
        elif event.status == "completed":
            self._failures = 0
            self._connection.works()
            self._is_deaf = self._is_deaf and self._speech.last is not None
        self._connection.take_over_if_quiet()

    def _response_failed(self, event: ResponseEnded) -> None:
        call_id = self.call.call_id
        self._log.warn("an answer on {id} failed: {code}", id=call_id, code=event.code)
        self._failures += 1
        if event.hopeless or self._failures >= _MOST_FAILURES:
            self.model_given_up()
        else:
            self.call.call_later(_RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        # What the limits are is told beside the failure, before or after it.
        wait = min(self._limited_until - self._clock.seconds(), _LONGEST_WAIT_SECONDS)
        self.call.call_later(max(0.0, wait), self._turn.owe)

    def _function_called(self, event: FunctionCalled) -> None:
        if event.response_id != self._turn.live:
            return
        send, call_id = self._connection.bound(), event.call_id
        self._calls[call_id] = None
        self._turn.function_began()

        def answer(result: str) -> None:
            wanted = call_id in self._calls
            self._calls.pop(call_id, None)
            if wanted and send(self._api.give_result(event, result)):
                self._result_given()

        running = self._toolbox.run(self.call.call_later, event.name, event.arguments)
        done = running.addCallback(answer).addErrback(self._failed)
        if call_id in self._calls:
            self._calls[call_id] = done

    def _result_given(self) -> None:
        says_more, by_itself = not self._is_leaving, self._api.answers_results
        self._turn.function_ended(answer=says_more and not by_itself)
        if says_more and by_itself:
            self._turn.asked()
            self._watch.start()

    def _calls_taken_back(self, event: CallsTakenBack) -> None:
        for call_id in event.call_ids:
            running = self._calls.pop(call_id, None)
            if running is not None:
                self._turn.function_ended(answer=False)
                running.cancel()

    # -- what the caller does ----------------------------------------------------------

    def _speech_started(self, event: SpeechStarted) -> None:
        self._watch.stop()
        self._heard.began(event.item_id, self._now_ms())
        self._turn.caller_started()
        self.call.interrupt("speech")

    def _speech_stopped(self, event: SpeechStopped) -> None:
        self._turn.caller_stopped()
        self._watch.start()

    def _words_heard(self, event: WordsHeard) -> None:
        self._heard.came(event.item_id, event.text, self._now_ms())

    def _words_ended(self, event: WordsEnded) -> None:
        line = self._heard.ended(event.item_id)
        if line is not None:
            self._note(line)

    # -- what becomes of the session ---------------------------------------------------

    def _resumable(self, event: Resumable) -> None:
        self._resumable_ms = self._now_ms()

    def _no_answer(self) -> None:
        self._connection.lose("silent")

    def _expired(self, event: Expired) -> None:
        self._connection.lose("expired")

    def _asked_too_early(self, event: AskedTooEarly) -> None:
        self._turn.asked_too_early()

    # -- what goes wrong ---------------------------------------------------------------

    def _limits_told(self, event: LimitsTold) -> None:
        self._limited_until = self._clock.seconds() + event.wait_seconds

    def _was_refused(self, event: Refused) -> None:
        self._log.warn(
            "the API refused a message of {call_id}: {kind} {code} {param}",
            call_id=self.call.call_id,
            kind=event.kind,
            code=event.code,
            param=event.param,
        )

    def _leave(self, outcome: str) -> None:
        if outcome == "lost":
            return
        if self._conduct.on_failure != "transfer":
            self.call.hang_up()
            return

        def failed(failure: Failure) -> None:
            failure.trap(CarrierApiError, CallStateError)
            self.call.hang_up()

        leaving = self.call.transfer(self._conduct.transfer)
        leaving.addErrback(failed).addErrback(self._failed)

    # -- within ------------------------------------------------------------------------

    def _send(self, messages: Sequence[Message]) -> None:
        self._connection.send(messages)

    def _ask(self) -> None:
        self._send(self._api.ask())
        self._watch.start()

    def _greet(self, path: Path) -> None:
        greeting = self.call.say(self._model.sound(path, self.call.format))
        self._then(greeting, self._greeted)
        if self._conduct.greeting_text:
            self._note(Line(who="agent", text=self._conduct.greeting_text, at_ms=0))

    def _greeted(self, outcome: str) -> None:
        self._is_deaf = False

    def _new_speech(self) -> Speech:
        _, form = self._api.sound_format(self.call.format)
        return Speech(
            self.call, form, self._now_ms, tell=self._cut_off, said=self._said
        )

    def _cut_off(self, item_id: str, content_index: int, heard_ms: int) -> None:
        self._send(self._api.truncate(item_id, content_index, heard_ms))

    def _said(self, line: Line) -> None:
        self._is_deaf = self._is_deaf and self._is_leaving
        if line.text:
            self._note(line)
        self._connection.take_over_if_quiet()

    def _note(self, line: Line) -> None:
        self._memory.add(line)
        maybeDeferred(self.transcribed, line).addErrback(self._failed)

    def _now_ms(self) -> int:
        return round((self._clock.seconds() - self._began) * 1000)

    def _then(self, utterance: Utterance, function: Callable[[str], None]) -> None:
        finished: Deferred[Any] = utterance.finished()
        finished.addCallback(function).addErrback(self._failed)

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


_DEEDS: Mapping[type, Callable[[ModelAgent, Any], None]] = {
    AskedTooEarly: ModelAgent._asked_too_early,
    CallsTakenBack: ModelAgent._calls_taken_back,
    Expired: ModelAgent._expired,
    FunctionCalled: ModelAgent._function_called,
    LimitsTold: ModelAgent._limits_told,
    Refused: ModelAgent._was_refused,
    ResponseBegan: ModelAgent._response_began,
    ResponseEnded: ModelAgent._response_ended,
    Resumable: ModelAgent._resumable,
    SoundCame: ModelAgent._sound_came,
    SoundEnded: ModelAgent._sound_ended,
    SpeechStarted: ModelAgent._speech_started,
    SpeechStopped: ModelAgent._speech_stopped,
    WordsCame: ModelAgent._words_came,
    WordsEnded: ModelAgent._words_ended,
    WordsHeard: ModelAgent._words_heard,
}
