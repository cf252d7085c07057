# -*- test-case-name: tests.simulator.test_timeline -*-
"""How the picture of a call looks: its size and colours, its head, its waveforms.

Each picture puts its own panels together from these; nothing here knows what a call is.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

__all__ = [
    "ANSWER",
    "CALLER",
    "INK",
    "PLACE",
    "SERVICE",
    "SHARP",
    "SOFT",
    "VOICE_HEIGHT",
    "WIDTH",
    "WRONG",
    "foot",
    "head",
    "new_figure",
    "shade",
    "strip",
    "voice",
]

#: Inches.
_SIZE = (13.6, 7.65)
#: Where the panels lie, in shares of the figure.
PLACE = {"left": 0.045, "right": 0.985, "top": 0.835, "bottom": 0.075, "hspace": 0.1}
#: Width of the panels and height of one with a voice and its labels, in points.
WIDTH = _SIZE[0] * 72 * (PLACE["right"] - PLACE["left"])
VOICE_HEIGHT = 155.0
#: More columns than the picture has pixels.
_COLUMNS = 2400

INK, SOFT, _FAINT = "#1f2a37", "#6b7684", "#d5dae1"
CALLER, SERVICE = "#2f6fde", "#0b8f6a"
SHARP, WRONG, ANSWER = "#b5179e", "#d9480f", "#b45309"


def new_figure() -> Figure:
    """:returns: an empty picture, of a size for a slide."""
    return Figure(figsize=_SIZE, dpi=150, facecolor="white")


def head(
    figure: Figure,
    title: str,
    verdict: tuple[str, str],
    facts: Iterable[tuple[str, str]],
) -> None:
    """
    Write above the panels.

    :param verdict: the sentence below the title, and its colour.
    :param facts: what stands on the right: values and what they are.
    """
    left, right = PLACE["left"], PLACE["right"]
    figure.text(left, 0.925, title, size=22, weight="bold", color=INK)
    figure.text(left, 0.885, verdict[0], size=11, color=verdict[1])
    for place, (value, caption) in enumerate(reversed(list(facts))):
        x = right - 0.094 * place
        figure.text(x, 0.928, value, size=16, color=INK, ha="right")
        figure.text(x, 0.89, caption, size=9, color=SOFT, ha="right")


def voice(
    panel: Axes, samples: NDArray[np.int16], rate: int, colour: str, name: str
) -> None:
    """Draw a waveform, the loudest sample at 1."""
    times, low, high = _envelope(samples, rate)
    panel.fill_between(times, low, high, color=colour, linewidth=0.5, zorder=3)
    panel.set_ylabel(name, color=colour, size=11.5, weight="bold", labelpad=8)
    panel.set_yticks([])
    strip(panel)


def shade(
    panel: Axes, start_ms: float, end_ms: float, colour: str, alpha: float
) -> None:
    """Colour a span of time from top to bottom."""
    panel.axvspan(start_ms / 1000, end_ms / 1000, color=colour, alpha=alpha, lw=0)


def foot(panel: Axes, measured: str, since: str, title: str) -> None:
    """
    Write at the lowest panel.

    :param measured: what is measured in it, in milliseconds.
    :param since: what its seconds count from.
    """
    panel.set_ylabel(f"{measured}, ms", color=SOFT, size=10)
    panel.set_xlabel(f"seconds since {since}", color=SOFT, size=10)
    panel.set_title(title, size=9, color=SOFT, loc="right", pad=3)
    strip(panel)
    panel.xaxis.set_major_locator(MaxNLocator(16, integer=True))


def strip(panel: Axes) -> None:
    """Take away what only frames the panel."""
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.spines["bottom"].set_color(_FAINT)
    panel.tick_params(colors=SOFT, labelsize=9, length=0)
    panel.grid(axis="x", color=_FAINT, lw=0.5, zorder=0)


def _envelope(samples: NDArray[np.int16], rate: int) -> tuple[NDArray[np.float64], ...]:
    """:returns: seconds, and the lowest and highest sample there; 1 is the loudest."""
    if not len(samples):
        return (np.zeros(1),) * 3
    starts = np.arange(0, len(samples), max(len(samples) // _COLUMNS, 1))
    scaled = samples / max(float(np.abs(samples.astype(np.int32)).max()), 1.0)
    return (
        starts / rate,
        np.minimum.reduceat(scaled, starts),
        np.maximum.reduceat(scaled, starts),
    )
