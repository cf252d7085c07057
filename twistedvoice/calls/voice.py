# -*- test-case-name: tests.calls.test_voice -*-
"""The speaking side of one call: says, falls silent, and knows what was heard.

It stands between the agent, who speaks in utterances of any length, and the outgoing
stream, which knows only frames. It has no timers: the flag watcher calls ``look``.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from ..interfaces import Dialect
from ..realtime.stream import OutgoingStream
from ..realtime.tracks import Note
from .goodbye import MARK_GRACE_SECONDS
from .latency import Waits
from .marks import Marks
from .utterance import SpokenUtterance

__all__ = ["Voice"]

#: More than this is enough for now: ``room`` waits ...
_HIGH_US = 10_000_000
#: ... until no more than this is left.
_LOW_US = 2_000_000


class Voice:
    """What a call says, in order."""

    def __init__(
        self,
        stream: OutgoingStream,
        dialect: Dialect,
        now_us: Callable[[], int],
        waits: Waits,
    ) -> None:
        """:param waits: is told of what was said, once it has ended."""
        self.stream = stream
        self.marks = Marks()
        self._dialect = dialect
        self._now_us = now_us
        self._waits = waits
        self._open: SpokenUtterance | None = None
        self._unfinished: dict[SpokenUtterance, None] = {}
        self._room: list[Deferred[None]] = []
        #: When the newest mark was queued.
        self._marked_us = 0
        self.interrupts = 0
        #: From the last interrupt to the carrier's being told, in microseconds.
        self.clear_took_us = 0

    @property
    def is_playing(self) -> bool:
        """Whether something is, or is about to be, heard."""
        ahead_us = self.stream.playout.playing_until_us - self._now_us()
        return ahead_us > 0 or self.stream.waiting > 0

    @property
    def is_pending(self) -> bool:
        """Whether something plays, or is not known to have been heard to its end."""
        return self.is_playing or bool(self._unfinished)

    def is_open(self, utterance: object) -> bool:
        """:returns: whether ``utterance`` is the one that is not whole yet."""
        return self._open is utterance

    @property
    def unheard_us(self) -> int:
        """How long it takes until all that was said so far has been heard."""
        ahead_us = self.stream.playout.playing_until_us - self._now_us()
        return max(0, ahead_us) + self.stream.waiting_us

    def speak(self) -> SpokenUtterance:
        """Begin an utterance; it ends the one before."""
        if self._open is not None:
            self._open.end()
        utterance = SpokenUtterance(self.stream, self._dialect.format, self._now_us)
        utterance.on_end = self._ended
        self._open = utterance
        self._unfinished[utterance] = None
        return utterance

    def say(self, audio: bytes) -> SpokenUtterance:
        """Say all of ``audio``, or, when it does not fit, none of it."""
        utterance = self.speak()
        try:
            utterance.write(audio)
        except Exception:
            self._open = None
            del self._unfinished[utterance]
            raise
        utterance.end()
        return utterance

    def send_mark(self, resolved: Callable[[str], object]) -> None:
        """Call ``resolved`` with the outcome once all said so far was heard."""
        self._marked_us = self._now_us()
        self.stream.queue_mark(self.marks.add(resolved))

    def interrupt(self) -> int:
        """
        Fall silent; see :meth:`twistedvoice.interfaces.CallControl.interrupt`.

        :returns: the milliseconds dropped unheard; 0 when nothing was being said, and
            then nothing is told to the carrier either.
        """
        if not self._unfinished and not self._can_drop():
            return 0
        now_us = self._now_us()
        self.interrupts += 1
        dropped_us = self.stream.clear(now_us)
        self.clear_took_us = self._now_us() - now_us
        if self._dialect.capabilities.clear:
            self._cut(now_us)
            self._note("clear", now_us)
        self._finish_all("cleared")
        return dropped_us // 1000

    def shut(self) -> None:
        """Take nothing new; what is queued may still be heard."""
        if self._open is not None:
            self._open.shut()

    def room(self) -> Deferred[None]:
        """:returns: fires when little enough waits; see ``CallControl.room``."""
        if self.stream.waiting_us <= _HIGH_US:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._room.append(waiter)
        return waiter

    def look(self, now_us: int) -> None:
        """Do what the tick must not: wake who waits for room, assume marks."""
        if self._room and self.stream.waiting_us <= _LOW_US:
            self._make_room()
        passed = self.stream.passed
        while passed and passed[0][0] <= now_us:
            self.marks.resolve(passed.pop(0)[1], "assumed")
        quiet_since_us = max(self.stream.playout.playing_until_us, self._marked_us)
        overdue_us = now_us - quiet_since_us - MARK_GRACE_SECONDS * 1_000_000
        if overdue_us > 0 and not self.stream.waiting:
            self.marks.resolve_all("assumed")  # the carrier has lost them

    def close(self) -> None:
        """The call is over: nothing more is said, and nobody waits any longer."""
        self.stream.close()
        self._cut(self._now_us())
        self._finish_all("lost")
        self._make_room()

    def _ended(self, utterance: SpokenUtterance) -> None:
        if self._open is utterance:
            self._open = None

        ended_us = self._now_us()

        def resolved(outcome: str) -> None:
            if utterance in self._unfinished:
                del self._unfinished[utterance]
                played = outcome == "played"
                self._note_said(utterance, outcome, ended_us if played else None)
            utterance.resolve(outcome)

        self.send_mark(resolved)

    def _cut(self, now_us: int) -> None:
        for utterance in self._unfinished:
            utterance.spoken.cut(now_us)

    def _note_said(
        self, utterance: SpokenUtterance, outcome: str, marked_us: int | None = None
    ) -> None:
        """
        Tell where an utterance lies, and what became of it.

        :param marked_us: when its mark was queued, if that has just come back.
        """
        span_us = utterance.spoken.span_us
        if span_us is None:
            return
        now_us, (from_us, until_us) = self._now_us(), span_us
        self._note(outcome, now_us, from_us, until_us)
        # A mark that came behind sound long played says nothing of the ear.
        behind = marked_us is not None and marked_us <= until_us <= now_us
        self._waits.spoke(from_us, until_us, now_us - until_us if behind else None)

    def _note(self, kind: str, now_us: int, *span_us: int) -> None:
        tracks = self.stream.tracks
        if tracks is not None:
            tracks.notes.append(Note(kind, now_us, len(tracks.heard), *span_us))

    def _can_drop(self) -> bool:
        if self._dialect.capabilities.clear:
            return self.is_playing
        return self.stream.waiting > 0

    def _finish_all(self, outcome: str) -> None:
        self._open = None
        unfinished, self._unfinished = self._unfinished, {}
        # Whoever is told may write to another of them at once: it must be over, too.
        for utterance in unfinished:
            utterance.settle(outcome)
            self._note_said(utterance, outcome)
        self.marks.resolve_all(outcome)
        for utterance in unfinished:
            utterance.resolve(outcome)

    def _make_room(self) -> None:
        waiters, self._room = self._room, []
        for waiter in waiters:
            waiter.callback(None)
