# -*- test-case-name: tests.slow.alignment -*-
"""The recording of a simulated call, held against what the simulator's ear heard.

The call goes on in virtual time. Everything between is the service's: dialect, inbound,
stream, schedule, recorder, files. What is compared is sound: each loud stretch that
the ear heard is looked for in the recording by cross-correlation. The ear hears it
after the simulated jitter buffer, 60 ms later than it was sent, and there it must lie.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from twisted.internet.defer import execute
from twisted.internet.task import Clock

from ..agents.agent import Agent
from ..audio import pcm
from ..audio.wav import read_wav
from ..calls.watcher import FlagWatcher
from ..formats import MULAW_8K
from ..interfaces import CallControl
from ..recording.local import LocalRecordings
from ..recording.parts import PartsHere
from ..simulator.script import HangUp, Say, Wait
from .virtual import FarEnd, advance, switchboard

__all__ = ["Alignment", "align"]

#: What the carrier's ear waits for late sound.
_JITTER_MS = 60
#: What is looked for at once, in milliseconds, and how far around its place.
_WINDOW_MS, _AROUND_MS = 400, 150

_Samples = NDArray[np.float64]


@frozen(kw_only=True)
class Alignment:
    """How far off each loud stretch lies, in milliseconds; later is above 0."""

    path: Path
    service_ms: list[float]
    caller_ms: list[float]


def align(folder: Path, *, delay: float = 0.0, stalls: bool = False) -> Alignment:
    """
    Let a call go on for a minute and a half, with interrupts in it, and measure.

    :param folder: where it is recorded.
    :param delay: how long each way takes, in seconds.
    :param stalls: whether the network and the reactor stall now and then.
    """
    call = _Call(folder, delay)
    call.go_on(stalls)
    (path,) = folder.rglob("*.wav")
    caller, service = read_wav(path).samples.T.astype(np.float64)
    return Alignment(
        path=path,
        service_ms=_offsets(service, call.far.journal.heard),
        caller_ms=_offsets(caller, call.far.journal.said),
    )


class _Talker(Agent):
    """An agent that says what it is told to."""

    def __init__(self) -> None:
        self.calls: list[CallControl] = []

    def call_started(self, call: CallControl) -> None:
        self.calls.append(call)


class _Call:
    """The service in virtual time, and the one call it has."""

    def __init__(self, folder: Path, delay: float) -> None:
        self.lot = Random(7)  # noqa: S311
        self.agent = _Talker()
        self.clock = Clock()
        self.recordings = LocalRecordings(self.clock, folder, execute, PartsHere())
        self.recordings.startService()
        self.switchboard = switchboard(
            self.clock, lambda: self.agent, observers=(self.recordings,)
        )
        self.watcher = FlagWatcher(self.clock, self.switchboard, (self.recordings,))
        self.watcher.startService()
        steps: list[Any] = [Wait(2000), Say(_noise(3000, 1)), Wait(4000)]
        steps += [Say(_noise(2500, 2)), Wait(70_000), Say(_noise(3000, 3)), HangUp()]
        self.far = FarEnd(
            self.clock, self.switchboard, steps, delay=delay, jitter_ms=_JITTER_MS
        )
        advance(self.clock, 0.004)

    def go_on(self, stalls: bool) -> None:
        """Let the agent say things, and be cut off now and then."""
        said, spoken_until = 0, 0.5
        for _period in range(85 * 50):
            advance(self.clock, 0.02)
            late = self.lot.random() < 0.004 and stalls
            self.far.tell(
                self.far.far.tick(self.far.now_ms()),
                self.lot.random() * 0.4 * late,
            )
            if not self.agent.calls or not self.switchboard:
                continue
            if self.clock.seconds() > spoken_until:
                said += 1
                spoken_until = self.say(said, self.agent.calls[0])
            if stalls and self.lot.random() < 0.002:
                self.clock.advance(self.lot.randrange(2, 8) * 0.02)
        advance(self.clock, 5)
        self.watcher.stopService()
        self.recordings.stopService()

    def say(self, number: int, call: CallControl) -> float:
        """Say something. :returns: when to say more."""
        length = self.lot.randrange(300, 5000)
        call.say(_noise(length, 100 + number))
        if number % 4 == 0:
            self.clock.callLater(length / 2000, call.interrupt, "speech")
        return self.clock.seconds() + length / 1000 + self.lot.random() * 2


def _noise(milliseconds: int, seed: int) -> bytes:
    """:returns: sound that correlates with nothing but itself."""
    samples = np.random.default_rng(seed).normal(0, 6000, milliseconds * 8)
    return pcm.encode(np.clip(samples, -32000, 32000).astype(np.int16), MULAW_8K)


def _offsets(side: _Samples, heard: bytearray) -> list[float]:
    """:returns: how far off each loud stretch of what was heard lies, in ms."""
    reference = pcm.decode(bytes(heard), MULAW_8K).astype(np.float64)
    size, around = _WINDOW_MS * 8, _AROUND_MS * 8
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
