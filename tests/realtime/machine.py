"""Everything that can be done to an outgoing stream, in any order.

The model is a plain list of what waits. After each step the stream's counts must agree
with it, and each write must be the next thing in the model: so nothing stale, nothing
twice, nothing out of order, and nothing early ever leaves.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from twistedvoice.formats import FRAME_US
from twistedvoice.realtime.spoken import Spoken

from .doubles import TWILIO_OVER_WEBSOCKET, Line

__all__ = ["StreamMachine"]

_Said = tuple[str, bytes | str]

LEADS = st.sampled_from([20_000, 40_000, 100_000])
PAUSES = st.sampled_from([20_000, 20_000, 19_000, 21_500, 1_000, 79_000])
TICKS = st.lists(PAUSES, min_size=1, max_size=6)


class StreamMachine(RuleBasedStateMachine):
    """One stream, its model, and a clock that never goes back."""

    make_line = TWILIO_OVER_WEBSOCKET

    @initialize(lead_us=LEADS, early=st.integers(0, 3), opened=st.booleans())
    def make(self, lead_us: int, early: int, opened: bool) -> None:
        """A new call, in which something may be said before its stream starts."""
        self.line: Line = self.make_line(lead_us)
        self.stream = self.line.stream
        self.lead_us = lead_us
        self.now_us = 1_000_000
        self.spoken = [Spoken(0)]
        self.waiting: list[_Said] = []
        self.state = "early"
        self.queued = self.sent = 0
        self.first_us: int | None = None
        self.marks = 0
        if early:
            self.queue(early, 0)
            self.mark()
        if opened:
            self.open()

    @precondition(lambda self: self.state == "closed")
    @rule(lead_us=LEADS, early=st.integers(0, 3))
    def make_another(self, lead_us: int, early: int) -> None:
        """The call is over; the next one begins."""
        self.make(lead_us, early, opened=True)

    # -- what others do -----------------------------------------------------------

    @rule(frames=st.integers(1, 12), which=st.integers(0, 3))
    def queue(self, frames: int, which: int) -> None:
        """The agent says something, in the last utterance or in one that was cut."""
        spoken = self.spoken[-1 - which % len(self.spoken)]
        said = self.line.say(frames, spoken)
        self.queued += frames
        if which % len(self.spoken) == 0:
            self.waiting += [("media", payload) for payload in said]

    @rule()
    def mark(self) -> None:
        """The agent wants to know when it was heard."""
        self.marks += 1
        self.stream.queue_mark(f"m{self.marks}")
        self.waiting.append(("mark", f"m{self.marks}"))

    @rule(frames=st.integers(1, 40))
    def reject(self, frames: int) -> None:
        """The agent says too much."""
        self.stream.reject(frames)
        self.queued += frames

    @rule()
    def clear(self) -> None:
        """The caller interrupts."""
        passed = len(self.line.transport.events)
        self.stream.clear(self.now_us)
        self.spoken.append(Spoken(self.stream.generation))
        self.waiting.clear()
        told = self.state == "open" and self.line.dialect.capabilities.clear
        self.assert_written(passed, [("clear", "")] if told else [])

    @precondition(lambda self: self.state == "early")
    @rule()
    def open(self) -> None:
        """The carrier starts the stream."""
        self.line.open(self.now_us)
        self.state = "open"

    @precondition(lambda self: self.state != "closed")
    @rule(room=st.integers(0, 6), pauses_us=TICKS, again=st.booleans())
    def slow_peer(self, room: int, pauses_us: list[int], again: bool) -> None:
        """The peer reads no more, or only a little; perhaps it reads again later."""
        transport = self.line.transport
        transport.room = room
        transport.writable = room > 0
        self.ticks(pauses_us, 0)
        if again:
            transport.resume()

    @precondition(lambda self: self.state != "closed")
    @rule()
    def resume(self) -> None:
        """The peer reads again."""
        self.line.transport.resume()

    @rule()
    def close(self) -> None:
        """The call ends, and its socket with it."""
        self.stream.close()
        self.line.transport.close("over")
        self.waiting.clear()
        self.state = "closed"

    # -- the tick -----------------------------------------------------------------

    @rule(pauses_us=TICKS, late_us=st.sampled_from([0, 0, 300, 9_000, 19_999]))
    def ticks(self, pauses_us: list[int], late_us: int) -> None:
        """Time passes, and the schedule comes, sooner or later in its period."""
        for pause_us in pauses_us:
            self.tick(pause_us, late_us)

    @rule(frames=st.integers(1, 12), pause_us=PAUSES)
    def say(self, frames: int, pause_us: int) -> None:
        """The agent says something in time for the next tick."""
        self.queue(frames, 0)
        self.mark()
        self.tick(pause_us)

    def tick(self, pause_us: int, late_us: int = 0) -> None:
        """One tick, and whether it wrote the right things."""
        self.now_us += pause_us
        transport = self.line.transport
        passed = len(transport.events)
        could = self.state == "open" and transport.writable
        before_us = max(self.now_us, self.stream.playout.playing_until_us)
        already_passed = len(self.stream.passed)
        self.stream.tick(self.now_us, late_us)
        writes = len(transport.events) - passed
        assert could or not writes
        frames = self.take_model(passed, already_passed)
        self.sent += frames
        if frames and self.first_us is None:
            self.first_us = self.now_us
        self.assert_pace(frames, before_us)
        if could and transport.writable:
            self.assert_all_due_was_sent(self.now_us - late_us)

    def take_model(self, passed: int, already_passed: int) -> int:
        """:returns: the frames written, all from the front of the model, in order."""
        marks = self.line.dialect.capabilities.marks
        silent = [("mark", name) for _, name in self.stream.passed[already_passed:]]
        writes = len(self.line.transport.events) - passed
        count = writes + len(silent)
        gone, self.waiting = self.waiting[:count], self.waiting[count:]
        assert marks or [each for each in gone if each[0] == "mark"] == silent
        written = [each for each in gone if marks or each[0] == "media"]
        self.assert_written(passed, written)
        return sum(kind == "media" for kind, _ in gone)

    def assert_written(self, passed: int, wanted: list[_Said]) -> None:
        """What was written since then is exactly what was wanted."""
        transport, understand = self.line.transport, self.line.carrier.understand
        written = [
            understand(transport.unframe(wire))
            for _, wire in transport.events[passed:]
            if isinstance(wire, bytes)
        ]
        assert written == wanted, (written, wanted)

    def assert_pace(self, frames: int, before_us: int) -> None:
        """No more than the lead went out, and the clock knows it."""
        playing_until_us = self.stream.playout.playing_until_us
        assert frames <= self.lead_us // FRAME_US
        if frames:
            assert playing_until_us == before_us + frames * FRAME_US
            assert playing_until_us - self.now_us < self.lead_us + FRAME_US

    def assert_all_due_was_sent(self, due_us: int) -> None:
        """A frame that still waits on an open line waits for its time."""
        if self.waiting:
            assert self.waiting[0][0] == "media"
            ahead_us = self.stream.playout.playing_until_us - due_us
            assert ahead_us >= self.lead_us

    # -- at any time --------------------------------------------------------------

    @invariant()
    def conservation(self) -> None:
        """Every frame is in exactly one place [OB-1]."""
        meters = self.stream.meters
        gone = meters.sent + meters.flushed + meters.rejected + meters.dropped
        assert meters.queued == gone + self.stream.waiting == self.queued
        assert meters.sent == self.sent
        frames = sum(kind == "media" for kind, _ in self.waiting)
        assert self.stream.waiting == frames
        assert self.stream.waiting_us == frames * FRAME_US

    @invariant()
    def first_audio(self) -> None:
        """The flag tells of the first frame that was written [TX-7]."""
        assert self.stream.flags.first_audio_sent_us == self.first_us

    @invariant()
    def nothing_failed(self) -> None:
        """Nothing of this is a failure, and no hole is without its reason."""
        assert self.stream.flags.failure is None
        meters = self.stream.meters
        assert set(meters.underruns) <= {"agent", "reactor", "socket"}
        assert sum(hole.length_us for hole in meters.ledger) == meters.underrun_us
