"""A plain client of the double, for its tests: it shares nothing with the agent."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.internet.task import Clock

from twistedvoice.doubles.gemini.plan import Plan
from twistedvoice.doubles.gemini.service import PATH, GeminiDouble
from twistedvoice.doubles.gemini.session import Session
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.voice import tones
from twistedvoice.events import Message
from twistedvoice.sockets import Socket, SocketRequest

__all__ = ["SETUP", "SPEECH", "URL", "Client"]

URL = f"wss://double{PATH}"
SETUP: dict[str, Any] = {
    "model": "models/gemini-live",
    "generationConfig": {"responseModalities": ["AUDIO"]},
    "sessionResumption": {},
    "inputAudioTranscription": {},
    "outputAudioTranscription": {},
}
#: How a caller sounds who says three words, at 16 kHz.
SPEECH = tones("one two three", 16000).astype("<i2").tobytes()


class Client:
    """One client of a double in memory; ``messages`` are what the double said."""

    def __init__(self, **plan: Any) -> None:
        self.clock = Clock()
        self.plan = Plan(**plan)
        self.double = GeminiDouble(self.clock, self.plan)
        self.network = MemoryNetwork(self.clock, self.double)
        self.messages: list[dict[str, Any]] = []
        self.kinds: list[bool] = []
        self.ends: list[tuple[int, str]] = []
        self._sockets: list[Socket] = []

    def open(self, key: str = "gemini-double", **setup: Any) -> Session:
        """:returns: the session at the double's side, set up."""
        self.dial(key)
        self.tell(setup={**SETUP, **setup})
        return self.double.session

    def dial(self, key: str = "gemini-double") -> None:
        """Open a socket, and say nothing."""
        request = SocketRequest(url=URL, headers={"X-Goog-Api-Key": key})
        opening = self.network(request, self)
        opening.addCallback(self._sockets.append)
        self.clock.advance(0)

    def received(self, message: Message) -> None:
        self.kinds.append(message.binary)
        self.messages.append(json.loads(message.data))

    def lost(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))

    def tell(self, **message: object) -> None:
        """Send a message."""
        self.tell_raw(json.dumps(message).encode())

    def tell_raw(self, data: bytes) -> None:
        """Send anything."""
        self._sockets[-1].send(Message(data, False))
        self.clock.advance(0)

    def ask(self, seconds: float = 5.0) -> None:
        """Say something in writing."""
        self.tell(realtimeInput={"text": "Hello?"})
        self.wait(seconds)

    def speak(self, silence_seconds: float = 0.8) -> None:
        """The caller speaks, and is quiet then, frame by frame."""
        sound = SPEECH + bytes(int(silence_seconds * 32000))
        for start in range(0, len(sound), 640):
            self.hear(sound[start : start + 640])
            self.wait(0.02)

    def hear(self, frame: bytes, mime: str = "audio/pcm;rate=16000") -> None:
        """Send sound."""
        data = base64.b64encode(frame).decode()
        self.tell(realtimeInput={"audio": {"data": data, "mimeType": mime}})

    def wait(self, seconds: float) -> None:
        """Let time pass in steps of 10 ms."""
        for _ in range(round(seconds * 100)):
            self.clock.advance(0.01)

    def hang_up(self) -> None:
        """Close all sockets."""
        for socket in self._sockets:
            socket.close()

    def said(self, *names: str) -> list[Any]:
        """:returns: what stands at a path in all messages that have it."""
        found: list[Any] = self.messages
        for name in names:
            found = [each[name] for each in found if name in each]
        return found

    def sound(self) -> bytes:
        """:returns: all that was said, at 24 kHz."""
        turns = self.said("serverContent", "modelTurn", "parts")
        parts = [part["inlineData"] for parts in turns for part in parts]
        return b"".join(base64.b64decode(part["data"]) for part in parts)

    def order(self) -> list[str]:
        """:returns: what came, in order, once for what repeats."""
        names = [
            name
            for message in self.messages
            for kind, body in message.items()
            if kind != "usageMetadata"
            for name in (body if kind == "serverContent" else [kind])
        ]
        return [name for n, name in enumerate(names) if names[n - 1 : n] != [name]]
