# -*- test-case-name: tests.simulator.test_lanes -*-
"""Where labels go so that none covers another.

Labels stand at a place along a line; those that would overlap go to different lanes.
It knows widths only, not what a label says or how it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["lanes"]


def lanes(spans: Iterable[tuple[float, float]]) -> list[int]:
    """
    Give each label the first lane that is free where it stands.

    :param spans: left and right end of each label, in order of the left end.
    :returns: the lane of each label, counted from 0.
    """
    taken: list[float] = []
    chosen = []
    for left, right in spans:
        free = (lane for lane, end in enumerate(taken) if end <= left)
        lane = next(free, len(taken))
        taken[lane : lane + 1] = [right]
        chosen.append(lane)
    return chosen
