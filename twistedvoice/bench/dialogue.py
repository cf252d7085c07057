# -*- test-case-name: tests.bench.test_dialogue -*-
"""``twistedvoice bench local``: how well and how fast the local agent understands.

Twenty lines, in two voices that neither the engines nor the dialogue were tuned with,
are said to the ear of the agent, at the pace of a telephone; then several callers hold
the sample dialogue with one service at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, cast

from attrs import frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall

from .. import simulator
from ..agents.dialogue import Dialogue
from ..agents.dialoguefile import SAMPLE_DIALOGUE, read_dialogue
from ..agents.listener import Listener
from ..audio.wav import load
from ..formats import FRAME_MS, MULAW_8K
from ..interfaces import CallControl
from ..simulator.demo import at_once
from ..simulator.dialogue import turns
from ..simulator.journal import Journal
from ..speech.bargein import BargeIn, BargeInRules
from ..speech.engines import Engines
from ..speech.recital import Recital
from ..speech.turns import Turns
from ..speech.vad import new_detector

__all__ = ["LINES", "LINES_FOLDER", "Figures", "Line", "figures"]

#: What must hold.
_LEAST_RIGHT, _MOST_P50_MS = 19, 300.0
#: Said at the same time, by two engines.
_AT_ONCE = 4
_BEFORE_MS, _PATIENCE_MS = 500, 3000
#: The voices that come with twistedvoice.
LINES_FOLDER = Path(simulator.__path__[0]) / "lines"


@frozen
class Line:
    """One file, the state to which it is said, and what it means there."""

    name: str
    state: str
    meaning: str


LINES = (
    Line("joe_hours", "main", "on hours"),
    Line("joe_hours_please", "main", "on hours"),
    Line("joe_book", "main", "on book"),
    Line("joe_doctor", "main", "on book"),
    Line("joe_cancel", "main", "on cancel"),
    Line("joe_person", "main", "on human"),
    Line("joe_tuesday", "day", "choice Tuesday"),
    Line("joe_ten", "time", "choice ten o'clock"),
    Line("joe_yes", "confirm", "on yes"),
    Line("joe_code", "number", "digits four one seven two"),
    Line("rms_hours", "main", "on hours"),
    Line("rms_book", "main", "on book"),
    Line("rms_cancel", "main", "on cancel"),
    Line("rms_operator", "main", "on human"),
    Line("rms_friday", "day", "choice Friday"),
    Line("rms_three", "time", "choice three o'clock"),
    Line("rms_right", "confirm", "on yes"),
    Line("rms_no", "confirm", "on no"),
    Line("rms_code", "number", "digits nine zero five eight"),
    Line("rms_again", "day", "on again"),
)


@frozen(kw_only=True)
class Figures:
    """What was measured."""

    #: Each line, and what it was taken for.
    understood: Sequence[tuple[Line, str]]
    #: From the end of each line to the answer on the wire; None when none came.
    answered_ms: Sequence[float | None]
    #: How many calls went as planned, and the underruns of each.
    completed: int
    underruns: Sequence[int]

    @property
    def right(self) -> int:
        """How many lines were taken for what they mean."""
        return sum(line.meaning == meaning for line, meaning in self.understood)

    @property
    def p50_ms(self) -> float:
        """The median; an answer that never came is late."""
        late = float("inf")
        times = [late if each is None else each for each in self.answered_ms]
        return median(times) if times else late

    @property
    def holds(self) -> bool:
        """Whether all is as it should be."""
        calls = len(self.underruns)
        return (
            self.right >= _LEAST_RIGHT
            and self.p50_ms < _MOST_P50_MS
            and self.completed == calls
            and not any(self.underruns)
        )

    def lines(self) -> list[str]:
        """:returns: all of it, for people."""
        wrong = [
            f"  {line.name} in {line.state}: {meaning or 'nothing'}"
            for line, meaning in self.understood
            if line.meaning != meaning
        ]
        return [
            f"understood: {self.right} of {len(self.understood)} lines",
            *wrong,
            f"end of speech to first audio: {self.p50_ms:.0f} ms"
            f" median of {len(self.answered_ms)} turns",
            f"calls at once: {len(self.underruns)}, {self.completed} as planned,"
            f" underruns {', '.join(map(str, self.underruns))}",
        ]


def figures(
    reactor: Any,
    environ: Mapping[str, str],
    write: Callable[[str], object],
    calls: int,
    lines: Path = LINES_FOLDER,
) -> Deferred[int]:
    """
    Measure, which takes about two minutes, and print.

    :param lines: the folder of the lines, in any voice.
    :returns: fires with the exit code: 0 when all holds, 1 when not.
    """
    return Deferred.fromCoroutine(_figures(reactor, environ, write, calls, lines))


async def _figures(
    reactor: Any,
    environ: Mapping[str, str],
    write: Callable[[str], object],
    calls: int,
    lines: Path,
) -> int:
    understood = await _understood(reactor, lines)
    found = measured(understood, await at_once(reactor, environ, calls))
    write("\n".join([*found.lines(), ""]))
    return 0 if found.holds else 1


def measured(
    understood: Sequence[tuple[Line, str]], journals: Sequence[Journal]
) -> Figures:
    """:returns: the figures of lines and calls."""
    return Figures(
        understood=understood,
        answered_ms=[turn.answered_ms for each in journals for turn in turns(each)],
        completed=sum(each.outcome == "completed" for each in journals),
        underruns=[len(each.underruns) for each in journals],
    )


async def _understood(reactor: Any, lines: Path) -> list[tuple[Line, str]]:
    dialogue = read_dialogue(SAMPLE_DIALOGUE)
    grammars = {name: each.jsgf() for name, each in dialogue.grammars().items()}
    engines = Engines(reactor, grammars, ears=2)
    await engines.start()
    found: list[tuple[Line, str]] = []
    for start in range(0, len(LINES), _AT_ONCE):
        some = LINES[start : start + _AT_ONCE]
        saying = [
            _Said(reactor, engines, dialogue, line, lines).meaning() for line in some
        ]
        found += zip(some, await gatherResults(saying), strict=True)
    await engines.stop()
    return found


class _Said:
    """One line, said to the ear of the agent; it is the call as well."""

    format = MULAW_8K
    is_playing = False

    def __init__(
        self,
        reactor: Any,
        engines: Engines,
        dialogue: Dialogue,
        line: Line,
        lines: Path,
    ) -> None:
        call = cast(CallControl, self)
        self.call_later = reactor.callLater
        self._meaning = ""
        self._is_heard = False
        self._listener = Listener(
            call,
            BargeIn(call, Recital(call), BargeInRules()),
            turns=Turns(),
            detector=new_detector(self.format),
            hear=lambda: engines.hear(line.state, self.format),
            grammar=lambda: dialogue.grammar(line.state),
            began=lambda: None,
            ended=self._heard,
            ignored=lambda: None,
        )
        sound = load(lines / f"{line.name}.wav", self.format)
        sound = self._silence(_BEFORE_MS) + sound + self._silence(_PATIENCE_MS)
        size = self.format.frame_bytes
        whole = len(sound) - len(sound) % size
        self._frames = iter([sound[at : at + size] for at in range(0, whole, size)])
        self._saying = LoopingCall(self._say)
        self._saying.clock = reactor

    def meaning(self) -> Deferred[str]:
        """:returns: fires with what it was taken for; empty for nothing."""
        said = self._saying.start(FRAME_MS / 1000)
        return said.addCallback(lambda _: self._meaning)

    def _say(self) -> None:
        frame = None if self._is_heard else next(self._frames, None)
        if frame is None:
            self._listener.close()
            self._saying.stop()
        else:
            self._listener.frame(frame)

    def _heard(self, meaning: str | None, words: str) -> None:
        self._is_heard = True
        self._meaning = meaning or ""
        if meaning == "digits":
            self._meaning += f" {words}"

    def _silence(self, ms: int) -> bytes:
        return self.format.silence(self.format.bytes_in(ms * 1000))
