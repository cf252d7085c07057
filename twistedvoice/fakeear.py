# -*- test-case-name: tests.test_testing -*-
"""The ear of the caller of a :class:`twistedvoice.testing.FakeCall`.

It hears in order what is said to it, without delay and in virtual time, and tells those
who wait for a point of it.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from .calls.utterance import MOST_WAITING_FRAMES
from .errors import QueueFull
from .formats import FRAME_US, AudioFormat

__all__ = ["Ear", "Point", "Span"]

#: The most that may wait to be heard, as in a real call.
_CAPACITY_US = MOST_WAITING_FRAMES * FRAME_US


@define(eq=False)
class Span:
    """Sound that is heard without a pause, from one time to another."""

    at_us: int
    until_us: int
    audio: bytes


@define(eq=False)
class Point:
    """A point in what is said, and who is told once it was reached or never will be."""

    at_us: int
    resolve: Callable[[str], None]
    timer: IDelayedCall | None = None


class Ear:
    """What reaches the caller's ear, and when; ``points`` are yet to be reached."""

    def __init__(self, clock: Clock, sound: AudioFormat) -> None:
        self._clock = clock
        self._format = sound
        self._started = clock.seconds()
        self.playing_until_us = 0
        self.said = bytearray()
        self.spans: list[Span] = []
        self.points: list[Point] = []

    def now_us(self) -> int:
        """:returns: microseconds since the call started."""
        return round((self._clock.seconds() - self._started) * 1e6)

    def waiting_us(self) -> int:
        """:returns: how long it takes to hear what waits."""
        return max(0, self.playing_until_us - self.now_us())

    def heard(self, span: Span) -> bytes:
        """:returns: what of ``span`` has been heard by now."""
        return span.audio[: self._format.bytes_in(max(0, self.now_us() - span.at_us))]

    def queue(self, audio: bytes) -> Span:
        """Put whole frames after all that waits."""
        duration_us = self._format.duration_us(len(audio))
        if self.waiting_us() + duration_us > _CAPACITY_US:
            raise QueueFull("more sound waits than a call may hold")
        at_us = max(self.now_us(), self.playing_until_us)
        span = Span(at_us, at_us + duration_us, audio)
        self.playing_until_us = span.until_us
        self.spans.append(span)
        self.said += audio
        return span

    def when_heard(self, at_us: int, resolve: Callable[[str], None]) -> None:
        """Call ``resolve`` with an outcome once all up to ``at_us`` was heard."""
        point = Point(at_us, resolve)
        self.points.append(point)
        seconds = max(0, at_us - self.now_us()) / 1e6
        point.timer = self._clock.callLater(seconds, self._reached, point)

    def cut(self, outcome: str) -> None:
        """Take back what was not heard; points not reached get ``outcome``."""
        now_us = self.now_us()
        for span in self.spans:
            span.audio = self.heard(span)
        self.playing_until_us = now_us
        points, self.points = self.points, []
        for point in points:
            if point.timer is not None and point.timer.active():
                point.timer.cancel()
            point.resolve("played" if point.at_us <= now_us else outcome)

    def _reached(self, point: Point) -> None:
        self.points.remove(point)
        point.resolve("played")
