# -*- test-case-name: tests.agents.openai.test_agent -*-
"""The agent that lets a model elsewhere talk with the caller, whichever it is.

It passes sound on both ways, says what the model says, falls silent when the API hears
the caller, and calls functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from ...errors import QueueFull
from ...events import Message
from ...interfaces import CallControl
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
from .remote import LONGEST_WAIT_SECONDS, RETRY_SECONDS, RemoteAgent
from .sound import Converter, Pieces
from .speech import Speech
from .turn import Turn
from .watch import Watch

__all__ = ["ModelAgent"]

#: A caller whom the API hears for so long, without a pause or a word, is a noise, or
#: the API does not hear any more.
_LONGEST_TURN_SECONDS = 60.0


class ModelAgent(RemoteAgent):
    """Talks with the caller by a model; the agent of an API configures it."""

    _house: Model
    _connection: Connection
    _speech: Speech
    _pieces: Pieces
    _to_api: Converter
    _watch: Watch

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._api = model.api
        self._memory = Memory()
        self._heard = Heard()
        self._turn = Turn(self._ask, lambda: self._send(self._api.cancel()))
        #: Functions whose results the model waits for; None until they run.
        self._calls: dict[str, Deferred[None] | None] = {}
        #: Since when what is said is not known to a session that is resumed.
        self._resumable_ms = 0
        self._limited_until = 0.0

    # -- what happens to the call ------------------------------------------------------

    def call_started(self, call: CallControl) -> None:
        """Say the greeting, or let the model; the session may be there already."""
        self._began = self._clock.seconds()
        heard, _ = self._api.sound_format(call.format)
        self._pieces, self._to_api = Pieces(call.format), Converter(call.format, heard)
        seconds, clock = self._conduct.answer_seconds, self._clock
        self._watch = Watch(clock, call.call_later, seconds, self._no_answer)
        self._speech = self._new_speech()
        self._connection = Connection(self._house, call, self)
        if self._conduct.greeting is not None:
            self._greet(self._conduct.greeting)
        else:
            self._turn.asked()
            self._watch.start()
        self._connection.start()

    def audio_heard(self, payload: bytes, timestamp_ms: int) -> None:
        """Pass it on."""
        if not self._is_deaf and (piece := self._pieces.add(payload)):
            self._connection.hear(self._to_api.convert(piece))

    def interrupted(self, reason: str) -> None:
        """What was said is cut off; the API knows already how much was heard."""
        self.is_leaving = False
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
        self._connection.close()
        self._watch.stop()
        self._apologise()

    def said_before(self, *, resumes: bool) -> Sequence[Line] | None:
        lines = self._memory.lines()
        if not lines and self._conduct.greeting is None:
            return None
        since_ms = self._resumable_ms if resumes else 0
        return [line for line in lines if line.at_ms >= since_ms]

    def is_quiet(self) -> bool:
        return self._turn.is_quiet and self._speech.is_silent

    # -- what the model does -----------------------------------------------------------

    def _response_began(self, event: ResponseBegan) -> None:
        self._speech.answer_began()
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
        self._speech.all_ended()
        self._turn.response_ended()
        if event.status == "failed":
            self._response_failed(event)
        else:
            self._is_deaf = self._is_deaf and not self._speech.is_silent
        if event.status == "completed":
            self._failures = 0
            self._connection.works()
        self._connection.take_over_if_quiet()

    def _response_failed(self, event: ResponseEnded) -> None:
        if self._may_ask_again(event.code, hopeless=event.hopeless):
            self.call.call_later(RETRY_SECONDS, self._try_again)
        else:
            self.model_given_up()

    def _try_again(self) -> None:
        # What the limits are is told beside the failure, before or after it.
        wait = min(self._limited_until - self._clock.seconds(), LONGEST_WAIT_SECONDS)
        self.call.call_later(max(0.0, wait), self._turn.owe)

    def _function_called(self, event: FunctionCalled) -> None:
        send, call_id = self._connection.bound(), event.call_id
        if event.response_id != self._turn.live or call_id in self._calls:
            return
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
        says_more, by_itself = not self.is_leaving, self._api.answers_results
        self._turn.function_ended(answer=says_more and not by_itself)
        if says_more and by_itself and not self._calls:
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
        self._watch.start(_LONGEST_TURN_SECONDS)
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

    # -- within ------------------------------------------------------------------------

    def _send(self, messages: Sequence[Message]) -> None:
        self._connection.send(messages)

    def _ask(self) -> None:
        self._send(self._api.ask())
        self._watch.start()

    def _new_speech(self) -> Speech:
        _, form = self._api.sound_format(self.call.format)
        return Speech(
            self.call, form, self._now_ms, tell=self._cut_off, said=self._said
        )

    def _cut_off(self, item_id: str, content_index: int, heard_ms: int) -> None:
        self._send(self._api.truncate(item_id, content_index, heard_ms))

    def _said(self, line: Line) -> None:
        self._is_deaf = self._is_deaf and self.is_leaving
        self._note(line)
        self._connection.take_over_if_quiet()

    def _note(self, line: Line) -> None:
        if line.text:
            self._memory.add(line)
        super()._note(line)


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
