# -*- test-case-name: tests.calls.test_voice -*-
"""Something the agent says, from its first byte to the caller's ear.

It owns its framer and knows its place on the playout clock. The voice of the call makes
it, and tells it when a mark or an interrupt ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from ..errors import CallStateError, QueueFull
from ..formats import AudioFormat
from ..realtime.framer import Framer
from ..realtime.spoken import Spoken

if TYPE_CHECKING:
    from ..realtime.stream import OutgoingStream

__all__ = ["MOST_WAITING_FRAMES", "SpokenUtterance"]

#: The hard cap of a call's queue: five minutes of sound, some ten megabytes.
MOST_WAITING_FRAMES = 15_000


class SpokenUtterance:
    """
    Implements :class:`twistedvoice.interfaces.Utterance`.

    After it was cut off, or its call ended, ``write`` drops what comes: a source that
    runs ahead of its caller need not be careful.
    """

    def __init__(
        self,
        stream: OutgoingStream,
        format: AudioFormat,  # noqa: A002
        now_us: Callable[[], int],
    ) -> None:
        self._stream = stream
        self._format = format
        self._framer = Framer(format)
        self._written = 0
        self._now_us = now_us
        self._waiters: list[Deferred[str]] = []
        self._outcome: str | None = None
        self.spoken = Spoken(stream.generation)
        self.ended = False
        self._shut = False
        #: Called by ``end``, after the last frame was queued.
        self.on_end: Callable[[SpokenUtterance], object] | None = None

    def write(self, audio: bytes) -> None:
        if self._shut:
            return
        if self.ended:
            raise CallStateError("this utterance has ended; begin another")
        tail = self._framer.tail
        frames = self._framer.push(audio)
        if self._stream.waiting + len(frames) > MOST_WAITING_FRAMES:
            self._framer.tail = tail
            self._stream.reject(len(frames))
            raise QueueFull("five minutes of sound wait already; await call.room()")
        self._written += len(audio)
        for frame in frames:
            self._stream.queue_frame(frame, self.spoken)

    def end(self) -> None:
        if self.ended:
            return
        self.ended = True
        for frame in self._framer.finish():
            self._stream.queue_frame(frame, self.spoken)
        if self.on_end is not None:
            self.on_end(self)

    def finished(self) -> Deferred[str]:
        waiter: Deferred[str] = Deferred()
        if self._outcome is not None:
            waiter.callback(self._outcome)
        else:
            self._waiters.append(waiter)
        return waiter

    def heard_ms(self) -> int:
        # The silence that fills the last frame is not what was said.
        said_us = self._format.duration_us(self._written)
        return min(self.spoken.heard_us(self._now_us()), said_us) // 1000

    def shut(self) -> None:
        """Drop what is written from now on; what was queued may still be heard."""
        self._shut = True
        self.on_end = None
        self._framer.tail = b""

    def settle(self, outcome: str) -> str:
        """
        It has ended in ``outcome``, but nobody is told yet.

        :returns: the outcome that counts, which is the first.
        """
        if self._outcome is None:
            self._outcome = outcome
            if outcome in ("cleared", "lost"):
                self.shut()
        return self._outcome

    def resolve(self, outcome: str) -> None:
        """Settle it, and tell everyone who waits."""
        settled = self.settle(outcome)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(settled)
