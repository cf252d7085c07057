"""A small dialogue, and engines that hear and say what a test wants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed

from twistedvoice.agents.actions import GoTo, HangUp, Repeat, Transfer
from twistedvoice.agents.dialogue import Choices, Dialogue, Digits, State
from twistedvoice.agents.local import Local
from twistedvoice.agents.localhouse import LocalHouse
from twistedvoice.agents.voicing import Voicing
from twistedvoice.audio import pcm
from twistedvoice.errors import EngineError
from twistedvoice.formats import MULAW_8K, AudioFormat
from twistedvoice.speech.bargein import BargeInRules

__all__ = ["DIALOGUE", "FakeEngines", "FakeHearing", "house", "speech"]


def _state(say: str, **more: object) -> State:
    wanted: dict[str, object] = {
        "on_timeout": HangUp(),
        "on_invalid": Transfer("+15550100"),
        "repeats": 1,
    }
    return State(say=say, **{**wanted, **more})  # type: ignore[arg-type]


DIALOGUE = Dialogue(
    start="main",
    intents={
        "hours": ["opening hours"],
        "book": ["an appointment"],
        "bye": ["goodbye"],
        "again": ["repeat that"],
    },
    anywhere={"bye": HangUp(), "again": Repeat()},
    greeting="Welcome.",
    sorry="Sorry.",
    goodbye="Goodbye.",
    states={
        "main": _state(
            "Main.",
            on={"hours": GoTo("hours"), "book": GoTo("day")},
            keys={"1": GoTo("hours")},
        ),
        "hours": _state("Hours.", then=GoTo("main")),
        "day": _state(
            "Day.",
            ask=Choices(
                slot="day",
                phrases={"Monday": ["monday"], "Friday": ["friday"]},
                then=GoTo("code"),
            ),
        ),
        "code": _state(
            "Code for {day}.",
            ask=Digits(slot="code", least=2, most=3, then=GoTo("check")),
            barge_in=False,
        ),
        "check": _state("{code}?", on={"yes": HangUp(), "no": GoTo("code")}),
    },
)


def speech(seconds: float = 1.0) -> bytes:
    """:returns: what every detector takes for speech, without a pause: a whistle."""
    samples = np.sin(np.arange(round(8000 * seconds)) * np.pi / 4) * 8000
    return pcm.encode(samples.astype(np.int16), MULAW_8K)


@define
class FakeHearing:
    """One speech; :meth:`understand` says what the engine found."""

    grammar: str
    heard: bytearray = field(factory=bytearray)
    is_closed: bool = False
    _asked: Deferred[str] | None = None

    def write(self, audio: bytes) -> None:
        """Hear more."""
        self.heard += audio

    def words(self) -> Deferred[str]:
        """:returns: fires when the test says so."""
        self._asked = Deferred()
        return self._asked

    def close(self) -> None:
        """Not wanted any more."""
        self.is_closed = True

    @property
    def is_asked(self) -> bool:
        """Whether words are wanted."""
        return self._asked is not None

    def understand(self, words: str) -> None:
        """The engine has found these words."""
        assert self._asked is not None
        asked, self._asked = self._asked, None
        asked.callback(words)

    def die(self) -> None:
        """The engine is gone."""
        assert self._asked is not None
        self._asked.errback(EngineError("dead"))


@define
class FakeEngines:
    """Says each text as that many frames of its first letter's code."""

    hearings: list[FakeHearing] = field(factory=list)
    spoken: list[str] = field(factory=list)
    is_dead: bool = False

    def hear(self, grammar: str, sound: AudioFormat) -> FakeHearing:
        """Somebody begins to speak."""
        if self.is_dead:
            raise EngineError("dead")
        self.hearings.append(FakeHearing(grammar))
        return self.hearings[-1]

    def speak(
        self, text: str, sound: AudioFormat, heard: Callable[[bytes], object]
    ) -> Deferred[None]:
        """Say ``text``, at once: a second of it."""
        if self.is_dead:
            return fail(EngineError("dead"))
        self.spoken.append(text)
        heard(text[0].encode() * sound.bytes_per_second)
        return succeed(None)


def house(
    dialogue: Dialogue = DIALOGUE, agent: type[Local] = Local
) -> tuple[LocalHouse, FakeEngines]:
    """:returns: a house whose engines are these."""
    made = LocalHouse(dialogue, agent=agent, barge_in=BargeInRules(fade_ms=0))
    engines = FakeEngines()
    made.engines = engines  # type: ignore[assignment]
    made.voicing = Voicing(made.engines)
    return made, engines
