# -*- test-case-name: tests.simulator.test_timeline -*-
"""The picture of one simulated call: timeline.png.

The caller above, the service as the caller heard it below, what happened as labelled
lines in both, and how evenly the service's frames came. Drawn from the journal and the
report alone, after the call, with matplotlib (extra ``plot``) and without a display.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..audio import pcm
from ..formats import FRAME_MS, MULAW_8K
from .journal import Journal
from .lanes import lanes
from .moments import Moment, of_caller, of_service
from .report import gaps

__all__ = ["draw", "picture"]

#: Inches.
_SIZE = (13.6, 7.65)
#: Where the panels lie, in shares of the figure.
_PLACE = {"left": 0.045, "right": 0.985, "top": 0.835, "bottom": 0.075, "hspace": 0.1}
#: Width of the panels and their heights, in points.
_WIDTH = _SIZE[0] * 72 * (_PLACE["right"] - _PLACE["left"])
_VOICE_HEIGHT, _GAP_HEIGHT = 155.0, 72.0
_LABEL = FontProperties(size=8.5)
_LANE_HEIGHT = 13.5
_MOST_LANES = 5
#: More columns than the picture has pixels.
_COLUMNS = 2400
#: The gap panel reaches at least so far, in milliseconds.
_GAPS_SHOWN = 60

_INK, _SOFT, _FAINT = "#1f2a37", "#6b7684", "#d5dae1"
_CALLER, _SERVICE, _WRONG = "#2f6fde", "#0b8f6a", "#d9480f"
_TONES = {"quiet": _SOFT, "sharp": "#b5179e", "wrong": _WRONG}


def draw(journal: Journal, figures: Mapping[str, Any], path: str) -> None:
    """
    Draw the picture of a finished call.

    :param figures: what :func:`~twistedvoice.simulator.report.report` says of it.
    :param path: where the PNG goes.
    """
    picture(journal, figures).savefig(path, format="png")


def picture(journal: Journal, figures: Mapping[str, Any]) -> Figure:
    """:returns: the picture that :func:`draw` writes."""
    figure = Figure(figsize=_SIZE, dpi=150, facecolor="white")
    heights = (_VOICE_HEIGHT, _VOICE_HEIGHT, _GAP_HEIGHT)
    caller, service, evenness = figure.subplots(
        3, sharex=True, gridspec_kw={"height_ratios": heights, **_PLACE}
    )
    did, heard = of_caller(journal), of_service(journal)
    evenness.set_xlim(0, _seconds_shown(journal, [*did, *heard]))
    _head(figure, figures)
    _voice(caller, journal.said, _CALLER, "caller")
    _labels(caller, did, _CALLER, above=True)
    _voice(service, journal.heard, _SERVICE, "service")
    _shade(service, journal)
    _labels(service, heard, _SERVICE, above=False)
    _evenness(evenness, journal, figures)
    return figure


# -- the head -----------------------------------------------------------------------


def _head(figure: Figure, figures: Mapping[str, Any]) -> None:
    verdict, colour = _verdict(figures)
    outcome = str(figures["outcome"]).replace("_", " ")
    left, right = _PLACE["left"], _PLACE["right"]
    figure.text(left, 0.925, f"Call {outcome}", size=22, weight="bold", color=_INK)
    figure.text(left, 0.885, verdict, size=11, color=colour)
    for place, (value, caption) in enumerate(reversed(list(_key_figures(figures)))):
        x = right - 0.094 * place
        figure.text(x, 0.928, value, size=16, color=_INK, ha="right")
        figure.text(x, 0.89, caption, size=9, color=_SOFT, ha="right")


def _verdict(figures: Mapping[str, Any]) -> tuple[str, str]:
    if figures["outcome"] != "completed":
        return "the call did not go to its planned end", _WRONG
    if figures["underruns"]:
        return "some of what the caller heard came late", _WRONG
    return "every frame in time", _SERVICE


def _key_figures(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield f"{figures['duration_ms'] / 1000:.1f} s", "duration"
    yield _ms(figures["first_audio_ms"]), "first audio"
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
    times, low, high = _envelope(samples)
    panel.fill_between(times, low, high, color=colour, linewidth=0.5, zorder=3)
    panel.set_ylabel(name, color=colour, size=11.5, weight="bold", labelpad=8)
    panel.set_yticks([])
    _strip(panel)


def _envelope(samples: NDArray[np.int16]) -> tuple[NDArray[np.float64], ...]:
    """:returns: seconds, and the lowest and highest sample there; 1 is the loudest."""
    if not len(samples):
        return (np.zeros(1),) * 3
    starts = np.arange(0, len(samples), max(len(samples) // _COLUMNS, 1))
    scaled = samples / max(float(np.abs(samples.astype(np.int32)).max()), 1.0)
    return (
        starts / MULAW_8K.rate,
        np.minimum.reduceat(scaled, starts),
        np.maximum.reduceat(scaled, starts),
    )


def _shade(panel: Axes, journal: Journal) -> None:
    """Show where the ear heard speech, and where it heard a hole."""
    for began_ms, ended_ms in _heard_speech(journal):
        _span(panel, began_ms, ended_ms, _SERVICE, 0.08)
    for at_ms, length_ms in journal.underruns:
        _span(panel, at_ms, at_ms + length_ms, _WRONG, 0.45)


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


def _span(
    panel: Axes, start_ms: float, end_ms: float, colour: str, alpha: float
) -> None:
    panel.axvspan(start_ms / 1000, end_ms / 1000, color=colour, alpha=alpha, lw=0)


# -- the labels ---------------------------------------------------------------------


def _labels(
    panel: Axes, moments: Sequence[Moment], colour: str, *, above: bool
) -> None:
    """Hang labels on lines at their moments, in lanes beside the waveform."""
    chosen = lanes(_spans(moments, panel.get_xlim()[1]))
    shown = min(max(chosen, default=0) + 1, _MOST_LANES)
    lane_height = 2.1 / (_VOICE_HEIGHT - shown * _LANE_HEIGHT) * _LANE_HEIGHT
    side = 1 if above else -1
    panel.set_ylim(*sorted((-1.05 * side, (1.05 + shown * lane_height) * side)))
    for moment, lane in zip(moments, chosen, strict=True):
        height = side * (1.05 + (min(lane, _MOST_LANES) + 0.5) * lane_height)
        words = moment.text if lane < _MOST_LANES else ""
        paint = _TONES.get(moment.tone, colour)
        _hang(panel, moment.at_ms / 1000, (-side, height), words, paint)


def _hang(
    panel: Axes, seconds: float, line: tuple[float, float], words: str, colour: str
) -> None:
    panel.vlines(seconds, *line, color=colour, lw=0.8, alpha=0.75, zorder=4)
    panel.text(
        seconds, line[1], f" {words}", color=colour, font=_LABEL, va="center", zorder=5
    )


def _spans(moments: Sequence[Moment], width: float) -> list[tuple[float, float]]:
    """:returns: from where to where each label reaches, in seconds."""
    second = _WIDTH / width
    starts = [moment.at_ms / 1000 for moment in moments]
    widths = [_text_width(moment.text) / second for moment in moments]
    return [(start, start + width) for start, width in zip(starts, widths, strict=True)]


def _seconds_shown(journal: Journal, moments: Sequence[Moment]) -> float:
    """:returns: how much time the panels span, so that the last labels fit too."""
    needed = (
        moment.at_ms / 1000 / (1 - _text_width(moment.text) / _WIDTH)
        for moment in moments
    )
    return max(journal.duration_ms / 1000, 1.0, *needed)


@lru_cache(maxsize=1_000)
def _text_width(text: str) -> float:
    """:returns: points, with the space between a label and the next."""
    # Matplotlib measures every curve of every letter, in Python.
    return float(TextPath((0, 0), text, prop=_LABEL).get_extents().width) + 10


# -- the gaps -----------------------------------------------------------------------


def _evenness(panel: Axes, journal: Journal, figures: Mapping[str, Any]) -> None:
    points = np.array(list(gaps(journal))).reshape(-1, 2)
    top = max(_GAPS_SHOWN, 1.15 * points[:, 1].max(initial=0))
    panel.axhline(FRAME_MS, color=_SOFT, lw=0.8, zorder=2)
    panel.scatter(
        points[:, 0] / 1000, points[:, 1], s=5, color=_SERVICE, lw=0, zorder=3
    )
    panel.set_ylim(0, top)
    panel.set_yticks([0, FRAME_MS, round(top, -1)])
    panel.set_ylabel("gap, ms", color=_SOFT, size=10)
    panel.set_xlabel("seconds since the stream started", color=_SOFT, size=10)
    spread = figures["gap_ms"]
    panel.set_title(
        f"time from frame to frame: median {_ms(spread['p50'])},"
        f" 99 in 100 within {_ms(spread['p99'])}, never above {_ms(spread['max'])}",
        size=9,
        color=_SOFT,
        loc="right",
        pad=3,
    )
    _strip(panel)
    panel.xaxis.set_major_locator(MaxNLocator(16, integer=True))


def _strip(panel: Axes) -> None:
    """Take away what only frames the panel."""
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.spines["bottom"].set_color(_FAINT)
    panel.tick_params(colors=_SOFT, labelsize=9, length=0)
    panel.grid(axis="x", color=_FAINT, lw=0.5, zorder=0)
