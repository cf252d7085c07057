# -*- test-case-name: tests.doubles.openai.test_session -*-
"""One response of the model, as it comes: event by event, in its own time.

It tells its story to whoever runs it: each step says its events and then how long to
wait. The session runs it, and may cancel it at any step.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ...audio import pcm
from ...audio.pcm import Samples
from ...formats import AudioFormat
from ..plan import Reply
from .items import Conversation, Item
from .plan import Plan

__all__ = ["Response", "Teller"]


class Teller(Protocol):
    """What a response needs of its session."""

    plan: Plan
    conversation: Conversation

    def say(self, kind: str, **fields: object) -> None:
        """Send an event."""

    def new_id(self, prefix: str) -> str:
        """:returns: an id that was not given before."""

    def output_format(self) -> AudioFormat:
        """:returns: how the client wants its sound."""

    def break_off(self, code: int) -> None:
        """End the socket."""


class Response:
    """One response; ``status`` is that of the API."""

    def __init__(self, teller: Teller, reply: Reply) -> None:
        self.id = teller.new_id("resp")
        self.status = "in_progress"
        self._teller = teller
        self._reply = reply
        self._details: Mapping[str, object] | None = None
        self._output: list[Item] = []
        #: What ends the item that is being spoken, were it cut off now.
        self._open: Item | None = None

    def story(self) -> Iterator[float]:
        """:returns: how many seconds to wait until the next step."""
        say, reply = self._teller.say, self._reply
        say("response.created", response=self.shown())
        yield self._teller.plan.think_seconds
        if reply.hangs:
            return
        if reply.fails:
            error = {"type": "server_error", "code": reply.fails}
            self._finish("failed", {"type": "failed", "error": error})
            return
        if reply.says:
            yield from self._speak(reply.says)
        for name, arguments in reply.calls:
            self._call(name, arguments)
        if reply.incomplete:
            self._finish(
                "incomplete", {"type": "incomplete", "reason": reply.incomplete}
            )
        else:
            self._finish("completed", None)

    def cancel(self, reason: str) -> None:
        """End it early: ``turn_detected`` or ``client_cancelled``."""
        if self._open is not None:
            self._end_item(self._open, "incomplete")
        self._finish("cancelled", {"type": "cancelled", "reason": reason})

    def shown(self) -> dict[str, object]:
        """:returns: the response for an event."""
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": self._details,
            "output": [item.shown() for item in self._output],
            "usage": {"total_tokens": sum(item.sent_ms // 50 for item in self._output)},
        }

    # -- steps -------------------------------------------------------------------------

    def _speak(self, text: str) -> Iterator[float]:
        teller, plan, reply = self._teller, self._teller.plan, self._reply
        part: dict[str, str] = {"type": "output_audio", "transcript": ""}
        item = self._begin_item(type="message", role="assistant", content=[part])
        at = self._at(item)
        teller.say("response.content_part.added", **at, content_index=0, part=part)
        self._open = item
        form = teller.output_format()
        sound = plan.voice(text, form.rate)
        for words, ms, piece in _pieces(text, sound, form, plan.piece_ms):
            if words:
                # A client may have had it forgotten meanwhile.
                part["transcript"] = part.get("transcript", "") + words
                self._tell(item, "output_audio_transcript.delta", delta=words)
            item.sent_ms += ms
            encoded = base64.b64encode(piece).decode()
            self._tell(item, "output_audio.delta", delta=encoded)
            if item.sent_ms >= (reply.breaks_after_ms or 1 << 62):
                teller.break_off(reply.breaks_with)
                return
            yield plan.piece_every_seconds
        self._end_item(item, "completed")

    def _call(self, name: str, arguments: Mapping[str, object] | str) -> None:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = self._teller.new_id("call")
        item = self._begin_item(
            type="function_call", call_id=call_id, name=name, arguments=text
        )
        kind, at = "response.function_call_arguments", self._at(item)
        for start in range(0, len(text), 8):
            delta = text[start : start + 8]
            self._teller.say(f"{kind}.delta", **at, call_id=call_id, delta=delta)
        self._teller.say(
            f"{kind}.done", **at, call_id=call_id, name=name, arguments=text
        )
        self._end_item(item, "completed")

    def _begin_item(self, **body: Any) -> Item:
        conversation, teller = self._teller.conversation, self._teller
        before = conversation.last_id()
        item = Item(id=teller.new_id("item"), body={"status": "in_progress", **body})
        conversation.items.append(item)
        self._output.append(item)
        index = len(self._output) - 1
        teller.say(
            "response.output_item.added",
            response_id=self.id,
            output_index=index,
            item=item.shown(),
        )
        teller.say(
            "conversation.item.added", previous_item_id=before, item=item.shown()
        )
        return item

    def _end_item(self, item: Item, status: str) -> None:
        teller, self._open = self._teller, None
        item.body["status"] = status
        if item.kind == "message":
            part = item.body["content"][0]
            transcript = part.get("transcript", "")
            self._tell(item, "output_audio.done")
            self._tell(item, "output_audio_transcript.done", transcript=transcript)
            self._tell(item, "content_part.done", part=part)
        teller.say(
            "response.output_item.done",
            response_id=self.id,
            output_index=self._output.index(item),
            item=item.shown(),
        )
        teller.say("conversation.item.done", item=item.shown())

    def _tell(self, item: Item, kind: str, **fields: object) -> None:
        self._teller.say(
            f"response.{kind}", **self._at(item), content_index=0, **fields
        )

    def _at(self, item: Item) -> dict[str, Any]:
        index = self._output.index(item)
        return {"response_id": self.id, "item_id": item.id, "output_index": index}

    def _finish(self, status: str, details: Mapping[str, object] | None) -> None:
        plan = self._teller.plan
        self.status, self._details = status, details
        self._teller.say("response.done", response=self.shown())
        tokens = {
            "name": "tokens",
            "limit": 40_000,
            "remaining": plan.remaining_tokens,
            "reset_seconds": plan.reset_seconds,
        }
        self._teller.say("rate_limits.updated", rate_limits=[tokens])


def _pieces(
    text: str, sound: Samples, form: AudioFormat, piece_ms: int
) -> Iterator[tuple[str, int, bytes]]:
    """:returns: the new words, the milliseconds and the sound of each piece."""
    size = form.rate * piece_ms // 1000
    words, before = text.split(" "), 0
    starts = range(0, len(sound), size)
    for n, start in enumerate(starts):
        share = (n + 1) * len(words) // len(starts)
        new = "".join(f" {word}" for word in words[before:share])
        piece = pcm.encode(sound[start : start + size], form)
        yield new if before else new[1:], form.duration_us(len(piece)) // 1000, piece
        before = share
