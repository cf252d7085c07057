# -*- test-case-name: tests.agents.openai.test_agent -*-
"""The agent that lets OpenAI's Realtime API talk with the caller.

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
from .connection import Connection
from .events import (
    Event,
    FunctionCalled,
    LimitsTold,
    Refused,
    ResponseBegan,
    ResponseEnded,
    SoundCame,
    SoundEnded,
    SpeechStarted,
    SpeechStopped,
    WordsCame,
    WordsHeard,
)
from .memory import Line, Memory
from .messages import cancel_response, create_response, give_result, remember
from .model import Model
from .options import BUILT_IN, read_options
from .sound import converter_to_api
from .speech import Speech
from .turn import Turn

__all__ = ["OpenAi"]

#: Failed responses in a row after which the model is given up.
_MOST_FAILURES = 3
_RETRY_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 5.0
#: Errors that stay as they are, however often one tries.
_HOPELESS = frozenset({"insufficient_quota", "invalid_api_key"})


class OpenAi(Agent):
    """Talks with the caller by a model; see docs/openai.rst for its settings."""

    _log = Logger()
    _connection: Connection
    _speech: Speech
    _to_api: Callable[[bytes], bytes]

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the settings and encode the prompts."""
        options = read_options(settings, folder)
        files = {"apology": options.apology, "greeting": options.greeting}
        sounds = Sounds([(key, path) for key, path in files.items() if path])
        sounds.encoded_as(MULAW_8K)
        tools = tools_of(cls, without=set(BUILT_IN) - set(options.functions))
        return Model(cls, options, sounds, tools)

    def __init__(self, model: Model) -> None:
        self._model = model
        self._options = model.options
        self._clock = model.outside.clock
        self._began = self._clock.seconds()
        self._memory = Memory()
        self._toolbox = Toolbox(self, model.tools)
        self._turn = Turn(self._ask, lambda: self._send(cancel_response()))
        #: When the caller began to say what has no words yet, by item.
        self._unwritten: dict[str, int] = {}
        #: Nothing that the caller says is passed on.
        self._is_deaf = model.options.protect_greeting
        #: Goodbye is being said.
        self._is_leaving = False
        self._failures = 0
        self._limited_until = 0.0
        #: Goes off when an answer does not come, or breaks off.
        self._watch: Any = None
        self._told_at = 0.0

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
            await self.call.transfer(self._options.transfer)
        except (CarrierApiError, CallStateError):
            return {"error": "the caller could not be put through"}
        return "done"

    # -- what happens to the call ------------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting, or let the model; the session may be there already."""
        self._began = self._clock.seconds()
        self._to_api = converter_to_api(call.format)
        self._speech = self._new_speech()
        self._connection = Connection(self._model, call, self)
        if self._options.greeting is not None:
            self._greet(self._options.greeting)
        else:
            self._turn.asked()
            self._expect_answer()
        self._connection.start()

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Pass it on."""
        if not self._is_deaf:
            self._connection.hear(self._to_api(payload))

    def interrupted(self, reason: str) -> None:
        """What was said is cut off; the API knows already how much was heard."""
        self._is_leaving = False
        self._turn.silenced()

    def call_ended(self, outcome: str) -> None:
        """Let go of the model, and of all that knows this agent."""
        for part in (self._toolbox, self._connection, self._turn, self._speech):
            part.close()

    # -- what happens to the connection ------------------------------------------------

    def model_told(self, event: Event) -> None:
        self._told_at = self._clock.seconds()
        deed = _DEEDS.get(type(event))
        if deed is not None:
            deed(self, event)

    def model_back(self) -> None:
        self._turn.begin_anew(asked=self.said_before() is None)
        if self._turn.busy:
            self._expect_answer()

    def model_gone(self) -> None:
        self._stop_watch()
        self._unwritten.clear()
        self._speech.forget()
        self._speech = self._new_speech()

    def model_given_up(self) -> None:
        """Apologise; then another number, or the end."""
        self._connection.close()
        self._stop_watch()
        self._is_leaving = self._is_deaf = True
        apology = self._model.sound(self._options.apology, self.call.format)
        self._then(self.call.say(apology), self._leave)

    def said_before(self) -> Sequence[Message] | None:
        lines = self._memory.lines()
        if not lines and self._options.greeting is None:
            return None
        return [remember(caller=line.who == "caller", text=line.text) for line in lines]

    def is_quiet(self) -> bool:
        return self._turn.is_quiet and self._speech.last is None

    # -- what the model does -----------------------------------------------------------

    def _response_began(self, event: ResponseBegan) -> None:
        self._turn.response_began(event.response_id)
        self._expect_answer()

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
        self._stop_watch()
        self._turn.response_ended()
        if event.status == "failed":
            self._response_failed(event.code)
        elif event.status == "completed":
            self._failures = 0
            self._connection.works()
            self._is_deaf = self._is_deaf and self._speech.last is not None
        self._connection.take_over_if_quiet()

    def _response_failed(self, code: str) -> None:
        call_id = self.call.call_id
        self._log.warn("an answer on {id} failed: {code}", id=call_id, code=code)
        self._failures += 1
        if code in _HOPELESS or self._failures >= _MOST_FAILURES:
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
        send = self._connection.bound()
        self._turn.function_began()

        def answer(result: str) -> None:
            if send(give_result(event.call_id, result)):
                self._turn.function_ended(answer=not self._is_leaving)

        running = self._toolbox.run(self.call.call_later, event.name, event.arguments)
        running.addCallback(answer).addErrback(self._failed)

    # -- what the caller does ----------------------------------------------------------

    def _speech_started(self, event: SpeechStarted) -> None:
        self._stop_watch()
        if self._options.transcription:
            self._unwritten[event.item_id] = self._now_ms()
        self._turn.caller_started()
        self.call.interrupt("speech")

    def _speech_stopped(self, event: SpeechStopped) -> None:
        self._turn.caller_stopped()
        self._expect_answer()

    def _words_heard(self, event: WordsHeard) -> None:
        at_ms = self._unwritten.pop(event.item_id, self._now_ms())
        if event.text.strip():
            self._note(Line(who="caller", text=event.text.strip(), at_ms=at_ms))

    # -- what goes wrong ---------------------------------------------------------------

    def _limits_told(self, event: LimitsTold) -> None:
        self._limited_until = self._clock.seconds() + event.wait_seconds

    def _was_refused(self, event: Refused) -> None:
        if event.code == "conversation_already_has_active_response":
            self._turn.asked_too_early()
        elif event.code == "session_expired":
            self._connection.lose("expired")
        elif event.code != "response_cancel_not_active":
            self._log.warn(
                "the API refused a message of {call_id}: {kind} {code} {param}",
                call_id=self.call.call_id,
                kind=event.kind,
                code=event.code,
                param=event.param,
            )

    def _expect_answer(self) -> None:
        """The line must not stay dead: an answer has its time."""
        self._stop_watch()
        self._told_at = self._clock.seconds()
        self._watch_for(self._options.answer_seconds)

    def _watch_for(self, seconds: float) -> None:
        self._watch = self.call.call_later(seconds, self._look)

    def _look(self) -> None:
        silent = self._clock.seconds() - self._told_at
        if silent < self._options.answer_seconds:
            self._watch_for(self._options.answer_seconds - silent)
        else:
            self._connection.lose("silent")

    def _stop_watch(self) -> None:
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        self._watch = None

    def _leave(self, outcome: str) -> None:
        if outcome == "lost":
            return
        if self._options.on_failure != "transfer":
            self.call.hang_up()
            return

        def failed(failure: Failure) -> None:
            failure.trap(CarrierApiError, CallStateError)
            self.call.hang_up()

        leaving = self.call.transfer(self._options.transfer)
        leaving.addErrback(failed).addErrback(self._failed)

    # -- within ------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        self._connection.send(message)

    def _ask(self) -> None:
        self._send(create_response())
        self._expect_answer()

    def _greet(self, path: Path) -> None:
        greeting = self.call.say(self._model.sound(path, self.call.format))
        self._then(greeting, self._greeted)
        if self._options.greeting_text:
            self._note(Line(who="agent", text=self._options.greeting_text, at_ms=0))

    def _greeted(self, outcome: str) -> None:
        self._is_deaf = False

    def _new_speech(self) -> Speech:
        return Speech(self.call, self._now_ms, tell=self._send, said=self._said)

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


_DEEDS: Mapping[type, Callable[[OpenAi, Any], None]] = {
    FunctionCalled: OpenAi._function_called,
    LimitsTold: OpenAi._limits_told,
    Refused: OpenAi._was_refused,
    ResponseBegan: OpenAi._response_began,
    ResponseEnded: OpenAi._response_ended,
    SoundCame: OpenAi._sound_came,
    SoundEnded: OpenAi._sound_ended,
    SpeechStarted: OpenAi._speech_started,
    SpeechStopped: OpenAi._speech_stopped,
    WordsCame: OpenAi._words_came,
    WordsHeard: OpenAi._words_heard,
}
