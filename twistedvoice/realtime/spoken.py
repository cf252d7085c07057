# -*- test-case-name: tests.realtime.test_spoken -*-
"""How much of one utterance was sent, and how much the caller has heard.

The tick notes each frame's place on the playout clock; anyone may ask afterwards. Sound
sent without a break is one span, so an utterance without holes keeps one.
"""

from __future__ import annotations

from ..formats import FRAME_US

__all__ = ["Spoken"]


class Spoken:
    """
    The spans of time in which one utterance plays.

    ``heard_us`` is exact for a link without delay; with a delay the ear is behind by
    that, and a clear catches it at the same point of the sound.
    """

    __slots__ = ("_spans", "generation", "sent_us")

    def __init__(self, generation: int) -> None:
        """:param generation: an interrupt makes all earlier generations stale."""
        self.generation = generation
        #: How much of it was sent.
        self.sent_us = 0
        self._spans: list[list[int]] = []

    def frame_sent(self, start_us: int) -> int:
        """
        Note a frame that plays from ``start_us``.

        :returns: the length of the hole before it within this utterance.
        """
        self.sent_us += FRAME_US
        if not self._spans:
            self._spans.append([start_us, start_us + FRAME_US])
            return 0
        last = self._spans[-1]
        hole_us = start_us - last[1]
        if hole_us <= 0:
            last[1] += FRAME_US
            return 0
        self._spans.append([start_us, start_us + FRAME_US])
        return hole_us

    @property
    def span_us(self) -> tuple[int, int] | None:
        """Where it began and ended on the playout clock; None when none was sent."""
        if not self._spans:
            return None
        return self._spans[0][0], self._spans[-1][1]

    def heard_us(self, now_us: int) -> int:
        """:returns: how much of it has been played by ``now_us``."""
        return sum(
            max(0, min(now_us, end_us) - start_us) for start_us, end_us in self._spans
        )

    def cut(self, now_us: int) -> None:
        """What has not played by ``now_us`` never will."""
        while self._spans and self._spans[-1][0] >= now_us:
            self._spans.pop()
        if self._spans and self._spans[-1][1] > now_us:
            self._spans[-1][1] = now_us
