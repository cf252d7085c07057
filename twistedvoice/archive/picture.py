# -*- test-case-name: tests.archive.test_picture -*-
"""The picture of a recording.

The caller above, the service below, as they lie in the file; who spoke when, what was
cut off, what is missing; and how long the caller waited for each answer. Drawn with
matplotlib (extra ``plot``), and looks as the picture of a simulated call.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing import look
from ..drawing.labels import hang, seconds_shown
from ..drawing.moment import Moment
from ..recording.sidecar import Line
from .story import Side, Story
from .words import clock

__all__ = ["draw", "picture"]

_ANSWER_HEIGHT = 72.0
#: The panel of answers reaches at least so far, in milliseconds.
_ANSWERS_SHOWN = 1000
#: More answers than this have no figure beside them: they would cover each other.
_MOST_FIGURES = 40
#: What became of an utterance: the word, its tone, and the colour of its bar.
_OUTCOMES = {
    "played": ("heard", "plain", look.SERVICE),
    "cleared": ("", "", look.SHARP),
    "lost": ("lost", "wrong", look.WRONG),
    "assumed": ("heard, probably", "quiet", look.SOFT),
}


def draw(story: Story, path: str) -> None:
    """:param path: where the PNG goes."""
    picture(story).savefig(path, format="png")


def picture(story: Story) -> Figure:
    """:returns: the picture that :func:`draw` writes."""
    figure = look.new_figure()
    heights = (look.VOICE_HEIGHT, look.VOICE_HEIGHT, _ANSWER_HEIGHT)
    caller, service, answers = figure.subplots(
        3, sharex=True, gridspec_kw={"height_ratios": heights, **look.PLACE}
    )
    did, heard = sorted(_did(story), key=_time), sorted(_heard(story), key=_time)
    answers.set_xlim(0, seconds_shown(story.duration_ms, [*did, *heard]))
    began = datetime.fromtimestamp(story.entry.started_at, UTC)
    look.head(figure, f"{began:%-d %b %Y, %H:%M} UTC", _verdict(story), _facts(story))
    _side(caller, story, story.caller, look.CALLER, "caller")
    hang(caller, did, look.CALLER, above=True)
    _side(service, story, story.service, look.SERVICE, "service")
    _utterances(service, story)
    hang(service, heard, look.SERVICE, above=False)
    _answers(answers, story)
    return figure


def _time(moment: Moment) -> float:
    return moment.at_ms


# -- the head -----------------------------------------------------------------------


def _verdict(story: Story) -> tuple[str, str]:
    name = story.entry.session_id
    lost = story.missing_ms("lost", "damaged")
    if lost:
        return f"{lost / 1000:.1f} s are missing by a fault  ·  {name}", look.WRONG
    if story.entry.degraded:
        return f"ended by a fault  ·  {name}", look.WRONG
    if story.entry.state != "finished":
        return f"not finished  ·  {name}", look.SOFT
    return f"whole  ·  {name}", look.SERVICE


def _facts(story: Story) -> Iterator[tuple[str, str]]:
    longest = max((turn.latency_ms for turn in story.turns), default=None)
    yield clock(story.duration_ms), "duration"
    yield str(len(story.turns)), "answers"
    yield _ms(story.latency_ms), "usual wait"
    yield _ms(longest), "longest wait"
    yield str(len(story.barge_ins)), "barge-ins"
    yield _db(story.caller.level.speech_db), "caller"
    yield _db(story.service.level.speech_db), "service"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"


def _db(value: float | None) -> str:
    return "silent" if value is None else f"{value:.0f} dB"


# -- the voices ---------------------------------------------------------------------


def _side(panel: Axes, story: Story, side: Side, colour: str, name: str) -> None:
    look.voice(panel, side.samples, story.rate, colour, name)
    for span in side.spans:
        look.shade(panel, span.start_ms, span.end_ms, colour, 0.08)
    for pause in story.pauses:
        look.shade(panel, pause.start_ms, pause.end_ms, look.SOFT, 0.25)
    for line in story.lines:
        if line["kind"] in ("lost", "damaged") or line.get("side") == name:
            end_ms = line["at"] + line.get("ms", 0)
            look.shade(panel, line["at"], end_ms, look.WRONG, 0.35)


def _utterances(panel: Axes, story: Story) -> None:
    """Draw a bar above the service's voice from begin to end of each utterance."""
    for line in story.lines:
        if line["kind"] == "said":
            _, _, colour = _OUTCOMES.get(str(line["outcome"]), ("", "", look.SOFT))
            start, end = line["at"] / 1000, line["until"] / 1000
            panel.hlines(0.98, start, end, color=colour, lw=4, alpha=0.6, zorder=2)


def _did(story: Story) -> Iterator[Moment]:
    """:returns: what the caller did, and what happened to the caller's sound."""
    for barge_in in story.barge_ins:
        yield Moment(barge_in.began_ms, "interrupts", "sharp")
    for line in story.lines:
        if line["kind"] == "gap" and line.get("side") == "caller":
            yield Moment(line["at"], f"gap {line['ms']:.0f} ms", "wrong")
        elif line["kind"] in ("pause", "resume"):
            yield Moment(line["at"], f"{line['kind']}s", "quiet")
        elif line["kind"] == "clock":
            yield Moment(line["at"], f"clock {line['by']:+.0f} ms", "quiet")


def _heard(story: Story) -> Iterator[Moment]:
    """:returns: what the service did, and what came of it."""
    after = {each.silent_ms: each.latency_ms for each in story.barge_ins}
    for line in story.lines:
        at_ms = float(line["at"])
        if line["kind"] == "said":
            yield from _said(line)
        elif line["kind"] == "clear":
            wait = f" after {after[at_ms]:.0f} ms" if at_ms in after else ""
            yield Moment(at_ms, f"falls silent{wait}", "sharp")
        elif line["kind"] in ("lost", "damaged"):
            yield Moment(at_ms, f"{line['kind']} {line['ms']:.0f} ms", "wrong")
        elif line["kind"] == "end":
            yield Moment(at_ms, str(line.get("why")), "quiet")


def _said(line: Line) -> Iterator[Moment]:
    word, tone, _ = _OUTCOMES.get(str(line["outcome"]), ("", "", ""))
    if word:
        # What was cut off has a label already: the service fell silent there.
        yield Moment(float(line["until"]), word, tone)


# -- the answers --------------------------------------------------------------------


def _answers(panel: Axes, story: Story) -> None:
    highest = max((turn.latency_ms for turn in story.turns), default=0)
    top = max(_ANSWERS_SHOWN, 1.35 * highest)
    for turn in story.turns:
        start, end = turn.ended_ms / 1000, turn.answered_ms / 1000
        panel.fill_between((start, end), 0, turn.latency_ms, color=look.SOFT, alpha=0.2)
        panel.vlines(end, 0, turn.latency_ms, color=look.SERVICE, lw=1.5, zorder=3)
        if len(story.turns) <= _MOST_FIGURES:
            panel.text(
                end,
                turn.latency_ms + 0.03 * top,
                _ms(turn.latency_ms),
                size=8.5,
                color=look.INK,
                ha="center",
            )
    panel.set_ylim(0, top)
    panel.set_yticks([0, round(top / 2, -2), round(top, -2)])
    title = "from the end of what the caller said to the sound of the answer"
    look.foot(panel, "wait", "the call began", title)
