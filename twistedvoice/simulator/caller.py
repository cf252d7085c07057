# -*- test-case-name: tests.simulator.test_caller -*-
"""One simulated call, without a socket: text messages in, text messages out.

It plays the script, runs the playout buffer, echoes marks and keeps the journal. Time
is an argument: milliseconds since the stream started. The shell in
:mod:`.carrier` ticks it about every 20 ms, and a late tick sends all that is due.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..formats import FRAME_MS, MULAW_8K
from . import wire
from .ear import Ear
from .journal import Journal
from .playout import PlayoutBuffer
from .script import Script

__all__ = ["SimulatedCall"]


class SimulatedCall:
    """
    The carrier's end of one stream. It is the scene of its own script.

    Each method that returns messages returns them in the order to send.
    """

    def __init__(
        self,
        writer: wire.StreamWriter,
        script: Script,
        journal: Journal,
        *,
        jitter_ms: int,
        max_ms: float,
    ) -> None:
        """:param max_ms: when the carrier ends the call, whatever the caller does."""
        self.journal = journal
        #: Whether the call has ended for us: ``stop`` was among the last messages.
        self.has_stopped = False
        self._writer = writer
        self._script = script
        self._sound = script.frames(self)
        self._max_ms = max_ms
        self._playout = PlayoutBuffer(jitter_ms=jitter_ms)
        journal.underruns = self._playout.underruns
        journal.played = self._playout.played
        self._ear = Ear()
        self._frame_ms = 0
        self._outgoing: list[str] = []

    # from the shell

    def start(self, params: Mapping[str, str]) -> list[str]:
        """:param params: what the markup asked to hand to the service."""
        self.journal.note(0.0, "started")
        return [self._writer.connected(), self._writer.start(params)]

    def receive(self, data: bytes, binary: bool, now_ms: float) -> list[str]:
        """Take a message of the service; once the call has ended it is too late."""
        if self.has_stopped:
            return []
        self._play_until(now_ms)
        if binary:
            self.journal.note(now_ms, "problem", "a binary message")
        else:
            self._take(wire.read(data, self._writer.stream_id), now_ms)
        self._play_until(now_ms)
        return self._take_outgoing()

    def tick(self, now_ms: float) -> list[str]:
        """Send the frames of the caller that are due by now."""
        due_ms = self._frame_ms + FRAME_MS
        self.journal.late_ms = max(self.journal.late_ms, now_ms - due_ms)
        while not self.has_stopped and self._frame_ms + FRAME_MS <= now_ms:
            self._next_frame()
        if not self.has_stopped:
            self._play_until(now_ms)
        return self._take_outgoing()

    def finish(self, now_ms: float, *, clean: bool) -> None:
        """
        The socket is gone; the journal gets its last lines.

        :param clean: whether it was closed as WebSocket wants it.
        """
        if not self.has_stopped:
            self._play_until(now_ms)
            self.journal.outcome = self._outcome_of_close(clean)
        self.journal.note(now_ms, "closed")

    # from the script

    @property
    def hears_speech(self) -> bool:
        """Whether the service speaks to the ear."""
        return self._ear.hears_speech

    def press(self, digit: str) -> None:
        """Press one key."""
        self.note("digit", digit)
        self._outgoing.append(self._writer.digit(digit))

    def hang_up(self) -> None:
        """The caller ends the call."""
        self._stop("completed")

    def note(self, kind: str, detail: str = "") -> None:
        """Write down what the caller does, at the time of its frame."""
        self.journal.note(float(self._frame_ms), kind, detail)

    def _next_frame(self) -> None:
        """Send the frame that began 20 ms ago: a carrier has it only at its end."""
        began_ms = self._frame_ms
        self._play_until(began_ms)
        frame = next(self._sound)
        if self.has_stopped:
            return
        self._frame_ms += FRAME_MS
        self.journal.said += frame
        self._outgoing.append(self._writer.media(frame, began_ms))
        if self._frame_ms >= self._max_ms:
            self._stop("completed" if self._script.is_done else "too_long")

    def _take(self, message: wire.ServiceMessage, now_ms: float) -> None:
        match message:
            case wire.Media(payload):
                self.journal.arrivals.append((now_ms, len(payload)))
                self._playout.media(payload)
            case wire.Mark(name):
                self.journal.note(now_ms, "mark_received", name)
                self._playout.mark(name)
            case wire.Clear():
                self._clear(now_ms)
            case wire.Problem(what):
                self.journal.note(now_ms, "problem", what)

    def _stop(self, outcome: str) -> None:
        self.has_stopped = True
        self.journal.outcome = outcome
        self.note("stopped")
        self._outgoing.append(self._writer.stop())

    def _clear(self, now_ms: float) -> None:
        dropped_ms = MULAW_8K.duration_us(self._playout.waiting) // 1000
        self.journal.note(now_ms, "clear", f"{dropped_ms} ms")
        self._echo(self._playout.clear(), now_ms)

    def _play_until(self, now_ms: float) -> None:
        heard, marks = self._playout.advance(now_ms)
        self.journal.heard += heard
        self.journal.duration_ms = max(self.journal.duration_ms, now_ms)
        for at_ms, kind in self._ear.listen(heard):
            self.journal.note(float(at_ms), kind)
        self._echo(marks, now_ms)

    def _echo(self, marks: list[str], now_ms: float) -> None:
        for name in marks:
            self.journal.note(now_ms, "mark_echoed", name)
            self._outgoing.append(self._writer.mark(name))

    def _outcome_of_close(self, clean: bool) -> str:
        if not clean:
            return "lost"
        return "completed" if self._script.is_done else "hung_up"

    def _take_outgoing(self) -> list[str]:
        messages, self._outgoing = self._outgoing, []
        return messages
