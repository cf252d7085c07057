# -*- test-case-name: tests.agents.cascade.test_stt -*-
"""Hears the caller: Deepgram's streaming speech-to-text over a link.

The sound goes out as it is. What comes back are guesses that grow, and pieces that are
final; a turn is all pieces until Deepgram says that the caller has stopped. Nothing of
what was said is logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

from ...errors import DialectError
from ...events import Message
from ...formats import FRAME_MS, AudioFormat
from ...sockets import SocketRequest
from ..foreign import UNREADABLE, code_of, text_of
from ..model.watch import NewWatch
from .link import Link, Manners
from .senses import Contain, EarsOwner

__all__ = [
    "MANNERS",
    "DeepgramEars",
    "Heard",
    "Paused",
    "Trouble",
    "listen",
    "read",
]


def _text(**fields: object) -> Message:
    return Message(json.dumps(fields).encode(), binary=False)


#: Without sound Deepgram hangs up after ten seconds.
MANNERS = Manners(
    name="Deepgram",
    keep_alive=_text(type="KeepAlive"),
    farewell=_text(type="CloseStream"),
)
_ENCODINGS = {"mulaw": "mulaw", "alaw": "alaw", "l16": "linear16"}


def listen(
    url: str, key: str, form: AudioFormat, *, model: str, language: str, silence_ms: int
) -> SocketRequest:
    """
    :param silence_ms: how long it must be quiet until the caller has spoken.
    :returns: the request for a socket that hears ``form``.
    """
    query = urlencode(
        {
            "model": model,
            "language": language,
            "encoding": _ENCODINGS[form.encoding],
            "sample_rate": form.rate,
            "channels": 1,
            "interim_results": "true",
            "endpointing": silence_ms,
            # Where noise hides the silence, words that stop coming end a turn.
            "utterance_end_ms": max(1000, silence_ms),
            "punctuate": "true",
            "smart_format": "true",
        }
    )
    headers = {"Authorization": f"Token {key}"}
    return SocketRequest(url=f"{url}?{query}", headers=headers)


@frozen(kw_only=True)
class Heard:
    """What was understood of a piece of sound; a guess unless ``is_final``."""

    text: str = field(repr=False)
    is_final: bool
    #: The caller has stopped.
    ends_turn: bool
    #: Where the piece begins, in seconds of the sound.
    start: float


@frozen
class Paused:
    """No word has come for a while; the last one ended at ``last_word_end``."""

    last_word_end: float


@frozen
class Trouble:
    """Deepgram cannot go on."""

    code: str


def read(message: Message) -> Heard | Paused | Trouble | None:
    """
    :returns: what the message says; None where that is nothing to us.
    :raises DialectError: when it is not what Deepgram sends.
    """
    try:
        told = {} if message.binary else json.loads(message.data)
        kind = told.get("type")
        if kind == "Results":
            return _heard(told)
        if kind == "UtteranceEnd":
            return Paused(float(told["last_word_end"]))
        if kind == "Error":
            return Trouble(code_of(told.get("err_code") or told.get("code")))
    except UNREADABLE:
        raise DialectError("Deepgram sent what cannot be read") from None
    return None


def _heard(told: Mapping[str, Any]) -> Heard:
    return Heard(
        text=text_of(told["channel"]["alternatives"][0]["transcript"]).strip(),
        is_final=bool(told["is_final"]),
        ends_turn=bool(told.get("speech_final", False)),
        start=float(told["start"]),
    )


#: Deepgram tells every few seconds what it hears, be it nothing; one that does not,
#: while it is sent so much, hears nothing at all.
_MOST_UNANSWERED_MS = 10_000


class DeepgramEars:
    """Implements ``Ears`` and ``LinkOwner``."""

    def __init__(self, link: Link, owner: EarsOwner, new_watch: NewWatch) -> None:
        """:param new_watch: for ends of turns that fail to come."""
        self._link = link
        self._owner: EarsOwner | None = owner
        self._watch = new_watch(self._end_turn)
        #: The words of this turn that are final, and the guess that follows them.
        self._words: list[str] = []
        self._guess = ""
        self._turn_start = 0.0
        #: How much was sent since it said anything.
        self._unanswered_ms = 0

    def begin(self, contain: Contain) -> None:
        self._link.attach(self, contain)

    def hear(self, sound: bytes) -> None:
        self._link.send(Message(sound, binary=True))
        self._unanswered_ms += FRAME_MS
        if self._unanswered_ms > _MOST_UNANSWERED_MS:
            self._link.lose("silent")

    def close(self) -> None:
        self._link.close()
        self._watch.close()
        self._owner = None

    # -- from the link -----------------------------------------------------------------

    def link_told(self, message: Message) -> None:
        self._unanswered_ms = 0
        try:
            told = read(message)
        except DialectError as error:
            self._link.lose(str(error))
            return
        if isinstance(told, Heard):
            self._link.works()
            self._understood(told)
        elif isinstance(told, Paused) and told.last_word_end >= self._turn_start:
            self._end_turn()
        elif isinstance(told, Trouble):
            self._link.lose(f"error {told.code}")

    def link_gone(self) -> None:
        # The next socket counts anew.
        self._turn_start = 0.0
        self._unanswered_ms = 0

    def link_given_up(self) -> None:
        if self._owner is not None:
            self._owner.ears_given_up()

    # -- within ------------------------------------------------------------------------

    def _understood(self, told: Heard) -> None:
        is_first = not (self._words or self._guess)
        if told.text:
            if told.is_final:
                self._words.append(told.text)
            self._guess = "" if told.is_final else told.text
            self._watch.start()
            if is_first:
                self._turn_start = told.start
                if self._owner is not None:
                    self._owner.caller_began()
        if told.ends_turn:
            self._end_turn()

    def _end_turn(self) -> None:
        # A guess that is taken back at the end is better than no answer.
        text = " ".join(self._words) or self._guess
        self._words, self._guess = [], ""
        self._watch.stop()
        if text and self._owner is not None:
            self._owner.caller_said(text)
