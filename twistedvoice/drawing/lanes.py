# -*- test-case-name: tests.drawing.test_lanes -*-
"""Where labels go so that nothing covers a label.

Each label hangs on a line that comes from below and ends at the label's left end.
Labels that would meet go to different lanes, the left one higher, so that no line
passes through a word either. It knows widths only, not what a label says.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["lanes"]


def lanes(spans: Sequence[tuple[float, float]]) -> list[int]:
    """
    Give each label the lowest lane in which it covers nothing.

    :param spans: left and right end of each label, in order of the left end.
    :returns: the lane of each label, counted from 0.
    """
    chosen: list[int] = []
    for place, (_, right) in reversed(list(enumerate(spans))):
        later = zip(reversed(spans[place + 1 :]), chosen, strict=True)
        met = (lane for (left, _), lane in later if left < right)
        chosen.append(max(met, default=-1) + 1)
    return chosen[::-1]
