# -*- test-case-name: tests.recording.test_hour -*-
"""An hour of trouble in virtual time, and how true its recording is.

The carrier's clock is not ours, the network and the reactor stall, frames are lost or
come in bursts, out of order and with wrong stamps, the agent is late and interrupted.
Every frame says what it is, so each can be found in the recording, which stays in
memory. :mod:`.truth` prints the figures.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any, cast

import numpy as np
from attrs import Factory, define, frozen
from twisted.internet.defer import execute
from twisted.internet.task import Clock

from ..formats import FRAME_US, MULAW_8K
from ..interfaces import CallRecord
from ..realtime.playout import PlayoutClock
from ..realtime.tracks import Note, Tracks
from ..recording.local import TURNS
from ..recording.mixer import Batch, Late, Mixed, Mixer, Moved
from ..recording.part import PartFile
from ..recording.parts import Part
from ..recording.recording import Recording

__all__ = ["Figures", "Hour"]

HOUR_US = 3_600_000_000
#: The carrier's clock is so much faster than ours: 360 ms in an hour.
PPM = 100
#: One way of the network, and the carrier's jitter buffer.
WAY_US, BUFFER_US = 40_000, 60_000


def frame_of(side: int, number: int) -> bytes:
    """:returns: a frame of sound that says what it is."""
    digits = (number // 62_500, number // 250 % 250, number % 250, side)
    return bytes(digits) + bytes([side]) * 156


def carrier_time(us: int) -> int:
    """:returns: what the carrier's clock shows at our time."""
    return us + us * PPM // 1_000_000


def our_time(us: int) -> int:
    """:returns: what our clock shows at the carrier's time."""
    return us * 1_000_000 // (1_000_000 + PPM)


class MemoryPart:
    """The file of a recording, in memory."""

    def __init__(self) -> None:
        self.mixer = Mixer(MULAW_8K)
        self.spooled: list[Batch] = []
        self.sound = bytearray()
        self.edits: list[Late | Moved] = []
        self.lines: list[Any] = []
        self.path, self.lost = None, ()
        self.chain = self.seal = ""
        self.duration_ms = self.late_frames = self.dropped_frames = 0

    def open(self) -> None:
        """Nothing is to be opened."""

    def spool(self, part: Part, batch: Batch) -> bool:
        """Keep a batch for later."""
        self.spooled.append(batch)
        return True

    def append(self, batch: Batch) -> None:
        """Mix what was spooled, and a batch."""
        self._write(self.mixer.mix(*self.spooled, batch))
        self.spooled.clear()

    def finish(self, last: Batch) -> None:
        """Mix the last batch."""
        self.append(last)
        self._write(self.mixer.rest())

    def sides(self) -> tuple[bytearray, bytearray]:
        """:returns: both channels, every edit in its place."""
        sides = (self.sound[::2], self.sound[1::2])
        for edit in self.edits:
            if isinstance(edit, Late):
                end = edit.position + len(edit.payload)
                sides[edit.channel][edit.position : end] = edit.payload
            else:
                _move(sides[1], edit)
        return sides

    def _write(self, mixed: Mixed) -> None:
        self.sound += mixed.block
        self.edits += mixed.edits
        self.lines += mixed.lines


def _move(side: bytearray, moved: Moved) -> None:
    sounds = [bytes(side[at:until]) for at, until, _ in moved.pieces]
    for (at, _, _), sound in zip(moved.pieces, sounds, strict=True):
        side[at : at + len(sound)] = b"\xff" * len(sound)
    for (at, _, by), sound in zip(moved.pieces, sounds, strict=True):
        fits = sound[: max(0, len(side) - at - by)]
        side[at + by : at + by + len(fits)] = fits


@define
class FarSide:
    """The carrier: sends the caller's frames, and plays what it gets."""

    lot: Random
    #: Messages to us: when they arrive by our clock, in order.
    sent: deque[tuple[int, tuple[Any, ...]]] = Factory(deque)
    #: When each frame of ours was really heard, by the carrier's clock.
    heard: dict[int, int] = Factory(dict)
    lost: set[int] = Factory(set)
    playing_until: int = 0
    _playing: list[tuple[int, int]] = Factory(list)
    _marks: deque[int] = Factory(deque)
    _next: int = 0
    _held: tuple[Any, ...] | None = None

    def speak(self, now_us: int) -> None:
        """Send the caller's frames that are whole by now."""
        while (self._next + 1) * FRAME_US <= carrier_time(now_us):
            number, self._next = self._next, self._next + 1
            sent_us = our_time(self._next * FRAME_US)
            while self._marks and self._marks[0] <= self._next * FRAME_US:
                at_us = max(our_time(self._marks.popleft()), sent_us - FRAME_US)
                self._send(at_us, ("mark",))
            message = ("media", number * 20, frame_of(1, number))
            chance = self.lot.random()
            if chance < 0.01:
                self.lost.add(number)
            elif chance < 0.02 and self._held is None:
                self._held = message  # the next one overtakes it
                continue
            elif chance < 0.023:
                wrong = number * 20 + self.lot.choice((300, 8000, 10**9))
                self._send(sent_us, ("media", wrong, frame_of(1, number)))
                self.lost.add(number)
            else:
                self._send(sent_us, message)
            if self._held is not None:
                self._send(sent_us, self._held)
                self._held = None

    def play(self, number: int, sent_us: int) -> None:
        """Get a frame of ours."""
        arrives = carrier_time(sent_us) + 2 * WAY_US
        if arrives >= self.playing_until:
            self.playing_until = arrives + BUFFER_US
        self.heard[number] = self.playing_until
        self._playing.append((number, self.playing_until))
        self.playing_until += FRAME_US

    def mark(self) -> None:
        """Get a mark: it comes back when all before it was played."""
        self._marks.append(self.playing_until)

    def clear(self, sent_us: int) -> None:
        """Drop what is not played yet."""
        arrives = carrier_time(sent_us) + 2 * WAY_US
        for number, at in self._playing[-50:]:
            if at + FRAME_US > arrives:
                self.heard.pop(number, None)
        self._playing.clear()
        self.playing_until = min(self.playing_until, arrives)

    def _send(self, now_us: int, message: tuple[Any, ...]) -> None:
        # The way itself is in ``start``, too; only what differs from it counts.
        arrives = now_us + self.lot.randrange(6_000)
        if self.sent and self.lot.random() < 0.0005:
            arrives += self.lot.randrange(100_000, 1_500_000)
        last = self.sent[-1][0] if self.sent else 0
        self.sent.append((max(arrives, last), message))


@frozen(kw_only=True)
class Figures:
    """How true a recording is."""

    #: How much longer it is than the carrier's hour.
    length_off_ms: float
    #: Frames of the caller in a wrong place, in none though they came, and lost ones.
    caller_wrong: int
    caller_missing: int
    caller_lost: int
    #: What the sidecar calls gaps, all together.
    gaps_ms: float
    #: How far from where it was heard each frame of the service lies.
    service_off_ms: list[float]
    #: Frames that were heard and are not within 100 ms.
    service_missing: int


class Hour:
    """One long call."""

    def __init__(self) -> None:
        self.lot = Random(4)  # noqa: S311
        self.clock = Clock()
        self.far = FarSide(Random(5))  # noqa: S311
        self.tracks = Tracks(MULAW_8K)
        self.playout = PlayoutClock(100_000)
        self.part = MemoryPart()
        record = CallRecord(
            session_id="n1-1", call_id="CA1", account_id="AC1", stream_id="MZ1",
            from_number="", to_number="", format=MULAW_8K, started_at=0.0,
            started_us=0,
        )  # fmt: skip
        self.recording = Recording(
            clock=self.clock,
            record=record,
            tracks=self.tracks,
            part=cast(PartFile, self.part),
            defer_to_thread=execute,
            spool=self.part.spool,
            keep_unspoken=True,
        )
        self.recording.arm()
        self.number = self.turns = 0
        #: Frames that the utterance still has, where it began, and marks under way.
        self.left = 0
        self.began_us: int | None = None
        self.marks: deque[tuple[int, int]] = deque()
        self.told: set[tuple[int, int]] = set()

    def run(self) -> Figures:
        """Let it all happen. :returns: how true the recording is."""
        self.go_on()
        self.recording.end()
        caller, service = self.part.sides()
        length_us = len(caller) * 125
        wrong, missing = self._caller(caller)
        off, unheard = self._service(service)
        return Figures(
            length_off_ms=(length_us - carrier_time(HOUR_US)) / 1000,
            caller_wrong=wrong,
            caller_missing=missing,
            caller_lost=len(self.far.lost),
            gaps_ms=sum(
                line["ms"] for line in self.part.lines if line["kind"] == "gap"
            ),
            service_off_ms=off,
            service_missing=unheard,
        )

    def go_on(self) -> None:
        """Let an hour go by, in turns of our reactor."""
        now_us = free_us = turn_us = 0
        self.recording.trigger()
        while now_us < HOUR_US:
            now_us += FRAME_US
            self.far.speak(now_us)
            if now_us < free_us:
                continue
            if self.lot.random() < 0.001:
                free_us = now_us + self.lot.randrange(20_000, 400_000)
                continue
            self.clock.rightNow = now_us / 1e6
            self.listen(now_us)
            self.talk(now_us)
            if now_us >= turn_us:
                turn_us += 707_000
                self.look(now_us + self.lot.randrange(FRAME_US))

    def look(self, now_us: int) -> None:
        """Hand on what has come, at some time between two ticks."""
        self.far.speak(now_us)
        self.clock.rightNow = now_us / 1e6
        self.listen(now_us)
        self.turns += 1
        self.recording.turn(60_000_000, spooled=self.turns % TURNS > 0)

    def listen(self, now_us: int) -> None:
        """Read what has arrived."""
        while self.far.sent and self.far.sent[0][0] <= now_us:
            _, message = self.far.sent.popleft()
            if message[0] == "media":
                self.tracks.heard.add(*message[1:])
                continue
            if self.marks:
                span = self.marks.popleft()
                heard = len(self.tracks.heard)
                self.tracks.notes.append(Note("played", now_us, heard, *span))

    def talk(self, now_us: int) -> None:
        """Send what is due, begin, break off and end utterances."""
        if self.left and self.lot.random() < 0.002 and self.number % 3:
            self.interrupt(now_us)
        elif not self.left and self.lot.random() < 0.005:
            self.left = self.lot.randrange(1, 400)
        for _ in range(min(self.playout.frames_due(now_us), self.left)):
            if self.lot.random() < 0.003:
                return  # the agent is late
            start_us = self.playout.frame_sent(now_us)
            self.began_us = start_us if self.began_us is None else self.began_us
            self.tracks.played.add(start_us, frame_of(2, self.number))
            self.far.play(self.number, now_us)
            self.number += 1
            self.left -= 1
            if not self.left:
                self.marks.append((self.began_us, self.playout.playing_until_us))
                self.began_us = None
                self.far.mark()

    def interrupt(self, now_us: int) -> None:
        """The caller breaks in."""
        self.left, self.began_us = 0, None
        self.playout.cleared(now_us)
        self.tracks.played.cut(now_us)
        self.tracks.notes.append(Note("clear", now_us, len(self.tracks.heard)))
        self.far.clear(now_us)

    def _caller(self, side: bytearray) -> tuple[int, int]:
        """:returns: how many frames lie in a wrong place, and how many in none."""
        count = len(side) // 160
        frames = np.frombuffer(side, np.uint8)[: count * 160].reshape(-1, 160)
        spoken = np.flatnonzero(frames[:, 10] == 1)
        numbers = frames[spoken, :3].astype(np.int64) @ [62_500, 250, 1]
        expected = set(range(count - 80)) - self.far.lost
        missing = expected - set(spoken.tolist())
        return int((numbers != spoken).sum()), len(missing)

    def _service(self, side: bytearray) -> tuple[list[float], int]:
        """:returns: how far off each frame lies that was heard, and how many do not."""
        off, missing = list[float](), 0
        for number, at_us in self.far.heard.items():
            at = at_us * 8 // 1000
            window = side[max(0, at - 800) : at + 800 + 160]
            found = window.find(frame_of(2, number))
            if found < 0:
                missing += 1
            else:
                off.append(abs(found - min(800, at)) / 8)
        return off, missing
