# -*- test-case-name: tests.recording.test_compare -*-
"""Where the sound of one recording lies in another of the same call.

First roughly, by when either is loud: for both channels together, in either order.
Then to the sample, for windows of a second that have sound in both; and a steady line
through them, which a few wrong windows do not bend. Used by :mod:`.compare`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..audio.correlation import fits, products
from ..audio.loudness import FRAME_MS, Loudness
from ..audio.wav import WavFile

__all__ = ["Channel", "Line", "Offset", "line_through", "offsets", "rough_offset"]

#: A window, and how far around its rough place it is looked for, in frames of 20 ms.
_WINDOW = 50
_AROUND = 50
#: Windows that are measured on a channel, spread over the call.
_MOST_WINDOWS = 300
#: How much of a window must be sound in ours, and of that in theirs.
_FILLED = 0.3
_FILLED_TOO = 0.7
#: A window that is less alike says nothing of where it lies.
_CERTAIN = 0.6
#: Loudness that counts as much as none.
_QUIET = 100.0

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


@frozen
class Channel:
    """One channel of a file, and how loud it is."""

    file: WavFile
    number: int
    loudness: Loudness


@frozen
class Offset:
    """What was measured for one window."""

    #: Where it lies in ours, and when their copy would have begun by it; in seconds.
    at: float
    offset: float
    #: How alike it is to what lies there, and how much louder that is.
    correlation: float
    level_db: float

    @property
    def is_certain(self) -> bool:
        """Whether it is the same sound."""
        return self.correlation >= _CERTAIN


@frozen
class Line:
    """A steady offset: what it is at our beginning, and how fast it grows."""

    start: float
    drift: float

    def at(self, seconds: float) -> float:
        """:returns: the offset then, in seconds."""
        return self.start + self.drift * seconds


def rough_offset(
    ours: Sequence[Loudness], theirs: Sequence[Loudness]
) -> tuple[int, bool]:
    """
    :returns: how many frames of 20 ms later than ours theirs begins, and whether its
        channels are the other way round; none and no where there is silence.
    """
    size = len(theirs[0].rms)
    if not size or not len(ours[0].rms):
        return 0, False
    straight, crossed = (
        sum(
            products(np.pad(_felt(our), size), _felt(their))
            for our, their in zip(ours, order, strict=True)
        )
        for order in (theirs, theirs[::-1])
    )
    if max(np.max(straight), np.max(crossed)) <= 0:
        return 0, False
    swapped = bool(np.max(crossed) > np.max(straight))
    return int(np.argmax(crossed if swapped else straight)) - size, swapped


def offsets(ours: Channel, theirs: Channel, rough: int) -> list[Offset]:
    """
    Measure where windows of our channel lie in theirs.

    :param rough: as :func:`rough_offset` found it.
    :returns: one for each window, in their order; none where there is little sound.
    """
    starts = _windows(ours.loudness.sound, theirs.loudness.sound, rough)
    if len(starts) > _MOST_WINDOWS:
        spread = np.linspace(0, len(starts) - 1, _MOST_WINDOWS)
        starts = starts[spread.astype(np.int64)]
    return [_offset(ours, theirs, int(start), rough) for start in starts]


def line_through(measured: Sequence[Offset]) -> Line | None:
    """
    :returns: the line that windows of the same sound lie on, by the medians of Theil
        and Sen; None when there is no such window.
    """
    certain = [each for each in measured if each.is_certain]
    if not certain:
        return None
    at = np.array([each.at for each in certain])
    offset = np.array([each.offset for each in certain])
    early, late = np.nonzero(at[np.newaxis, :] - at[:, np.newaxis] > np.ptp(at) / 2)
    slopes = (offset[late] - offset[early]) / (at[late] - at[early])
    drift = float(np.median(slopes)) if len(slopes) else 0.0
    return Line(float(np.median(offset - drift * at)), drift)


def _felt(loudness: Loudness) -> _Floats:
    """:returns: loudness as it is felt, about its mean, so that pauses count too."""
    felt = np.log1p(loudness.rms / _QUIET)
    centred: _Floats = felt - felt.mean()
    return centred


def _windows(
    ours: npt.NDArray[np.bool_], theirs: npt.NDArray[np.bool_], rough: int
) -> _Integers:
    """:returns: the frames of ours at which windows with sound in both begin."""
    starts = np.arange(0, len(ours) - _WINDOW + 1, _WINDOW // 2)
    there = starts - rough
    starts = starts[(there >= 0) & (there + _WINDOW <= len(theirs))]
    our_sound = _within(ours, starts)
    their_sound = _within(theirs, starts - rough)
    filled = (our_sound >= _FILLED * _WINDOW) & (their_sound >= _FILLED_TOO * our_sound)
    return starts[filled]


def _within(sound: npt.NDArray[np.bool_], starts: _Integers) -> _Integers:
    """:returns: how many frames of each window are sound."""
    until = np.concatenate(([0], np.cumsum(sound)))
    return until[starts + _WINDOW] - until[starts]


def _offset(ours: Channel, theirs: Channel, start: int, rough: int) -> Offset:
    size = ours.file.rate * FRAME_MS // 1000
    piece = _samples(ours, start * size, _WINDOW * size)
    first = (start - rough - _AROUND) * size
    found = fits(_samples(theirs, first, (_WINDOW + 2 * _AROUND) * size), piece)
    best = found.best
    return Offset(
        at=start * FRAME_MS / 1000,
        offset=(start * size - (first + best)) / ours.file.rate,
        correlation=max(found.correlation(best), 0.0),
        level_db=10 * float(np.log10((found.energies[best] + 1) / (found.energy + 1))),
    )


def _samples(channel: Channel, start: int, count: int) -> _Floats:
    """:returns: ``count`` samples; silence where the file has none."""
    samples = np.zeros(count)
    before = max(0, -start)
    read = channel.file.read(start + before, count - before)[:, channel.number]
    samples[before : before + len(read)] = read
    return samples
