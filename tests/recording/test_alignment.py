"""The recording of a simulated call, held against what the simulator's ear heard.

Everything between is ours: dialect, inbound, stream, schedule, recorder, files. What is
compared is sound: each tone burst that the ear heard is looked for in the recording by
cross-correlation. The ear hears a burst after the simulated jitter buffer, 60 ms later
than it was sent, and there it must lie in the recording.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from twisted.internet.defer import execute
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.calls.doubles import Exchange, Notebook, advance
from twistedvoice.audio import pcm
from twistedvoice.audio.wav import read_wav
from twistedvoice.carriers.twilio.dialect import TwilioDialect
from twistedvoice.events import Message
from twistedvoice.formats import MULAW_8K
from twistedvoice.interfaces import CallControl
from twistedvoice.recording.local import LocalRecordings
from twistedvoice.recording.parts import PartsHere
from twistedvoice.recording.sidecar import read_lines
from twistedvoice.simulator.caller import SimulatedCall
from twistedvoice.simulator.journal import Journal
from twistedvoice.simulator.script import HangUp, Say, Script, Wait
from twistedvoice.simulator.wire import StreamWriter

JITTER_MS = 60
#: What is looked for at once, in milliseconds, and how far around its place.
WINDOW_MS, AROUND_MS = 400, 150

Samples = NDArray[np.float64]


def noise(milliseconds: int, seed: int) -> bytes:
    """:returns: sound that correlates with nothing but itself."""
    samples = np.random.default_rng(seed).normal(0, 6000, milliseconds * 8)
    return pcm.encode(np.clip(samples, -32000, 32000).astype(np.int16), MULAW_8K)


class Simulation:
    """The simulator at the other end of a call, without a socket."""

    def __init__(self, exchange: Exchange, steps: list[Any], delay: float) -> None:
        self.exchange = exchange
        self.clock = exchange.clock
        self.delay = delay
        self.writable = True
        self.journal = Journal(call_id="CA" + "1" * 32)
        writer = StreamWriter(
            stream_id="MZ" + "1" * 32,
            call_id=self.journal.call_id,
            account_id="AC" + "1" * 32,
        )
        self.far = SimulatedCall(
            writer, Script(steps), self.journal, jitter_ms=JITTER_MS, max_ms=1e9
        )
        self.call: Any = exchange.switchboard.connect(self, TwilioDialect())
        self.started = self.clock.seconds()
        self.arrives = 0.0
        self.tell(self.far.start({}))

    def now_ms(self) -> float:
        """:returns: the age of the stream at the carrier."""
        return round((self.clock.seconds() - self.started) * 1e6) / 1000

    def tell(self, messages: list[str], late: float = 0.0) -> None:
        """Send messages to the service; they arrive in order."""
        self.arrives = max(self.arrives, self.clock.seconds() + self.delay + late)
        for message in messages:
            received = Message(message.encode(), False)
            self.later(self.arrives, partial(self.call_received, received))

    def call_received(self, message: Message) -> None:
        """The service reads a message."""
        self.call.inbound.message_received(message)

    def later(self, at: float, function: Callable[[], None]) -> None:
        """Do something at a time that may be now."""
        self.clock.callLater(max(0.0, at - self.clock.seconds()), function)

    # the transport of the call

    def frame(self, message: Message) -> bytes:
        return message.data

    def write(self, wire: bytes) -> None:
        self.later(
            self.clock.seconds() + self.delay,
            lambda: self.tell(self.far.receive(wire, False, self.now_ms())),
        )

    def close(self, reason: str) -> None:
        self.writable = False


class AlignmentTests(SynchronousTestCase):
    """Where things lie in the recording of a whole call."""

    def talk(self, *, delay: float = 0.0, stalls: bool = False) -> Path:
        """
        Let a call go on for a minute and a half, with interrupts in it.

        :returns: its recording.
        """
        self.lot = Random(7)
        self.agent = Notebook()
        self.calls: list[CallControl] = []
        self.patch(self.agent, "call_started", self.calls.append)
        clock = Clock()
        folder = Path(self.mktemp())
        recordings = LocalRecordings(clock, folder, execute, PartsHere())
        self.exchange = Exchange(
            agent=lambda: self.agent, clock=clock, observers=(recordings,)
        )
        recordings.startService()
        steps: list[Any] = [Wait(2000), Say(noise(3000, 1)), Wait(4000)]
        steps += [Say(noise(2500, 2)), Wait(70_000), Say(noise(3000, 3)), HangUp()]
        self.far = Simulation(self.exchange, steps, delay)
        self.exchange.advance(0.004)
        self.go_on(stalls)
        self.assertEqual(len(self.exchange.cdrs), 1)
        self.successResultOf(recordings.stopService())
        (path,) = folder.rglob("*.wav")
        return path

    def go_on(self, stalls: bool) -> None:
        """Let the agent say things, and be cut off now and then."""
        clock, said, spoken_until = self.exchange.clock, 0, 0.5
        for _period in range(85 * 50):
            advance(clock, 0.02)
            late = self.lot.random() < 0.004 and stalls
            self.far.tell(
                self.far.far.tick(self.far.now_ms()),
                self.lot.random() * 0.4 * late,
            )
            if not self.calls or not self.exchange.switchboard:
                continue
            if clock.seconds() > spoken_until:
                said += 1
                length = self.lot.randrange(300, 5000)
                self.calls[0].say(noise(length, 100 + said))
                spoken_until = clock.seconds() + length / 1000 + self.lot.random() * 2
                if said % 4 == 0:
                    clock.callLater(length / 2000, self.calls[0].interrupt, "speech")
            if stalls and self.lot.random() < 0.002:
                clock.advance(self.lot.randrange(2, 8) * 0.02)
        advance(clock, 5)

    def offsets(self, side: Samples, heard: bytearray) -> list[float]:
        """:returns: how far off each loud stretch of what was heard lies, in ms."""
        reference = pcm.decode(bytes(heard), MULAW_8K).astype(np.float64)
        size, around = WINDOW_MS * 8, AROUND_MS * 8
        found: list[float] = []
        for start in range(around, len(reference) - size - around, size // 2):
            piece = reference[start : start + size]
            if np.mean(np.abs(piece) > 500) < 0.85:
                continue
            near = side[start - around : start + size + around]
            if len(near) == size + 2 * around:
                products = np.correlate(near, piece, "valid")
                found.append((int(np.argmax(products)) - around) / 8)
        return found

    def assert_aligned(self, path: Path, at_least: int) -> None:
        """Both sides lie where the simulator had them, within a frame."""
        caller, service = read_wav(path).samples.T.astype(np.float64)
        journal = self.far.journal
        heard = self.offsets(service, journal.heard)
        said = self.offsets(caller, journal.said)
        self.assertGreater(len(heard), at_least)
        self.assertGreater(len(said), 30)
        self.assertLess(max(map(abs, heard)), 20, heard)
        self.assertLess(max(map(abs, said)), 1, said)

    def test_near(self) -> None:
        """A carrier without a way to go: what is heard lies where it is heard."""
        path = self.talk()
        self.assert_aligned(path, 100)
        kinds = [line["kind"] for line in read_lines(path.with_suffix(".jsonl"))]
        self.assertIn("clear", kinds)
        self.assertIn("said", kinds)

    def test_far(self) -> None:
        """A way of 50 ms each way changes nothing, on the carrier's clock."""
        self.assert_aligned(self.talk(delay=0.05), 100)

    def test_stalls(self) -> None:
        """Neither do stalls of the network and of the reactor."""
        self.assert_aligned(self.talk(stalls=True), 100)
