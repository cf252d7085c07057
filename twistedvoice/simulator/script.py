# -*- test-case-name: tests.simulator.test_script -*-
"""What the caller does: a list of steps, played one 20 ms frame at a time.

A step is an object with ``perform``: a generator that gives one frame of the caller's
sound for each 20 ms it lasts, and looks at the :class:`Scene` for what the ear hears.
The simulated call draws the frames; steps know no clock and no wire.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from attrs import field, frozen

from ..audio import wav
from ..formats import FRAME_MS, MULAW_8K

__all__ = [
    "AwaitSilence",
    "AwaitSpeech",
    "HangUp",
    "Interrupt",
    "Press",
    "Say",
    "Scene",
    "Script",
    "Step",
    "Wait",
    "plain_steps",
    "say_file",
]

_FRAME = MULAW_8K.frame_bytes
_SILENCE = MULAW_8K.silence(_FRAME)
#: A pressed key and the pause before the next.
_KEY_MS = 240
#: How long the caller of a plain call waits for the service to begin to speak.
_PATIENCE_MS = 3000


class Scene(Protocol):
    """What a step perceives and does besides making sound."""

    @property
    def hears_speech(self) -> bool:
        """Whether the service speaks to the ear right now."""

    def press(self, digit: str) -> None:
        """Press one key."""

    def hang_up(self) -> None:
        """End the call."""

    def note(self, kind: str, detail: str = "") -> None:
        """Write into the journal, at this moment."""


class Step(Protocol):
    """One thing the caller does."""

    #: Whether the call is not complete without it; waiting may be cut short.
    is_act: ClassVar[bool]

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """:returns: the caller's sound, a frame of 160 bytes for each 20 ms."""


@frozen
class Say:
    """Speak."""

    is_act: ClassVar[bool] = True
    #: Mu-law at 8 kHz.
    audio: bytes = field(repr=False)
    #: What the journal calls it.
    name: str = ""

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Speak to the end, whatever the service does."""
        scene.note("saying", self.name)
        for start in range(0, len(self.audio), _FRAME):
            yield self.audio[start : start + _FRAME].ljust(_FRAME, b"\xff")


@frozen
class Press:
    """Press keys, one after the other."""

    is_act: ClassVar[bool] = True
    digits: str = field(repr=False)

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Press each key, and pause before the next; done with the last one."""
        for place, digit in enumerate(self.digits):
            if place:
                yield from _silence(_KEY_MS)
            scene.press(digit)


@frozen
class Wait:
    """Keep silent for some milliseconds."""

    is_act: ClassVar[bool] = False
    ms: int

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Keep silent."""
        yield from _silence(self.ms)


@frozen
class AwaitSpeech:
    """Keep silent until the service speaks; at most ``patience_ms``."""

    is_act: ClassVar[bool] = False
    patience_ms: int = 10_000

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Wait; done at once when it speaks already."""
        yield from _until(lambda: scene.hears_speech, self.patience_ms, scene, "speech")


@frozen
class AwaitSilence:
    """Keep silent until the service has finished; at most ``patience_ms``."""

    is_act: ClassVar[bool] = False
    patience_ms: int = 60_000

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Wait; done at once when it does not speak."""
        yield from _until(
            lambda: not scene.hears_speech, self.patience_ms, scene, "silence"
        )


@frozen
class Interrupt:
    """Let the service speak for ``after_ms``, then speak over it."""

    is_act: ClassVar[bool] = True
    #: Mu-law at 8 kHz.
    audio: bytes = field(repr=False)
    after_ms: int = 1000
    #: What the journal calls it.
    name: str = ""

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """Speak in any case, even when the service never does."""
        yield from AwaitSpeech().perform(scene)
        yield from _silence(self.after_ms)
        scene.note("interrupting")
        yield from Say(self.audio, self.name).perform(scene)


@frozen
class HangUp:
    """End the call."""

    is_act: ClassVar[bool] = False

    def perform(self, scene: Scene) -> Iterator[bytes]:
        """End the call; nothing follows."""
        scene.hang_up()
        yield from ()


class Script:
    """
    The steps of one call, used once.

    After the last step the caller stays on the line, silent; ``HangUp`` ends a call.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = deque(steps)

    @property
    def is_done(self) -> bool:
        """Whether the caller has done all that the call is about."""
        return not any(step.is_act for step in self._steps)

    def frames(self, scene: Scene) -> Iterator[bytes]:
        """:returns: the caller's sound, without end."""
        while self._steps:
            yield from self._steps[0].perform(scene)
            self._steps.popleft()
        while True:
            yield _SILENCE


def say_file(path: Path | str) -> Say:
    """
    Read a WAV file, of any kind that can be read, to speak it.

    Blocks, so done before a call.

    :raises AudioFormatError: when the file holds no sound that can be read.
    :raises OSError: when there is no such file.
    """
    return Say(wav.load(path, MULAW_8K), Path(path).name)


def plain_steps(say: Say | None, digits: str) -> tuple[Step, ...]:
    """
    What a caller with manners does: hear the greeting out, speak, hear the answer,
    press the keys, hear the answer, hang up.
    """
    listen: tuple[Step, ...] = (AwaitSpeech(_PATIENCE_MS), AwaitSilence())
    steps = listen
    if say is not None:
        steps += (say, *listen)
    if digits:
        steps += (Press(digits), *listen)
    return (*steps, HangUp())


def _silence(duration_ms: int) -> Iterator[bytes]:
    for _ in range(0, duration_ms, FRAME_MS):
        yield _SILENCE


def _until(
    happens: Callable[[], bool], patience_ms: int, scene: Scene, what: str
) -> Iterator[bytes]:
    for _ in range(0, patience_ms, FRAME_MS):
        if happens():
            return
        yield _SILENCE
    if not happens():
        scene.note("gave_up", what)
