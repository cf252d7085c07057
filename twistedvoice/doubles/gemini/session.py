# -*- test-case-name: tests.doubles.gemini.test_session -*-
"""One connection of the double: takes messages, and answers as the API does.

Every message is checked against :mod:`.shapes`; what is wrong ends the connection with
a code and words, and is kept for the test. The caller's sound is listened to by
:mod:`..vad`, what is said is in :mod:`.turn`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
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
from .memory import Memories, Memory
from .plan import Plan
from .shapes import problem_with
from .turn import Turn

__all__ = ["Session"]

_HEARD = AudioFormat("l16", 16000)
_MIME = re.compile(r"audio/pcm(;rate=16000)?")
_BAD_REQUEST, _POLICY, _INTERNAL = 1007, 1008, 1011
_THRESHOLDS = {"START_SENSITIVITY_HIGH": 0.5, "START_SENSITIVITY_LOW": 0.7}


class Session(Seat):
    """
    One connection of one client.

    What it was told is in ``told``, except for the sound, which is in ``heard``; what
    it said is in ``said``, without sound, and what it found wrong in ``problems``.
    """

    memory: Memory

    def __init__(
        self,
        clock: IReactorTime,
        plan: Plan,
        socket: ServiceSocket,
        memories: Memories,
        key: str,
    ) -> None:
        super().__init__(clock, socket)
        self.plan = plan
        self.setup: dict[str, Any] = {}
        self.told: list[dict[str, Any]] = []
        self.said: list[dict[str, Any]] = []
        self.problems: list[Problem] = []
        self.heard = bytearray()
        self._memories = memories
        self._key = key
        self._ids = 0
        self._turn: Turn | None = None
        #: Calls that nobody waits for any more.
        self._cancelled: set[str] = set()
        #: When all sound that was sent has been played.
        self._plays_until = 0.0
        self._vad: EnergyVad
        self._speech_began_ms = self._turn_ms = 0

    # -- from the socket ---------------------------------------------------------------

    def received(self, message: Message) -> None:
        """One message of the client."""
        try:
            told = json.loads(message.data)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            self.refuse(Problem("no_json", "", "Request contains invalid JSON."))
            return
        if "audio" not in told.get("realtimeInput", ()):
            self.told.append(told)
        problem = problem_with(told)
        if problem is not None:
            self.refuse(problem)
            return
        [(kind, body)] = told.items()
        if (kind == "setup") is bool(self.setup):
            self.refuse(Problem("setup", kind, "Setup comes first, and once."))
        elif not self.plan.mute:
            _DEEDS[kind](self, body)

    def lost(self, code: int, reason: str) -> None:
        """The client is gone; its conversation may be resumed."""
        super().lost(code, reason)
        self._let_go()

    # -- for tests, and for turns ------------------------------------------------------

    def say(self, **message: object) -> None:
        """Send a message, any message."""
        self.said.append(json.loads(json.dumps(message, default=str)))
        for part in self._parts(self.said[-1]):
            part["inlineData"]["data"] = ""
        self.say_raw(json.dumps(message).encode(), binary=self.plan.binary)

    def respond(self, reply: Reply | None = None) -> None:
        """Begin a turn, by default the next of the plan."""
        replies = self.plan.replies
        if reply is None:
            reply = replies.pop(0) if replies else self.plan.answer(self._turn_ms)
        self._resumable(False)
        self._turn = Turn(self, reply)
        self._run(self._turn, self._turn.story())

    def break_off(self, code: int, reason: str = "") -> None:
        """End the connection."""
        super().break_off(code, reason)
        self._let_go()

    def refuse(self, problem: Problem, code: int = _BAD_REQUEST) -> None:
        """Note what is wrong with what the client said, and end the connection."""
        self.problems.append(problem)
        self.break_off(code, problem.message)

    def transcribes(self, side: str) -> bool:
        """:returns: whether words are wanted: of the ``input`` or the ``output``."""
        return f"{side}AudioTranscription" in self.setup

    def sounds_for(self, seconds: float) -> None:
        """So much more sound was sent."""
        now = self._clock.seconds()
        self._plays_until = max(now, self._plays_until) + seconds

    def still_sounds(self) -> float:
        """:returns: for how many seconds what was sent still plays."""
        return max(0.0, self._plays_until - self._clock.seconds())

    def new_id(self, prefix: str) -> str:
        """:returns: an id that was not given before."""
        self._ids += 1
        return f"{prefix}-{self._ids}"

    @property
    def is_speaking(self) -> bool:
        """Whether the model is in the middle of a turn."""
        return self._turn is not None and not self._turn.is_over

    def kinds(self) -> list[str]:
        """:returns: the kinds of what it was told, without the sound."""
        return [kind for told in self.told for kind in told]

    def contents(self, name: str) -> list[Any]:
        """:returns: what it said of one field of ``serverContent``."""
        said = (each.get("serverContent", {}) for each in self.said)
        return [content[name] for content in said if name in content]

    # -- what the client asks for ------------------------------------------------------

    def _set_up(self, setup: dict[str, Any]) -> None:
        handle = setup.get("sessionResumption", {}).get("handle", "")
        memory = self._memories.resume(handle) if handle else self._memories.new()
        refused = self._refuses_setup(setup, handle, memory)
        if refused or memory is None:
            return
        self.setup, self.memory = setup, memory
        memory.is_open = True
        self._vad = self._new_vad()
        plan = self.plan
        self.later(plan.lifetime_seconds - plan.notice_seconds, self._give_notice)
        self.later(plan.lifetime_seconds, self._abort)
        if "contextWindowCompression" not in setup:
            age = self._clock.seconds() - memory.began_at
            self.later(max(0.0, plan.uncompressed_seconds - age), self._abort)
        self.say(setupComplete={})
        self._resumable(True)

    def _refuses_setup(
        self, setup: Mapping[str, Any], handle: str, memory: Memory | None
    ) -> bool:
        code, problem = _POLICY, None
        if self._key != self.plan.key:
            code, problem = _BAD_REQUEST, Problem("key", "", "API key not valid.")
        elif setup["model"] != (self.plan.model or setup["model"]):
            problem = Problem("model", "setup.model", "The model is not found.")
        elif memory is None or (handle and self.plan.refuses_handles):
            problem = Problem("handle", "", "The session is not found.")
        elif handle and memory.is_open:
            code, problem = _INTERNAL, Problem("open", "", "Internal error.")
        if problem is not None:
            self.refuse(problem, code)
        return problem is not None

    def _hear(self, told: Mapping[str, Any]) -> None:
        if "audio" in told:
            self._hear_sound(told["audio"])
        elif "text" in told:
            self._take([{"role": "user", "parts": [{"text": told["text"]}]}], True)
        elif "audioStreamEnd" not in told:
            self._activity("started" if "activityStart" in told else "stopped")

    def _hear_sound(self, audio: Mapping[str, str]) -> None:
        if not _MIME.fullmatch(audio["mimeType"]):
            self.refuse(Problem("mime", "realtimeInput.audio", "Unsupported."))
        elif self.plan.hears:
            sound = base64.b64decode(audio["data"])
            self.heard += sound
            edges = self._vad.feed(pcm.decode(sound, _HEARD))
            for edge in edges:
                if not self._detection().get("disabled"):
                    self._speech(edge)

    def _activity(self, kind: Any) -> None:
        if self._detection().get("disabled"):
            self._speech(Edge(kind, self._vad.heard_ms))
        else:
            text = "Explicit activity control is not supported."
            self.refuse(Problem("activity", "realtimeInput", text))

    def _take_content(self, told: Mapping[str, Any]) -> None:
        self._take(told.get("turns", []), told.get("turnComplete", False))

    def _take(self, turns: list[Mapping[str, Any]], complete: bool) -> None:
        self._interrupt()
        for turn in turns:
            text = "".join(part.get("text", "") for part in turn["parts"])
            self.memory.lines.append((turn.get("role", "user"), text))
        if complete:
            self.respond()

    def _take_results(self, told: Mapping[str, Any]) -> None:
        calls = self._turn.calls if self._turn is not None else {}
        for result in told["functionResponses"]:
            if result["id"] in self._cancelled:
                continue
            if calls.pop(result["id"], None) != result["name"]:
                text = "Requested entity was not found."
                self.refuse(Problem("call", "toolResponse", text), _POLICY)
                return
            self.memory.lines.append(("user", json.dumps(result["response"])))
            if not calls:
                self.respond()

    # -- what the caller does ----------------------------------------------------------

    def _speech(self, edge: Edge) -> None:
        if edge.kind == "started":
            self._speech_began_ms = edge.at_ms
            if self.plan.tells_activity:
                self.say(voiceActivity={"voiceActivityType": "ACTIVITY_START"})
            handling = self.setup.get("realtimeInputConfig", {})
            if handling.get("activityHandling") != "NO_INTERRUPTION":
                self._interrupt()
            return
        self._turn_ms = edge.at_ms - self._speech_began_ms
        texts = self.plan.transcripts
        text = texts.pop(0) if texts else "The caller said something."
        self.memory.lines.append(("user", text))
        if self.transcribes("input"):
            half = len(text) // 2
            for piece in (text[:half], text[half:]):
                self.say(serverContent={"inputTranscription": {"text": piece}})
        if not self.is_speaking:
            self.respond()

    def _interrupt(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None or turn.is_over:
            return
        if turn.calls:
            self._cancelled.update(turn.calls)
            self.say(toolCallCancellation={"ids": list(turn.calls)})
        self.say(serverContent={"interrupted": True})
        self._plays_until = 0.0
        turn.end()
        self._resumable(True)

    # -- within ------------------------------------------------------------------------

    def _run(self, turn: Turn, story: Iterator[float]) -> None:
        if turn is not self._turn or self.ended is not None:
            return
        wait = next(story, None)
        if wait is not None:
            self.later(wait, self._run, turn, story)
        elif turn.is_over:
            self._resumable(True)

    def _resumable(self, now: bool) -> None:
        if "sessionResumption" in self.setup and self.ended is None:
            seconds = self.plan.handle_seconds
            handle = self._memories.keep(self.memory, seconds) if now else ""
            update = {"newHandle": handle, "resumable": True} if now else {}
            self.say(sessionResumptionUpdate=update)

    def _new_vad(self) -> EnergyVad:
        asked = self._detection()
        return EnergyVad(
            _HEARD.rate,
            threshold=_THRESHOLDS[
                asked.get("startOfSpeechSensitivity", "START_SENSITIVITY_HIGH")
            ],
            padding_ms=0,
            silence_ms=asked.get("silenceDurationMs", 500),
            speech_ms=asked.get("prefixPaddingMs", 60),
        )

    def _detection(self) -> dict[str, Any]:
        config = self.setup.get("realtimeInputConfig", {})
        found: dict[str, Any] = config.get("automaticActivityDetection", {})
        return found

    def _parts(self, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        content = message.get("serverContent", {}).get("modelTurn", {})
        return [part for part in content.get("parts", []) if "inlineData" in part]

    def _give_notice(self) -> None:
        self.say(goAway={"timeLeft": f"{self.plan.notice_seconds:g}s"})

    def _abort(self) -> None:
        self.break_off(_POLICY, "The operation was aborted.")

    def _let_go(self) -> None:
        if self.setup:
            self.memory.is_open = False


_DEEDS: Mapping[str, Callable[[Session, Any], None]] = {
    "setup": Session._set_up,
    "realtimeInput": Session._hear,
    "clientContent": Session._take_content,
    "toolResponse": Session._take_results,
}
