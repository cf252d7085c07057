"""Engine processes that are none: a test says what they do, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from twistedvoice.speech.wire import Message, Unpacker, pack

__all__ = ["EngineReactor", "FakeProcess"]


@define(eq=False)
class FakeProcess:
    """One process as its parent holds it."""

    protocol: Any
    words: Sequence[str]
    environ: Mapping[str, str]
    on_told: Callable[[FakeProcess, Message], None]
    told: list[Message] = field(factory=list)
    events: list[str] = field(factory=list)
    _unpacker: Unpacker = field(factory=Unpacker)

    def write(self, data: bytes) -> None:
        """The parent writes."""
        for message in self._unpacker.feed(data):
            self.told.append(message)
            self.on_told(self, message)

    def closeStdin(self) -> None:
        """The parent wants it to end."""
        self.events.append("closed")

    def signalProcess(self, name: str) -> None:
        """The parent sends a signal."""
        self.events.append(name)

    def answer(self, kind: bytes, job: int = 0, body: bytes = b"") -> None:
        """The process writes."""
        self.protocol.outReceived(pack(kind, job, body))

    def die(self) -> None:
        """The process is gone."""
        self.protocol.processEnded(Failure(ProcessDone(0)))


class EngineReactor(Clock):
    """A clock that starts processes."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []

    def told(self, process: FakeProcess, message: Message) -> None:
        """A process was told something; one that answers by itself derives this."""

    def spawnProcess(
        self,
        protocol: ProcessProtocol,
        executable: str,
        args: Sequence[str],
        env: Mapping[str, str],
        childFDs: Mapping[int, object],
    ) -> None:
        """Start nothing, and write it down."""
        process = FakeProcess(protocol, args, env, self.told)
        self.processes.append(process)
        protocol.transport = process  # type: ignore[assignment]
        protocol.connectionMade()
