# -*- test-case-name: tests.agents.gemini.test_reading -*-
"""What the Gemini Live API tells us, read into the events of every model.

The API names no answers and no items, so they are numbered here, by session. It does
not say when the caller begins to speak, only that its own turn is interrupted; outside
of one the caller's words are the first sign. Fields that are not known are none of our
business.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...errors import DialectError
from ...events import Message
from ..foreign import UNREADABLE, code_of, text_of
from ..model.events import (
    CallsTakenBack,
    Event,
    FunctionCalled,
    GoingAway,
    ResponseBegan,
    ResponseEnded,
    Resumable,
    SessionSet,
    SoundCame,
    SoundEnded,
    SpeechStarted,
    SpeechStopped,
    WordsCame,
    WordsEnded,
    WordsHeard,
)

__all__ = ["Reading"]

#: Ends of a turn that are none of the model's own.
_USUAL = frozenset({"", "TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT"})


class Reading:
    """The messages of one session, in order."""

    def __init__(self) -> None:
        self._answers = self._turns = 0
        #: The model speaks, or does something.
        self._answering = False
        #: Its turn was interrupted: the rest of it is of no use.
        self._cut = False
        #: The caller speaks, as far as we know.
        self._listening = False
        #: There are words of the caller's turn.
        self._has_words = False
        #: Words of an answer that has not begun.
        self._early = ""

    def read(self, message: Message) -> Sequence[Event]:
        """
        Read one message.

        :raises DialectError: when it is none.
        """
        try:
            told = json.loads(message.data)
            return [
                event
                for kind, body in told.items()
                if kind in _READERS
                for event in _READERS[kind](self, body)
            ]
        except UNREADABLE as error:
            # Its words may be the caller's.
            raise DialectError(
                f"a message of the API: {type(error).__name__}"
            ) from None

    # -- kinds of messages -------------------------------------------------------------

    def _set_up(self, body: Mapping[str, Any]) -> Iterator[Event]:
        yield SessionSet()

    def _content(self, body: Mapping[str, Any]) -> Iterator[Event]:
        if body.get("interrupted"):
            yield from self._interrupted()
        yield from self._heard(body.get("inputTranscription") or {})
        yield from self._said(body.get("outputTranscription") or {})
        if "modelTurn" in body and not self._cut:
            yield from self._answer()
            for part in body["modelTurn"].get("parts", ()):
                yield from self._sound(part.get("inlineData") or {})
        if body.get("generationComplete"):
            yield from self._sound_ends()
        if body.get("turnComplete"):
            yield from self._turn_ends(body.get("turnCompleteReason", ""))

    def _activity(self, body: Mapping[str, Any]) -> Iterator[Event]:
        if body.get("voiceActivityType") == "ACTIVITY_START":
            yield from self._caller_begins()

    def _calls(self, body: Mapping[str, Any]) -> Iterator[Event]:
        yield from self._answer()
        for call in body["functionCalls"]:
            arguments = json.dumps(call.get("args") or {})
            call_id, name = text_of(call["id"]), text_of(call["name"])
            yield FunctionCalled(self._answer_id, call_id, name, arguments)
        # What follows the results is another answer.
        yield from self._answer_ends("completed")

    def _calls_taken_back(self, body: Mapping[str, Any]) -> Iterator[Event]:
        yield CallsTakenBack([text_of(call_id) for call_id in body["ids"]])

    def _going_away(self, body: Mapping[str, Any]) -> Iterator[Event]:
        yield GoingAway()

    def _resumable(self, body: Mapping[str, Any]) -> Iterator[Event]:
        if body.get("resumable") and body.get("newHandle"):
            yield Resumable(text_of(body["newHandle"]))

    # -- the caller --------------------------------------------------------------------

    def _interrupted(self) -> Iterator[Event]:
        self._cut = True
        yield from self._caller_begins()
        yield from self._answer_ends("cancelled")

    def _heard(self, words: Mapping[str, Any]) -> Iterator[Event]:
        text = words.get("text") or ""
        if text and not self._answering:
            yield from self._caller_begins()
            if not self._has_words:
                yield SpeechStopped()  # an answer is due, soon
        if text:
            self._has_words = True
            yield WordsHeard(self._caller_id, text_of(text))
        if words.get("finished"):
            yield from self._words_end()

    def _caller_begins(self) -> Iterator[Event]:
        if not self._listening:
            self._listening = True
            yield from self._words_end()
            yield SpeechStarted(self._caller_id)

    def _words_end(self) -> Iterator[Event]:
        if self._has_words:
            yield WordsEnded(self._caller_id)
            self._has_words = False
            self._turns += 1

    # -- the model ---------------------------------------------------------------------

    def _answer(self) -> Iterator[Event]:
        if self._answering:
            return
        if self._listening and not self._has_words:
            yield SpeechStopped()
        yield from self._words_end()
        self._answering, self._listening = True, False
        self._answers += 1
        yield ResponseBegan(self._answer_id)
        if self._early:
            yield WordsCame(self._answer_id, self._early)
            self._early = ""

    def _sound(self, data: Mapping[str, Any]) -> Iterator[Event]:
        if str(data.get("mimeType", "")).startswith("audio/pcm"):
            sound = a2b_base64(data["data"], strict_mode=True)
            yield SoundCame(self._answer_id, self._answer_id, 0, sound)

    def _said(self, words: Mapping[str, Any]) -> Iterator[Event]:
        text = words.get("text") or ""
        if self._cut or not text:
            return
        if self._answering:
            yield WordsCame(self._answer_id, text_of(text))
        else:
            self._early += text_of(text)

    def _sound_ends(self) -> Iterator[Event]:
        if self._answering:
            yield SoundEnded(self._answer_id)

    def _turn_ends(self, reason: str) -> Iterator[Event]:
        if self._cut:
            self._cut = False
        elif reason in _USUAL:
            yield from self._answer_ends("completed")
        else:
            yield from self._answer_ends("failed", code_of(reason))

    def _answer_ends(self, status: str, code: str = "") -> Iterator[Event]:
        yield from self._sound_ends()
        yield from () if self._listening else self._words_end()
        self._answering, self._early = False, ""
        yield ResponseEnded(response_id=self._answer_id, status=status, code=code)

    @property
    def _answer_id(self) -> str:
        return f"answer {self._answers}"

    @property
    def _caller_id(self) -> str:
        return f"turn {self._turns}"


_READERS: Mapping[str, Callable[[Reading, Any], Iterator[Event]]] = {
    "setupComplete": Reading._set_up,
    "serverContent": Reading._content,
    "voiceActivity": Reading._activity,
    "toolCall": Reading._calls,
    "toolCallCancellation": Reading._calls_taken_back,
    "goAway": Reading._going_away,
    "sessionResumptionUpdate": Reading._resumable,
}
