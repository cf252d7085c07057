# -*- test-case-name: tests.agents.cascade.test_tts -*-
"""Speaks: Cartesia's streaming text-to-speech over a link, a text at a time.

Each text is a context of its own, so that sound which comes late is known and dropped.
The sound comes in the format of the call. A text of which nothing has come yet is sent
again when the socket is lost.
"""

from __future__ import annotations

import json
from binascii import a2b_base64
from collections.abc import Callable

from attrs import field, frozen

from ...errors import DialectError
from ...events import Message
from ...formats import AudioFormat
from ...sockets import SocketRequest
from ..foreign import UNREADABLE, code_of
from ..model.watch import NewWatch
from .link import Link, Manners
from .senses import Contain, MouthOwner

__all__ = ["MANNERS", "CartesiaMouth", "Chunk", "Done", "Failed", "Voice", "dial"]

MANNERS = Manners(name="Cartesia")
_VERSION = "2026-03-01"
_ENCODINGS = {"mulaw": "pcm_mulaw", "alaw": "pcm_alaw", "l16": "pcm_s16le"}
#: As with HTTP: too much at once, or an error of the service's own.
_TOO_MANY, _SERVER_ERROR = 429, 500


def dial(url: str, key: str) -> SocketRequest:
    """:returns: the request for a socket; it serves any format."""
    return SocketRequest(
        url=url, headers={"X-API-Key": key, "Cartesia-Version": _VERSION}
    )


@frozen(kw_only=True)
class Voice:
    """How it is spoken."""

    model: str
    voice: str
    language: str

    def request(self, context_id: str, text: str, form: AudioFormat) -> Message:
        """:returns: the message that has ``text`` spoken."""
        return _message(
            model_id=self.model,
            transcript=text,
            voice={"mode": "id", "id": self.voice},
            language=self.language,
            output_format={
                "container": "raw",
                "encoding": _ENCODINGS[form.encoding],
                "sample_rate": form.rate,
            },
            context_id=context_id,
            **{"continue": False},
        )


@frozen
class Chunk:
    """Sound of a context."""

    context_id: str
    sound: bytes = field(repr=False)


@frozen
class Done:
    """A context is spoken."""

    context_id: str


@frozen
class Failed:
    """A context is not spoken; an empty one stands for the socket."""

    context_id: str
    status: int
    code: str


def read(message: Message) -> Chunk | Done | Failed | None:
    """
    :returns: what the message says; None where that is nothing to us.
    :raises DialectError: when it is not what Cartesia sends.
    """
    try:
        told = {} if message.binary else json.loads(message.data)
        kind, context_id = told.get("type"), str(told.get("context_id") or "")
        if kind == "chunk":
            return Chunk(context_id, a2b_base64(told["data"], strict_mode=True))
        if kind == "done":
            return Done(context_id)
        if kind == "error":
            code = code_of(told.get("error_code"))
            return Failed(context_id, int(told.get("status_code", 0)), code)
    except UNREADABLE:
        raise DialectError("Cartesia sent what cannot be read") from None
    return None


class CartesiaMouth:
    """Implements ``Mouth`` and ``LinkOwner``."""

    def __init__(
        self,
        link: Link,
        voice: Voice,
        form: AudioFormat,
        new_watch: NewWatch,
        given_up: Callable[[], None],
    ) -> None:
        """
        :param new_watch: for texts of which nothing comes.
        :param given_up: told when nothing can be spoken any more.
        """
        self.owner: MouthOwner | None = None
        self._given_up = given_up
        self._link = link
        self._voice = voice
        self._form = form
        self._watch = new_watch(self._silent)
        self._contexts = 0
        #: What is being spoken, and whether anything of it has come.
        self._context_id = ""
        self._text = ""
        self._has_come = False

    def begin(self, contain: Contain) -> None:
        self._link.attach(self, contain)

    def speak(self, text: str) -> None:
        self._contexts += 1
        self._context_id, self._text = f"c{self._contexts}", text
        self._has_come = False
        self._watch.start()
        self._link.send(self._voice.request(self._context_id, text, self._form))

    def cancel(self) -> None:
        if self._context_id:
            self._link.send(_message(context_id=self._context_id, cancel=True))
            self._rest()

    def close(self) -> None:
        self._link.close()
        self._rest()
        self._watch.close()
        self.owner = None
        self._given_up = lambda: None

    # -- from the link -----------------------------------------------------------------

    def link_told(self, message: Message) -> None:
        try:
            told = read(message)
        except DialectError as error:
            self._link.lose(str(error))
            return
        if isinstance(told, Failed):
            self._failed(told)
        elif told is not None and told.context_id == self._context_id:
            self._link.works()
            if isinstance(told, Done):
                self._end(whole=True)
            elif self.owner is not None:
                self._has_come = True
                self._watch.told()
                self.owner.sound_came(told.sound)

    def link_gone(self) -> None:
        if self._has_come:
            self._end(whole=False)
        elif self._context_id:
            self.speak(self._text)

    def link_given_up(self) -> None:
        self._given_up()

    # -- within ------------------------------------------------------------------------

    def _failed(self, told: Failed) -> None:
        if told.context_id in ("", self._context_id):
            is_ours = told.status not in (0, _TOO_MANY) and told.status < _SERVER_ERROR
            self._link.lose(f"error {told.status} {told.code}", hopeless=is_ours)

    def _silent(self) -> None:
        self._link.lose("silent")

    def _end(self, *, whole: bool) -> None:
        self._rest()
        if self.owner is not None:
            self.owner.sound_ended(whole=whole)

    def _rest(self) -> None:
        self._context_id = self._text = ""
        self._has_come = False
        self._watch.stop()


def _message(**fields: object) -> Message:
    return Message(json.dumps(fields).encode(), binary=False)
