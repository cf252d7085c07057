# -*- test-case-name: tests.doubles.gemini.test_session -*-
"""One turn of the model, as it comes: message by message, in its own time.

Sound comes faster than it plays. The end of a turn waits until it was played, as a
model does that assumes an ear; a caller who speaks before that interrupts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ...audio import pcm
from ...formats import AudioFormat
from ..plan import Reply
from .memory import Memory
from .plan import Plan

__all__ = ["Teller", "Turn"]

_SPOKEN = AudioFormat("l16", 24000)


class Teller(Protocol):
    """What a turn needs of its session."""

    plan: Plan
    memory: Memory

    def say(self, **message: object) -> None:
        """Send a message."""

    def transcribes(self, side: str) -> bool:
        """:returns: whether words are wanted: of the ``input`` or the ``output``."""

    def sounds_for(self, seconds: float) -> None:
        """So much more sound was sent."""

    def still_sounds(self) -> float:
        """:returns: for how many seconds what was sent still plays."""

    def new_id(self, prefix: str) -> str:
        """:returns: an id that was not given before."""

    def break_off(self, code: int, reason: str = "") -> None:
        """End the socket."""


class Turn:
    """What the model says and does in one go."""

    def __init__(self, teller: Teller, reply: Reply) -> None:
        self._teller = teller
        self._reply = reply
        #: The calls that it waits for, by id.
        self.calls: dict[str, str] = {}
        self.is_over = False
        #: The sound that was sent, in milliseconds.
        self.sent_ms = 0

    def story(self) -> Iterator[float]:
        """:returns: how many seconds to wait until the next step."""
        reply, plan = self._reply, self._teller.plan
        yield plan.think_seconds
        if reply.hangs:
            return
        if reply.says:
            yield from self._speak(reply.says)
        if reply.calls:
            self._call()
            return
        self._content(generationComplete=True)
        if plan.waits_for_playback:
            yield self._teller.still_sounds()
        self.end()

    def end(self) -> None:
        """Nothing more comes of it."""
        self.is_over = True
        reason = self._reply.fails or self._reply.incomplete
        why = {"turnCompleteReason": reason} if reason else {}
        self._teller.say(
            serverContent={"turnComplete": True, **why},
            usageMetadata={"totalTokenCount": 100 + self.sent_ms // 40},
        )

    def _speak(self, text: str) -> Iterator[float]:
        plan, reply = self._teller.plan, self._reply
        sound = pcm.encode(plan.voice(text, _SPOKEN.rate), _SPOKEN)
        size = _SPOKEN.bytes_per_second * plan.piece_ms // 1000
        words, said = text.split(" "), ""
        pieces = range(0, len(sound), size)
        line = len(self._teller.memory.lines)
        self._teller.memory.lines.append(("model", ""))
        for n, start in enumerate(pieces):
            known = " ".join(words[: (n + 1) * len(words) // len(pieces)])
            if known != said and self._teller.transcribes("output"):
                self._content(outputTranscription={"text": known[len(said) :]})
            said = known
            self._teller.memory.lines[line] = ("model", said)
            piece = sound[start : start + size]
            self.sent_ms += _SPOKEN.duration_us(len(piece)) // 1000
            self._teller.sounds_for(_SPOKEN.duration_us(len(piece)) / 1e6)
            self._content(modelTurn={"role": "model", "parts": [_sound(piece)]})
            if self.sent_ms >= (reply.breaks_after_ms or 1 << 62):
                self._teller.break_off(reply.breaks_with)
                return
            yield plan.piece_every_seconds

    def _call(self) -> None:
        calls = []
        for name, arguments in self._reply.calls:
            call_id = self._teller.new_id("call")
            self.calls[call_id] = name
            calls.append({"id": call_id, "name": name, "args": arguments})
        self._teller.say(toolCall={"functionCalls": calls})

    def _content(self, **content: object) -> None:
        self._teller.say(serverContent=content)


def _sound(piece: bytes) -> Mapping[str, Any]:
    data = base64.b64encode(piece).decode()
    return {"inlineData": {"mimeType": f"audio/pcm;rate={_SPOKEN.rate}", "data": data}}
