# -*- test-case-name: tests.simulator.test_timeline -*-
"""Words at moments of a call, hung beside a waveform so that none covers another.

Knows how wide words are and where they fit; what is worth a word is for the picture to
say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from .lanes import lanes
from .look import SHARP, SOFT, VOICE_HEIGHT, WIDTH, WRONG
from .moment import Moment

__all__ = ["hang", "seconds_shown", "write"]

_FONT = FontProperties(size=8.5)
_LANE_HEIGHT = 13.5
_MOST_LANES = 5
_TONES = {"quiet": SOFT, "sharp": SHARP, "wrong": WRONG}


def hang(
    panel: Axes,
    moments: Sequence[Moment],
    colour: str,
    *,
    above: bool,
    spare: int = 0,
) -> None:
    """
    Hang labels on lines at their moments, in lanes beside the waveform.

    :param panel: of the usual height; its width in seconds is set.
    :param moments: in order.
    :param spare: how many lanes are left free on the other side, see :func:`write`.
    """
    chosen = lanes(_spans(moments, panel.get_xlim()[1]))
    shown = min(max(chosen, default=0) + 1, _MOST_LANES)
    lane_height = 2.1 / (VOICE_HEIGHT - (shown + spare) * _LANE_HEIGHT) * _LANE_HEIGHT
    side = 1 if above else -1
    ends = -1.05 - spare * lane_height, 1.05 + shown * lane_height
    panel.set_ylim(*sorted(side * end for end in ends))
    for moment, lane in zip(moments, chosen, strict=True):
        height = side * (1.05 + (min(lane, _MOST_LANES) + 0.5) * lane_height)
        words = moment.text if lane < _MOST_LANES else ""
        paint = _TONES.get(moment.tone, colour)
        _hang_one(panel, moment.at_ms / 1000, (-side, height), words, paint)


def write(panel: Axes, moments: Sequence[Moment], colour: str) -> None:
    """
    Write words into the free lane at the top of a panel, where there is room.

    :param moments: in order.
    """
    where = panel.get_xaxis_transform()
    chosen = lanes(_spans(moments, panel.get_xlim()[1]))
    for moment, lane in zip(moments, chosen, strict=True):
        if not lane:
            x, words = moment.at_ms / 1000, f" {moment.text}"
            panel.text(
                x, 0.99, words, color=colour, font=_FONT, va="top", transform=where
            )


def seconds_shown(duration_ms: float, moments: Iterable[Moment]) -> float:
    """:returns: how much time the panels span, so that the last labels fit too."""
    needed = (
        moment.at_ms / 1000 / (1 - _text_width(moment.text) / WIDTH)
        for moment in moments
    )
    return max(duration_ms / 1000, 1.0, *needed)


def _hang_one(
    panel: Axes, seconds: float, line: tuple[float, float], words: str, colour: str
) -> None:
    panel.vlines(seconds, *line, color=colour, lw=0.8, alpha=0.75, zorder=4)
    panel.text(
        seconds, line[1], f" {words}", color=colour, font=_FONT, va="center", zorder=5
    )


def _spans(moments: Sequence[Moment], width: float) -> list[tuple[float, float]]:
    """:returns: from where to where each label reaches, in seconds."""
    second = WIDTH / width
    starts = [moment.at_ms / 1000 for moment in moments]
    widths = [_text_width(moment.text) / second for moment in moments]
    return [(start, start + width) for start, width in zip(starts, widths, strict=True)]


@lru_cache(maxsize=1_000)
def _text_width(text: str) -> float:
    """:returns: points, with the space between a label and the next."""
    # Matplotlib measures every curve of every letter, in Python.
    return float(TextPath((0, 0), text, prop=_FONT).get_extents().width) + 10
