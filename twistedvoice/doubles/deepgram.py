# -*- test-case-name: tests.doubles.test_deepgram -*-
"""Deepgram's streaming speech-to-text, played: it hears that somebody speaks.

What is said it takes from its plan, one text a turn: the longer the sound, the more
words it guesses. It hangs up on who is silent without a word, as Deepgram does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import Factory, define
from twisted.internet.interfaces import IReactorTime

from ..audio import pcm
from ..events import Message
from ..formats import AudioFormat, Encoding
from .door import Door, Visitor
from .network import ServiceSocket
from .seat import Seat
from .vad import EnergyVad
from .voice import WORD_MS

__all__ = ["DeepgramDouble", "DeepgramPlan", "DeepgramSession"]

_PATH = "/v1/listen"
_ENCODINGS: dict[str, Encoding] = {"mulaw": "mulaw", "alaw": "alaw", "linear16": "l16"}
#: Without sound or a word it hangs up, with this code.
_IDLE_SECONDS, _IDLE_CODE = 10.0, 1011
#: A guess, or that nothing is said, is told every so often.
_TELL_MS, _TELL_NOTHING_MS = 200, 1000


@define(kw_only=True)
class DeepgramPlan:
    """How one double behaves, for all its sessions; may be changed at any time."""

    #: The key that lets in.
    key: str = "dg-double"
    #: The HTTP statuses that the next sockets are refused with, in order.
    refusals: list[int] = Factory(list)
    #: What is said in the next turns, in order.
    says: list[str] = Factory(list)
    #: What is said when there is nothing left; gets how long the turn was.
    answer: Callable[[int], str] = lambda ms: f"I spoke for {ms} milliseconds"
    #: The final words of a turn come in so many pieces.
    pieces: int = 1
    #: Whether it listens; else the caller's sound is thrown away.
    hears: bool = True
    #: It does not hear silence, and tells that no more words come.
    misses_silence: bool = False
    #: It never says that a turn is over.
    misses_end: bool = False


class DeepgramSession(Seat):
    """One socket: ``heard`` is its sound, ``told`` are the texts that it was sent."""

    def __init__(
        self,
        clock: IReactorTime,
        plan: DeepgramPlan,
        socket: ServiceSocket,
        query: Mapping[str, str],
    ) -> None:
        super().__init__(clock, socket)
        self.query = query
        self.heard = bytearray()
        self.told: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self._plan = plan
        self._form = AudioFormat(
            _ENCODINGS[query["encoding"]], int(query["sample_rate"])
        )
        self._vad = EnergyVad(
            self._form.rate,
            threshold=0.5,
            padding_ms=0,
            silence_ms=int(query["endpointing"]),
        )
        self._began_ms = self._told_ms = 0
        self._says = ""
        self._idle = self.later(_IDLE_SECONDS, self._too_idle)

    # -- from the socket ---------------------------------------------------------------

    def received(self, message: Message) -> None:
        """Sound, or what to do."""
        self._idle.reset(_IDLE_SECONDS)
        if message.binary:
            if self._plan.hears:
                self.heard += message.data
                self._hear(message.data)
            return
        try:
            told = json.loads(message.data)
            kind = told["type"]
        except (ValueError, LookupError, TypeError):
            self.problems.append("not a JSON object with a type")
            return
        self.told.append(told)
        if kind == "CloseStream":
            self.say("Metadata", duration=self._vad.heard_ms / 1000)
            self.break_off(1000)
        elif kind not in ("KeepAlive", "Finalize"):
            self.problems.append(f"unknown type {kind!r}")

    # -- for tests ---------------------------------------------------------------------

    def say(self, kind: str, **fields: object) -> None:
        """Send a message, any message."""
        text = json.dumps({"type": kind, **fields})
        self.say_raw(text.encode())

    def results(self, text: str, *, final: bool, ends: bool = False) -> None:
        """Send what was understood since the turn began."""
        now_ms = self._vad.heard_ms
        words = [{"word": word, "confidence": 0.9} for word in text.split()]
        best = {"transcript": text, "confidence": 0.9, "words": words}
        self.say(
            "Results",
            channel_index=[0, 1],
            start=self._began_ms / 1000,
            duration=(now_ms - self._began_ms) / 1000,
            is_final=final,
            speech_final=ends,
            from_finalize=False,
            channel={"alternatives": [best]},
        )

    # -- within ------------------------------------------------------------------------

    def _hear(self, sound: bytes) -> None:
        for edge in self._vad.feed(pcm.decode(sound, self._form)):
            if edge.kind == "started":
                self._began_ms = self._told_ms = edge.at_ms
                says = self._plan.says
                self._says = says.pop(0) if says else ""
            else:
                self._turn_over(edge.at_ms - self._began_ms)
        passed_ms = self._vad.heard_ms - self._told_ms
        if self._vad.speaking and passed_ms >= _TELL_MS:
            self._guess()
        elif passed_ms >= _TELL_NOTHING_MS:
            self._began_ms = self._told_ms
            self._told_ms = self._vad.heard_ms
            self.results("", final=True)

    def _guess(self) -> None:
        self._told_ms = self._vad.heard_ms
        words = (self._says or "I spoke").split()
        count = (self._told_ms - self._began_ms) // WORD_MS + 1
        self.results(" ".join(words[:count]), final=False)

    def _turn_over(self, turn_ms: int) -> None:
        plan, self._told_ms = self._plan, self._vad.heard_ms
        words = (self._says or plan.answer(turn_ms)).split()
        size = -(-len(words) // plan.pieces)
        ends = not (plan.misses_silence or plan.misses_end)
        for start in range(0, len(words), size):
            piece = " ".join(words[start : start + size])
            is_last = start + size >= len(words)
            self.results(piece, final=True, ends=ends and is_last)
        if plan.misses_silence:
            wait = int(self.query["utterance_end_ms"]) / 1000
            self.later(wait, self._no_more_words)

    def _no_more_words(self) -> None:
        self.say("UtteranceEnd", channel=[0, 1], last_word_end=self._told_ms / 1000)

    def _too_idle(self) -> None:
        self.problems.append("NET-0001")
        self.break_off(_IDLE_CODE)


class DeepgramDouble(Door[DeepgramPlan, DeepgramSession]):
    """Deepgram for tests: see ``plan`` for how it behaves."""

    def __init__(self, clock: IReactorTime, plan: DeepgramPlan | None = None) -> None:
        super().__init__(clock, plan or DeepgramPlan())

    def _status(self, visitor: Visitor) -> int:
        if visitor.path != _PATH:
            return 404
        if visitor.headers.get("authorization") != f"Token {self.plan.key}":
            return 401
        query = visitor.query
        wanted = {"model", "sample_rate", "endpointing", "utterance_end_ms"}
        is_known = query.get("encoding") in _ENCODINGS and wanted <= query.keys()
        # Words can only stop coming where guesses are told.
        return 0 if is_known and query.get("interim_results") == "true" else 400

    def _seat(self, visitor: Visitor, socket: ServiceSocket) -> DeepgramSession:
        return DeepgramSession(self._clock, self.plan, socket, visitor.query)
