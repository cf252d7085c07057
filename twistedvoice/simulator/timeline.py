# -*- test-case-name: tests.simulator.test_timeline -*-
"""The picture of one simulated call: timeline.png.

The caller above, the service as the caller heard it below, what happened as labelled
lines in both, arrows from the caller's end to the service's answer, and how evenly the
service's frames came. Drawn from the journal and the report alone, after the call, with
matplotlib (extra ``plot``) and without a display.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch

from ..audio import pcm
from ..drawing import look
from ..drawing.labels import hang, seconds_shown, write
from ..formats import FRAME_MS, MULAW_8K
from .journal import Journal
from .moments import of_answers, of_caller, of_service
from .report import gaps

__all__ = ["draw", "picture"]

_GAP_HEIGHT = 72.0
#: The gap panel reaches at least so far, in milliseconds.
_GAPS_SHOWN = 60


def draw(journal: Journal, figures: Mapping[str, Any], path: str) -> None:
    """
    Draw the picture of a finished call.

    :param figures: what :func:`~twistedvoice.simulator.report.report` says of it.
    :param path: where the PNG goes.
    """
    picture(journal, figures).savefig(path, format="png")


def picture(journal: Journal, figures: Mapping[str, Any]) -> Figure:
    """:returns: the picture that :func:`draw` writes."""
    figure = look.new_figure()
    heights = (look.VOICE_HEIGHT, look.VOICE_HEIGHT, _GAP_HEIGHT)
    caller, service, evenness = figure.subplots(
        3, sharex=True, gridspec_kw={"height_ratios": heights, **look.PLACE}
    )
    did, heard = of_caller(journal), of_service(journal)
    answers = of_answers(figures["turns"])
    evenness.set_xlim(0, seconds_shown(journal.duration_ms, [*did, *heard, *answers]))
    outcome = str(figures["outcome"]).replace("_", " ")
    look.head(figure, f"Call {outcome}", _verdict(figures), _key_figures(figures))
    _voice(caller, journal.said, look.CALLER, "caller")
    hang(caller, did, look.CALLER, above=True)
    _voice(service, journal.heard, look.SERVICE, "service")
    _shade(service, journal)
    hang(service, heard, look.SERVICE, above=False, spare=1)
    write(service, answers, look.ANSWER)
    for turn in figures["turns"]:
        figure.add_artist(_arrow(caller, service, turn))
    _evenness(evenness, journal, figures)
    return figure


# -- the head -----------------------------------------------------------------------


def _verdict(figures: Mapping[str, Any]) -> tuple[str, str]:
    if figures["outcome"] != "completed":
        return "the call did not go to its planned end", look.WRONG
    if figures["underruns"]:
        return "some of what the caller heard came late", look.WRONG
    return "every frame in time", look.SERVICE


def _key_figures(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield f"{figures['duration_ms'] / 1000:.1f} s", "duration"
    yield _ms(figures["first_audio_ms"]), "first audio"
    yield _ms(figures["answer_ms"]["p50"]), "answers"
    yield str(figures["frames_sent"]), "frames sent"
    yield str(figures["frames_heard"]), "frames heard"
    yield str(figures["underruns"]), "underruns"
    yield _ms(figures["gap_ms"]["max"]), "longest gap"
    yield f"{figures['marks']} / {figures['clears']}", "marks / clears"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f} ms"


# -- the voices ---------------------------------------------------------------------


def _voice(panel: Axes, sound: bytearray, colour: str, name: str) -> None:
    samples = pcm.decode(bytes(sound), MULAW_8K)
    look.voice(panel, samples, MULAW_8K.rate, colour, name)


def _shade(panel: Axes, journal: Journal) -> None:
    """Show where the ear heard speech, and where it heard a hole."""
    for began_ms, ended_ms in _heard_speech(journal):
        look.shade(panel, began_ms, ended_ms, look.SERVICE, 0.08)
    for at_ms, length_ms in journal.underruns:
        look.shade(panel, at_ms, at_ms + length_ms, look.WRONG, 0.45)


def _heard_speech(journal: Journal) -> Iterator[tuple[float, float]]:
    """:returns: from when to when somebody spoke, if only till the call was over."""
    began_ms: float | None = None
    for event in journal.happenings:
        if event.kind == "speech_started":
            began_ms = event.at_ms
        elif event.kind == "speech_ended" and began_ms is not None:
            yield began_ms, event.at_ms
            began_ms = None
    if began_ms is not None:
        yield began_ms, journal.duration_ms


# -- the answers --------------------------------------------------------------------


def _arrow(caller: Axes, service: Axes, turn: Mapping[str, Any]) -> ConnectionPatch:
    """:returns: from where the caller was done to where the ear had the answer."""
    done_ms = turn["done_ms"]
    return ConnectionPatch(
        (done_ms / 1000, 0),
        ((done_ms + turn["heard_ms"]) / 1000, 0),
        "data",
        axesA=caller,
        axesB=service,
        arrowstyle="-|>",
        mutation_scale=9,
        color=look.ANSWER,
        lw=1.1,
    )


# -- the gaps -----------------------------------------------------------------------


def _evenness(panel: Axes, journal: Journal, figures: Mapping[str, Any]) -> None:
    points = np.array(list(gaps(journal))).reshape(-1, 2)
    top = max(_GAPS_SHOWN, 1.15 * points[:, 1].max(initial=0))
    panel.axhline(FRAME_MS, color=look.SOFT, lw=0.8, zorder=2)
    panel.scatter(
        points[:, 0] / 1000, points[:, 1], s=5, color=look.SERVICE, lw=0, zorder=3
    )
    panel.set_ylim(0, top)
    panel.set_yticks([0, FRAME_MS, round(top, -1)])
    spread = figures["gap_ms"]
    look.foot(
        panel,
        "gap",
        "the stream started",
        f"time from frame to frame: median {_ms(spread['p50'])},"
        f" 99 in 100 within {_ms(spread['p99'])}, never above {_ms(spread['max'])}",
    )
