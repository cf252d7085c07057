"""A call with the cascade that hears and speaks on its own machine, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import maybeDeferred

from tests.agents.dialogues import speech
from tests.agents.model.talk import RemoteCase
from tests.speech.engines import EngineReactor, FakeProcess
from twistedvoice.agents.cascade.agent import Cascade
from twistedvoice.agents.cascade.options import Options, read_options
from twistedvoice.agents.cascade.services import Services
from twistedvoice.agents.workshop import Surroundings
from twistedvoice.audio import pcm
from twistedvoice.doubles.chat import ChatReply
from twistedvoice.doubles.voice import tones
from twistedvoice.formats import AudioFormat
from twistedvoice.interfaces import AgentFactory
from twistedvoice.speech.wire import Message

from .talk import Talk, sound_of

__all__ = ["WHISTLE", "LocalCase", "LocalEngines", "LocalTalk"]

#: What every detector takes for speech.
WHISTLE = speech(0.9)


class LocalEngines(EngineReactor):
    """Starts processes that hear what they are told to, and speak in tones."""

    def __init__(self) -> None:
        super().__init__()
        #: What is understood, in order; then nothing is.
        self.hears: list[str] = []
        self.hearing_seconds = 0.3
        #: The roles that take their work, and say nothing.
        self.stuck: set[str] = set()

    def newest(self, role: str) -> FakeProcess:
        """:returns: the process that has ``role`` now."""
        found = [each for each in self.processes if each.words[-1] == role]
        return found[-1]

    def told(self, process: FakeProcess, message: Message) -> None:
        kind = (process.words[-1], message.kind)
        if message.kind == b"S":
            self.callLater(0.2, self._answer, process, b"R", 0, b"")
        elif process.words[-1] in self.stuck:
            return
        elif kind == ("transcribe", b"W"):
            words = self.hears.pop(0) if self.hears else ""
            self.callLater(
                *(self.hearing_seconds, self._answer, process),
                *(b"W", message.job, words.encode()),
            )
        elif kind == ("speak", b"B"):
            self.callLater(0.02, self._speak, process, message)

    def _speak(self, process: FakeProcess, message: Message) -> None:
        wanted = json.loads(message.body)
        form = AudioFormat(wanted["encoding"], wanted["rate"])
        sound = pcm.encode(tones(wanted["text"], form.rate), form)
        self._answer(process, b"A", message.job, sound)
        self._answer(process, b"D", message.job, b"")

    def _answer(self, process: FakeProcess, kind: bytes, job: int, body: bytes) -> None:
        if not process.protocol.is_gone:
            process.answer(kind, job, body)


class LocalTalk(Talk):
    """One call; what is understood of the caller are its transcripts."""

    def __init__(
        self,
        *replies: ChatReply,
        clock: LocalEngines | None = None,
        transcripts: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """:param options: that are not the usual ones."""
        self.engines = clock or LocalEngines()
        self.engines.hears += transcripts
        local = {"hearing": "whisper", "speaking": "local"}
        self._options = local | dict(options or {})
        super().__init__(*replies, clock=self.engines, **more)
        self.house: Services
        surroundings = Surroundings(
            reactor=self.engines, defer_to_thread=maybeDeferred, cache=None
        )
        self.opened = self.house.open_workshop(surroundings)
        self.engines.advance(0.2)

    def factory(
        self, agent: type[Cascade], settings: Mapping[str, object]
    ) -> AgentFactory:
        options: Options = evolve(read_options(settings, Path()), **self._options)
        return Services(agent, options)

    def speak(self, seconds: float = 0.0) -> None:
        self.call.hear(WHISTLE + b"\xff" * 6400)
        self.call.advance(seconds)

    def says(self, words: str, seconds: float = 0.0) -> None:
        self.engines.hears.append(words)
        self.speak(seconds)

    def heard(self) -> bytes:
        told = self.engines.newest("transcribe").told
        return b"".join(message.body for message in told if message.kind == b"A")

    def spoken(self) -> list[str]:
        """:returns: each text that was to be spoken, by any process."""
        return [
            json.loads(message.body)["text"]
            for process in self.engines.processes
            for message in process.told
            if process.words[-1] == "speak" and message.kind == b"B"
        ]


class LocalCase(RemoteCase):
    """Calls that need no one but the model."""

    talk_class, reply = LocalTalk, ChatReply

    def sound_of(self, text: str) -> bytes:
        return sound_of(text)

    def sessions(self, talk: LocalTalk) -> Sequence[Any]:
        return [*talk.deepgram.sessions, *talk.cartesia.sessions]

    def assert_clean(self, talk: LocalTalk) -> None:
        self.successResultOf(talk.opened)
        super().assert_clean(talk)
        self.assertEqual(talk.chat.problems, [])
        closing = talk.house.close_workshop()
        for process in talk.engines.processes:
            if not process.protocol.is_gone:
                process.die()
        self.successResultOf(closing)
