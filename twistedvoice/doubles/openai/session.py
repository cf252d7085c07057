# -*- test-case-name: tests.doubles.openai.test_session -*-
"""One socket of the double: takes a client's messages, and answers as the API does.

Every message is checked against :mod:`.shapes`; what is wrong is answered with an
``error`` event, and kept for the test. The caller's sound is listened to by
:mod:`..vad`; the conversation is in :mod:`.items`, what is said in :mod:`.response`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from twisted.internet.interfaces import IReactorTime

from ...audio import pcm
from ...events import Message
from ...formats import AudioFormat
from ..network import ServiceSocket
from ..plan import Reply
from ..seat import Seat
from ..shapes import Problem
from ..vad import Edge, EnergyVad
from .items import Conversation, Item
from .plan import Plan
from .response import Response
from .shapes import problem_with

__all__ = ["Session"]

_FORMATS = {
    "audio/pcm": AudioFormat("l16", 24000),
    "audio/pcmu": AudioFormat("mulaw", 8000),
    "audio/pcma": AudioFormat("alaw", 8000),
}
_PCM = {"type": "audio/pcm", "rate": 24000}
_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
}
#: How long the double waits for more, by eagerness.
_SILENCE_MS = {"low": 1000, "medium": 600, "auto": 600, "high": 300}
_GOING_AWAY = 1001
#: How clients that do not pad their JSON begin what the caller says.
_SOUND = b'{"type":"input_audio_buffer.append",'


class Session(Seat):
    """
    One conversation with one client.

    What it was told is in ``told``, except for the sound, which is in ``heard``; what
    it said is in ``said``, and what it found wrong in ``problems``.
    """

    def __init__(
        self, clock: IReactorTime, plan: Plan, socket: ServiceSocket, model: str
    ) -> None:
        super().__init__(clock, socket)
        self.plan = plan
        self.conversation = Conversation()
        self.told: list[dict[str, Any]] = []
        self.said: list[dict[str, Any]] = []
        self.problems: list[Problem] = []
        self.heard = bytearray()
        self.settings: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_1",
            "model": model,
            "output_modalities": ["audio"],
            "audio": {
                "input": {"format": _PCM, "turn_detection": dict(_SERVER_VAD)},
                "output": {"format": _PCM, "voice": "alloy", "speed": 1.0},
            },
            "tools": [],
            "tool_choice": "auto",
        }
        self._ids = 0
        self._response: Response | None = None
        self._spoke = False
        #: How much of the sound belongs to turns, and how long the last one was.
        self._committed = self._turn_ms = 0
        self._user_item = ""
        self._vad = self._new_vad()
        self.say("session.created", session=self.settings)
        self.later(plan.lifetime_seconds, self._expire)

    # -- from the socket ---------------------------------------------------------------

    def received(self, message: Message) -> None:
        """One message of the client."""
        if not self.plan.hears and message.data.startswith(_SOUND):
            return  # many calls at once: not even read
        try:
            told = json.loads(message.data)
        except ValueError:
            told = None
        if message.binary or not isinstance(told, dict):
            self._refuse({}, Problem("invalid_json", "", "Not a JSON object."))
            return
        if told.get("type") != "input_audio_buffer.append":
            self.told.append(told)
        problem = problem_with(told)
        if problem is None and not self.plan.mute:
            problem = _DEEDS[told["type"]](self, told)
        if problem is not None:
            self._refuse(told, problem)

    # -- for tests, and for responses --------------------------------------------------

    def say(self, kind: str, **fields: object) -> None:
        """Send an event, any event."""
        if self.plan.mute and kind != "session.created":
            return
        event = {"type": kind, "event_id": self.new_id("event"), **fields}
        self.said.append(
            {**event, "delta": ""} if kind.endswith("audio.delta") else deepcopy(event)
        )
        self.say_raw(json.dumps(event).encode())

    def respond(self, reply: Reply | None = None) -> None:
        """Begin a response, by default the next of the plan."""
        replies = self.plan.replies
        if reply is None:
            reply = replies.pop(0) if replies else self.plan.answer(self._turn_ms)
        self._response = Response(self, reply)
        self._run(self._response, self._response.story())

    def new_id(self, prefix: str) -> str:
        """:returns: an id that was not given before."""
        self._ids += 1
        return f"{prefix}_{self._ids}"

    def output_format(self) -> AudioFormat:
        """:returns: how the client wants its sound."""
        return _FORMATS[self.settings["audio"]["output"]["format"]["type"]]

    @property
    def is_responding(self) -> bool:
        """Whether a response is being made."""
        response = self._response
        return response is not None and response.status == "in_progress"

    def kinds(self) -> list[str]:
        """:returns: the types of what it was told, without the sound."""
        return [told["type"] for told in self.told]

    # -- what the client asks for ------------------------------------------------------

    def _update(self, told: Mapping[str, Any]) -> Problem | None:
        wanted = told["session"]
        if wanted.get("model", self.settings["model"]) != self.settings["model"]:
            return Problem("invalid_value", "session.model", "It cannot be changed.")
        voice = wanted.get("audio", {}).get("output", {}).get("voice")
        if self._spoke and voice not in (
            None,
            self.settings["audio"]["output"]["voice"],
        ):
            return Problem("cannot_update_voice", "session.audio.output.voice", "Late.")
        before = deepcopy(self.settings["audio"]["input"])
        _merge(self.settings, wanted)
        if self.settings["audio"]["input"] != before:
            self._vad = self._new_vad()
        self.say("session.updated", session=self.settings)
        return None

    def _append(self, told: Mapping[str, Any]) -> None:
        if not self.plan.hears:
            return
        sound = base64.b64decode(told["audio"])
        self.heard += sound
        form = _FORMATS[self.settings["audio"]["input"]["format"]["type"]]
        edges = self._vad.feed(pcm.decode(sound, form))
        if self._turn_detection() is not None:
            for edge in edges:
                self._speech(edge)

    def _commit(self, told: Mapping[str, Any]) -> Problem | None:
        if self._vad.heard_ms - self._committed < 100:
            text = "The buffer is too small: at least 100ms of audio are needed."
            return Problem("input_audio_buffer_commit_empty", "", text)
        self._take_turn(self.new_id("item"))
        return None

    def _clear(self, told: Mapping[str, Any]) -> None:
        self._committed = self._vad.heard_ms
        self.say("input_audio_buffer.cleared")

    def _create_item(self, told: Mapping[str, Any]) -> Problem | None:
        problem = self.conversation.refusal(told["item"])
        if problem is None:
            item_id = told["item"].get("id") or self.new_id("item")
            self._add(Item(id=item_id, body=dict(told["item"])))
        return problem

    def _retrieve(self, told: Mapping[str, Any]) -> Problem | None:
        item = self.conversation.find(told["item_id"])
        if item is None:
            return Problem("item_not_found", "item_id", "There is no such item.")
        self.say("conversation.item.retrieved", item=item.shown())
        return None

    def _delete(self, told: Mapping[str, Any]) -> Problem | None:
        item = self.conversation.find(told["item_id"])
        if item is None:
            return Problem("item_not_found", "item_id", "There is no such item.")
        self.conversation.items.remove(item)
        self.say("conversation.item.deleted", item_id=item.id)
        return None

    def _truncate(self, told: Mapping[str, Any]) -> Problem | None:
        problem = self.conversation.truncate(told)
        if problem is None:
            names = ("item_id", "content_index", "audio_end_ms")
            fields = {name: told[name] for name in names}
            self.say("conversation.item.truncated", **fields)
        return problem

    def _create_response(self, told: Mapping[str, Any]) -> Problem | None:
        if self.is_responding:
            text = "Conversation already has an active response in progress."
            return Problem("conversation_already_has_active_response", "", text)
        self.respond()
        return None

    def _cancel_response(self, told: Mapping[str, Any]) -> Problem | None:
        if not self.is_responding:
            text = "Cancellation failed: no active response found"
            return Problem("response_cancel_not_active", "", text)
        self._cancel("client_cancelled")
        return None

    # -- what the caller does ----------------------------------------------------------

    def _speech(self, edge: Edge) -> None:
        vad = self._turn_detection() or {}
        if edge.kind == "started":
            self._user_item = self.new_id("item")
            self._committed = edge.at_ms
            self.say(
                "input_audio_buffer.speech_started",
                audio_start_ms=edge.at_ms,
                item_id=self._user_item,
            )
            if vad.get("interrupt_response", True) and self.is_responding:
                self._cancel("turn_detected")
            return
        self.say(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=edge.at_ms,
            item_id=self._user_item,
        )
        self._take_turn(self._user_item)
        if vad.get("create_response", True) and not self.is_responding:
            self.respond()

    def _take_turn(self, item_id: str) -> None:
        before = self.conversation.last_id()
        self.say(
            "input_audio_buffer.committed", item_id=item_id, previous_item_id=before
        )
        part = {"type": "input_audio", "transcript": None}
        body = {"type": "message", "role": "user", "content": [part]}
        self._add(Item(id=item_id, body=body))
        self._turn_ms = self._vad.heard_ms - self._committed
        self._committed = self._vad.heard_ms
        if self.settings["audio"]["input"].get("transcription"):
            texts = self.plan.transcripts
            text = texts.pop(0) if texts else "The caller said something."
            part["transcript"] = text
            self.later(self.plan.think_seconds / 2, self._transcribed, item_id, text)

    def _transcribed(self, item_id: str, text: str) -> None:
        kind = "conversation.item.input_audio_transcription"
        at = {"item_id": item_id, "content_index": 0}
        self.say(f"{kind}.delta", **at, delta=text)
        self.say(f"{kind}.completed", **at, transcript=text)

    # -- within ------------------------------------------------------------------------

    def _add(self, item: Item) -> None:
        before = self.conversation.last_id()
        self.conversation.items.append(item)
        for step in ("added", "done"):
            self.say(
                f"conversation.item.{step}",
                previous_item_id=before,
                item=item.shown(),
            )

    def _cancel(self, reason: str) -> None:
        response, self._response = self._response, None
        assert response is not None
        response.cancel(reason)

    def _run(self, response: Response, story: Iterator[float]) -> None:
        if response is self._response and self.ended is None:
            wait = next(story, None)
            self._spoke = True
            if wait is not None:
                self.later(wait, self._run, response, story)

    def _new_vad(self) -> EnergyVad:
        asked = self.settings["audio"]["input"]
        vad = {**_SERVER_VAD, **(asked["turn_detection"] or {})}
        silence_ms = _SILENCE_MS.get(vad.get("eagerness", ""))
        return EnergyVad(
            _FORMATS[asked["format"]["type"]].rate,
            threshold=vad["threshold"],
            padding_ms=vad["prefix_padding_ms"],
            silence_ms=silence_ms or vad["silence_duration_ms"],
        )

    def _turn_detection(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.settings["audio"]["input"][
            "turn_detection"
        ]
        return found

    def _refuse(self, told: Mapping[str, Any], problem: Problem) -> None:
        self.problems.append(problem)
        error = {
            "type": "invalid_request_error",
            "code": problem.code,
            "message": problem.message,
            "param": problem.param or None,
            "event_id": told.get("event_id"),
        }
        self.say("error", error=error)

    def _expire(self) -> None:
        error = {
            "type": "invalid_request_error",
            "code": "session_expired",
            "message": "Your session hit the maximum duration of 60 minutes.",
        }
        self.say("error", error=error)
        self.break_off(_GOING_AWAY)


def _merge(into: dict[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            if "type" in value and value["type"] != into[name].get("type"):
                into[name] = dict(value)
            else:
                _merge(into[name], value)
        else:
            into[name] = value


_DEEDS: dict[str, Callable[[Session, Mapping[str, Any]], Problem | None]] = {
    "session.update": Session._update,
    "input_audio_buffer.append": Session._append,
    "input_audio_buffer.commit": Session._commit,
    "input_audio_buffer.clear": Session._clear,
    "conversation.item.create": Session._create_item,
    "conversation.item.retrieve": Session._retrieve,
    "conversation.item.delete": Session._delete,
    "conversation.item.truncate": Session._truncate,
    "response.create": Session._create_response,
    "response.cancel": Session._cancel_response,
}
