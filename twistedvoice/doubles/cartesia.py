# -*- test-case-name: tests.doubles.test_cartesia -*-
"""Cartesia's streaming text-to-speech, played: it speaks in tones, one a word.

Every request is checked field by field; what is wrong is answered with an ``error`` and
kept for the test. A context that is cancelled says no more, and no ``done`` either.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from attrs import Factory, define, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ..audio import pcm
from ..audio.pcm import Samples
from ..events import Message
from ..formats import AudioFormat, Encoding
from .door import Door, Visitor
from .network import ServiceSocket
from .seat import Seat
from .voice import tones

__all__ = ["CartesiaDouble", "CartesiaPlan", "CartesiaSession", "Mishap"]

_PATH = "/tts/websocket"
_ENCODINGS: dict[str, Encoding] = {
    "pcm_mulaw": "mulaw",
    "pcm_alaw": "alaw",
    "pcm_s16le": "l16",
}
_FIELDS = {
    "model_id": str,
    "transcript": str,
    "voice": dict,
    "language": str,
    "output_format": dict,
    "context_id": str,
    "continue": bool,
}


@frozen(kw_only=True)
class Mishap:
    """What goes wrong with one text."""

    #: The status of the error that is told instead of sound.
    status: int = 0
    code: str = ""
    #: Nothing comes of it.
    hangs: bool = False
    #: The socket ends once so much of it was sent, with this code.
    breaks_after_ms: int | None = None
    breaks_with: int = 1006


@define(kw_only=True)
class CartesiaPlan:
    """How one double behaves, for all its sessions; may be changed at any time."""

    #: The key that lets in.
    key: str = "sk-cartesia"
    #: The HTTP statuses that the next sockets are refused with, in order.
    refusals: list[int] = Factory(list)
    #: What goes wrong with the next texts, in order; None for nothing.
    mishaps: list[Mishap | None] = Factory(list)
    #: From text and rate to sound.
    voice: Callable[[str, int], Samples] = tones
    #: From a request to the first piece of sound.
    think_seconds: float = 0.1
    #: The sound comes in such pieces, at such times: five times as fast as it plays.
    piece_ms: int = 100
    piece_every_seconds: float = 0.02


class CartesiaSession(Seat):
    """One socket: ``told`` is what it was sent, ``problems`` what was wrong in it."""

    def __init__(
        self, clock: IReactorTime, plan: CartesiaPlan, socket: ServiceSocket
    ) -> None:
        super().__init__(clock, socket)
        self.told: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self._plan = plan
        self._contexts: dict[str, IDelayedCall | None] = {}

    # -- from the socket ---------------------------------------------------------------

    def received(self, message: Message) -> None:
        """A text to speak, or one to forget."""
        try:
            told = json.loads(message.data)
        except ValueError:
            told = None
        if message.binary or not isinstance(told, dict):
            self._refuse("", "not a JSON object")
            return
        self.told.append(told)
        if told.get("cancel") is True:
            self._cancel(str(told.get("context_id")))
            return
        problem = _problem(told)
        if told.get("context_id") in self._contexts:
            problem = "the context is not new"
        if problem:
            self._refuse(str(told.get("context_id", "")), problem)
        else:
            self._wait(told["context_id"], self._story(told), 0.0)

    # -- for tests ---------------------------------------------------------------------

    def say(self, kind: str, context_id: str, **fields: object) -> None:
        """Send a message, any message."""
        text = json.dumps({"type": kind, "context_id": context_id, **fields})
        self.say_raw(text.encode())

    def texts(self) -> list[str]:
        """:returns: what it was to speak, in order."""
        return [told["transcript"] for told in self.told if "transcript" in told]

    # -- within ------------------------------------------------------------------------

    def _story(self, told: dict[str, Any]) -> Iterator[float]:
        """:returns: how long to wait until the next step."""
        plan, context_id = self._plan, told["context_id"]
        mishap = (plan.mishaps.pop(0) if plan.mishaps else None) or Mishap()
        yield plan.think_seconds
        if mishap.hangs:
            return
        if mishap.status:
            self._fail(context_id, mishap.status, mishap.code)
            return
        wanted = told["output_format"]
        form = AudioFormat(_ENCODINGS[wanted["encoding"]], wanted["sample_rate"])
        sound = pcm.encode(plan.voice(told["transcript"], form.rate), form)
        size = form.bytes_per_second * plan.piece_ms // 1000
        for start in range(0, len(sound), size):
            sent_ms = form.duration_us(start) // 1000
            if mishap.breaks_after_ms is not None and sent_ms >= mishap.breaks_after_ms:
                self.break_off(mishap.breaks_with)
                return
            piece = base64.b64encode(sound[start : start + size]).decode()
            self.say(
                "chunk",
                context_id,
                data=piece,
                done=False,
                status_code=206,
                step_time=20.0,
            )
            yield plan.piece_every_seconds
        self.say("done", context_id, done=True, status_code=206)

    def _wait(self, context_id: str, story: Iterator[float], seconds: float) -> None:
        timer = self.later(seconds, self._go_on, context_id, story)
        self._contexts[context_id] = timer

    def _go_on(self, context_id: str, story: Iterator[float]) -> None:
        self._contexts[context_id] = None
        seconds = next(story, None)
        if seconds is not None and self.ended is None:
            self._wait(context_id, story, seconds)

    def _refuse(self, context_id: str, problem: str) -> None:
        self.problems.append(problem)
        self._fail(context_id, 400, "invalid_request")

    def _fail(self, context_id: str, status: int, code: str) -> None:
        self.say(
            "error",
            context_id,
            done=True,
            status_code=status,
            error_code=code,
            title="It failed",
            message="See the code.",
        )

    def _cancel(self, context_id: str) -> None:
        timer = self._contexts.get(context_id)
        if timer is not None and timer.active():
            timer.cancel()


def _problem(told: dict[str, Any]) -> str:
    """:returns: the first thing that is wrong with a request, if any."""
    for name, kind in _FIELDS.items():
        if not isinstance(told.get(name), kind):
            return f"{name} must be of type {kind.__name__}"
    unknown = told.keys() - _FIELDS.keys()
    if unknown:
        return f"unknown {sorted(unknown)}"
    if not told["transcript"].strip():
        return "the transcript is empty"
    voice, wanted = told["voice"], told["output_format"]
    if voice.get("mode") != "id" or not voice.get("id"):
        return "the voice has no id"
    is_known = wanted.get("encoding") in _ENCODINGS and wanted.get("container") == "raw"
    return "" if is_known else "the output format is not known"


class CartesiaDouble(Door[CartesiaPlan, CartesiaSession]):
    """Cartesia for tests: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: CartesiaPlan | None = None) -> None:
        super().__init__(clock, plan or CartesiaPlan())

    def texts(self) -> list[str]:
        """:returns: what all sessions were to speak, in order."""
        return [text for session in self.sessions for text in session.texts()]

    def _status(self, visitor: Visitor) -> int:
        if visitor.path != _PATH:
            return 404
        if visitor.headers.get("x-api-key") != self.plan.key:
            return 401
        return 0 if "cartesia-version" in visitor.headers else 400

    def _seat(self, visitor: Visitor, socket: ServiceSocket) -> CartesiaSession:
        return CartesiaSession(self._clock, self.plan, socket)
