# -*- test-case-name: tests.bench.test_interrupts -*-
"""``twistedvoice bench interrupts``: how fast a call falls silent, and what was heard.

A caller speaks into every answer of the double of OpenAI, at moments drawn by lot. Each
answer is made of one byte, so that the ear can tell them apart: how much of it the ear
has heard is compared with what the API was told. All is in virtual time, and the same
on every machine, but for what the work between costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

import numpy as np
from attrs import Factory, define
from twisted.internet.task import Clock

from ..agents.agent import Agent
from ..agents.model.events import Event, SpeechStarted
from ..agents.model.factory import Model
from ..agents.openai.agent import OpenAi
from ..agents.outside import Outside
from ..audio import pcm
from ..audio.pcm import Samples
from ..calls.watcher import FlagWatcher
from ..doubles.network import MemoryNetwork
from ..doubles.openai.plan import Plan
from ..doubles.openai.service import PATH, OpenAiDouble
from ..doubles.voice import tones
from ..formats import FRAME_MS, MULAW_8K
from ..interfaces import AgentFactory, CallControl
from ..simulator.script import Say, Step, Wait
from ..speech.bargein import BargeIn, BargeInRules
from ..speech.recital import Recital
from ..table import Table
from .virtual import FarEnd, advance, switchboard

__all__ = [
    "Interrupted",
    "fade",
    "interrupt",
    "interrupted",
    "interrupts_table",
    "wrong",
]

#: One way of a long line, in seconds, and how much less is done there.
_FAR, _FAR_SHARE = 0.08, 5

#: [BI-1]: from the interrupt to silence, beside the way to the ear.
_MOST_SILENCE_MS = 40.0
#: What answers are made of, one byte each; none is silence.
_BYTES = range(1, 120)
_SETTINGS: dict[str, object] = {"silence_ms": 100, "transcription": ""}
_ACCOUNTS = {"openai.url": f"ws://double{PATH}", "openai.api_key": Plan().key}
_SPEECH_MS = 100


@define
class Interrupted:
    """What became of one call's interrupts."""

    delay_ms: float
    #: How much more of each answer the API thinks was heard than the ear has heard;
    #: empty where nobody is told.
    errors_ms: list[float] = Factory(list)
    #: When the service was told that the caller speaks, and fell silent.
    at_ms: list[float] = Factory(list)
    #: From then to the clear on the wire, in microseconds of this machine, where that
    #: came in the same turn of the reactor.
    clear_us: list[float] = Factory(list)
    #: From then to the last sound at the ear.
    silence_ms: list[float] = Factory(list)


class _Ear(FarEnd):
    """The far end, which notes when a clear is written."""

    cleared_at = 0.0

    def write(self, wire: bytes) -> None:
        if b'"event":"clear"' in wire:
            self.cleared_at = perf_counter()
        super().write(wire)


class _Scene:
    """One call in virtual time, and what becomes of its interrupts."""

    def __init__(self, delay: float) -> None:
        self.lot = Random(7)  # noqa: S311
        self.clock = Clock()
        self.found = Interrupted(delay_ms=delay * 1000)
        self.ear: _Ear
        self._delay = delay
        self._heard_to = 0

    def call(self, make_agent: AgentFactory, steps: Sequence[Step]) -> None:
        """Begin the call."""
        service = switchboard(self.clock, make_agent)
        FlagWatcher(self.clock, service, ()).startService()
        self.ear = _Ear(self.clock, service, steps, delay=self._delay, jitter_ms=0)

    def watch(self, call: CallControl, interrupt: Callable[[], object]) -> None:
        """Do what may interrupt the call, and see when the clear was written."""
        spoke, began = call.is_playing, perf_counter()
        interrupt()
        if spoke:
            self.found.at_ms.append(self.ear.now_ms())
        if spoke and self.ear.cleared_at >= began:
            self.found.clear_us.append((self.ear.cleared_at - began) * 1e6)

    def go_on(self, milliseconds: int) -> None:
        """Let so many frames pass, and a little time beside them."""
        advance(self.clock, self.lot.randrange(FRAME_MS) / 1000)
        for _ in range(milliseconds // FRAME_MS):
            advance(self.clock, FRAME_MS / 1000)
            self.ear.tell(self.ear.far.tick(self.ear.now_ms()))

    def heard(self) -> bytes:
        """:returns: what the ear has heard since the last time."""
        start, self._heard_to = self._heard_to, len(self.ear.journal.heard)
        return bytes(self.ear.journal.heard[start:])

    def end(self) -> Interrupted:
        """:returns: what was found, with when the ear heard the last of each."""
        played = np.array([*self.ear.journal.played, (1e12, 1e12)])
        for at_ms in self.found.at_ms:
            # What began later is said after it.
            before = played[:, 0] <= at_ms + self.found.delay_ms + FRAME_MS + 1
            last_ms = float(played[before, 1].max(initial=at_ms))
            self.found.silence_ms.append(last_ms - at_ms)
        return self.found


def interrupted(times: int) -> dict[str, Interrupted]:
    """:returns: what becomes of so many interrupts, by who is interrupted and where."""
    fewer = max(1, times // _FAR_SHARE)
    return {
        "model, no delay": interrupt(times),
        "model, 80 ms each way": interrupt(fewer, _FAR),
        "gate, no delay": fade(times),
        "gate, 80 ms each way": fade(fewer, _FAR),
    }


def interrupt(times: int, delay: float = 0.0) -> Interrupted:
    """
    Let a model speak, and speak into it.

    :param delay: how long each way of the line takes, in seconds.
    """
    return _Model(delay).interrupted(times)


class _Model(_Scene):
    """The call is answered by a model."""

    def __init__(self, delay: float) -> None:
        super().__init__(delay)
        #: How long each answer is, and how much of it the ear has heard, in bytes.
        self._sizes: list[int] = []
        self._heard: Counter[int] = Counter()
        self._double = OpenAiDouble(self.clock, Plan(voice=self._voice))
        self._rest_ms = 160 + FRAME_MS * round(2000 * delay / FRAME_MS)

    def interrupted(self, times: int) -> Interrupted:
        """Interrupt so often."""
        speech = pcm.encode(tones("now", MULAW_8K.rate), MULAW_8K)
        speech = speech[: MULAW_8K.bytes_in(_SPEECH_MS * 1000)]
        waits = [FRAME_MS * self.lot.randrange(1, 75) for _ in range(times)]
        steps = [
            step
            for wait_ms in waits
            for step in (Wait(wait_ms), Say(speech), Wait(self._rest_ms))
        ]
        self.call(self._factory(), steps)
        for wait_ms in waits:
            self.go_on(wait_ms + _SPEECH_MS + self._rest_ms)
            self._listen(self.heard())
        items = self._double.session.conversation.items
        cuts = [i.truncated_ms for i in items if i.body.get("role") == "assistant"]
        # The last one is still being said.
        for n, cut in enumerate(cuts[:-1]):
            told_ms = self._sizes[n] / 8 if cut is None else cut
            self.found.errors_ms.append(told_ms - self._heard[n] / 8)
        return self.end()

    def _factory(self) -> Model:
        scene = self

        class Watched(OpenAi):
            def model_told(self, event: Event) -> None:
                tell = partial(super().model_told, event)
                if isinstance(event, SpeechStarted):
                    scene.watch(self.call, tell)
                else:
                    tell()

        model = Watched.configure(_SETTINGS, Path())
        assert isinstance(model, Model)
        dial = MemoryNetwork(self.clock, self._double)
        model.connect(Outside(clock=self.clock, dial=dial, accounts=_ACCOUNTS))
        return model

    def _voice(self, text: str, rate: int) -> Samples:
        byte = _BYTES[len(self._sizes) % len(_BYTES)]
        size = self.lot.randrange(4000, 16_000)
        self._sizes.append(size)
        return pcm.decode(bytes([byte]) * size, MULAW_8K)

    def _listen(self, heard: bytes) -> None:
        last = len(self._sizes) - 1
        for byte, size in Counter(heard).items():
            if byte in _BYTES:
                # The newest answer that is made of it.
                self._heard[last - (last - _BYTES.index(byte)) % len(_BYTES)] += size


def fade(times: int, delay: float = 0.0) -> Interrupted:
    """Have the gate of an agent that listens itself cut off what it says, fading."""
    scene = _Scene(delay)
    speaker = _Speaker()
    scene.call(lambda: speaker, [Wait(2**31)])
    scene.go_on(200 + round(2000 * delay))
    for _ in range(times):
        speaker.recital.say(b"\x10" * MULAW_8K.bytes_in(2_000_000))
        scene.go_on(FRAME_MS * scene.lot.randrange(5, 75))
        scene.watch(speaker.call, speaker.gate.speech_started)
        scene.go_on(200 + round(2000 * delay))
        speaker.gate.speech_ended(understood=True, spoken_ms=1000)
    return scene.end()


class _Speaker(Agent):
    """An agent with a gate."""

    recital: Recital
    gate: BargeIn

    def call_started(self, call: CallControl) -> None:
        self.recital = Recital(call)
        self.gate = BargeIn(call, self.recital, BargeInRules())


def interrupts_table(found: Mapping[str, Interrupted]) -> Table:
    """:returns: a row for each call."""
    columns = (
        "who is cut off", "cut off", "in the same turn", "clear us p50", "p99",
        "silence ms p50", "most", "heard: off by ms",
    )  # fmt: skip
    rows = tuple((name, *_figures(each)) for name, each in found.items())
    return Table(title="The caller interrupts", columns=columns, rows=rows)


def _figures(found: Interrupted) -> Sequence[str]:
    clear_us = np.percentile(found.clear_us or [np.nan], (50, 99))
    silence_ms = np.percentile(found.silence_ms or [np.nan], (50, 100))
    return (
        f"{len(found.at_ms)}",
        f"{len(found.clear_us)}",
        *(f"{us:.0f}" for us in clear_us),
        *(f"{ms:.0f}" for ms in silence_ms),
        f"{max(map(abs, found.errors_ms)):.1f}" if found.errors_ms else "-",
    )


def wrong(found: Mapping[str, Interrupted]) -> list[str]:
    """:returns: a sentence on each figure that is not as it should be."""
    problems = []
    for name, each in found.items():
        most_ms = each.delay_ms + FRAME_MS if each.delay_ms else 1.0
        if len(each.clear_us) < len(each.at_ms):
            problems.append(f"{name}: a clear did not come in the same turn")
        if max(each.silence_ms, default=0.0) > _MOST_SILENCE_MS + each.delay_ms + 1:
            problems.append(f"{name}: the ear went on hearing what was cut off")
        if max(map(abs, each.errors_ms), default=0.0) > most_ms:
            problems.append(
                f"{name}: the model was told of more or less than was heard"
            )
    return problems
