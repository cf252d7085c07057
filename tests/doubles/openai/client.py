"""A plain client of the double, for its tests: it shares nothing with the agent."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.internet.task import Clock

from twistedvoice.audio import pcm
from twistedvoice.doubles.network import MemoryNetwork
from twistedvoice.doubles.openai.plan import Plan
from twistedvoice.doubles.openai.service import OpenAiDouble
from twistedvoice.doubles.openai.session import Session
from twistedvoice.doubles.voice import tones
from twistedvoice.events import Message
from twistedvoice.formats import MULAW_8K
from twistedvoice.sockets import Socket, SocketRequest

__all__ = ["PCMU", "SPEECH", "Client", "pass_time"]

URL = "ws://double/v1/realtime?model=gpt-realtime"
#: How a caller sounds who says three words, in mu-law: 900 ms.
SPEECH = pcm.encode(tones("one two three", 8000), MULAW_8K)
PCMU = {"format": {"type": "audio/pcmu"}}


def pass_time(clock: Clock, seconds: float) -> None:
    """Let time pass in steps of 10 ms."""
    for _ in range(round(seconds * 100)):
        clock.advance(0.01)


class Client:
    """One client of a double in memory; ``events`` are what the double said."""

    def __init__(self, **plan: Any) -> None:
        self.clock = Clock()
        self.plan = Plan(**plan)
        self.double = OpenAiDouble(self.clock, self.plan)
        self.network = MemoryNetwork(self.clock, self.double)
        self.events: list[dict[str, Any]] = []
        self.garbage: list[Message] = []
        self.ends: list[int] = []
        self._socket: Socket

    def open(self, *, key: str = "sk-double", url: str = URL) -> Session:
        """:returns: the session at the double's side."""
        headers = {"Authorization": f"Bearer {key}"}
        opening = self.network(SocketRequest(url=url, headers=headers), self)
        opening.addCallback(lambda socket: setattr(self, "_socket", socket))
        self.clock.advance(0)
        return self.double.session

    def received(self, message: Message) -> None:
        try:
            self.events.append(json.loads(message.data))
        except ValueError:
            self.garbage.append(message)

    def lost(self, code: int, reason: str) -> None:
        self.ends.append(code)

    def tell(self, kind: str, **fields: object) -> None:
        """Send an event."""
        self.tell_raw(json.dumps({"type": kind, **fields}).encode())

    def tell_raw(self, data: bytes, *, binary: bool = False) -> None:
        """Send anything."""
        self._socket.send(Message(data, binary))
        self.clock.advance(0)

    def speak(self, sound: bytes = SPEECH, silence_seconds: float = 0.8) -> None:
        """The caller speaks, and is quiet then, frame by frame."""
        sound += b"\xff" * int(silence_seconds * 8000)
        for start in range(0, len(sound), 160):
            frame = base64.b64encode(sound[start : start + 160]).decode()
            self.tell("input_audio_buffer.append", audio=frame)
            pass_time(self.clock, 0.02)

    def hang_up(self) -> None:
        """Close the socket."""
        self._socket.close()

    def kinds(self) -> list[str]:
        """:returns: the types of all events, once for those that repeat."""
        names = [event["type"] for event in self.events]
        return [name for n, name in enumerate(names) if names[n - 1 : n] != [name]]

    def all(self, kind: str) -> list[dict[str, Any]]:
        """:returns: every event of a type."""
        return [event for event in self.events if event["type"] == kind]

    def sound(self) -> bytes:
        """:returns: all that was said."""
        deltas = self.all("response.output_audio.delta")
        return b"".join(base64.b64decode(each["delta"]) for each in deltas)
