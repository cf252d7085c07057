# -*- test-case-name: tests.realtime.test_stream -*-
"""The way out of one call: its one queue of sound, and the tick that empties it.

Frames are encoded for the wire when they are queued, outside the tick. The tick writes
what the playout clock allows, sets flags and counts; it raises nothing it can foresee,
starts nothing, and calls no one but the transport.
"""

from __future__ import annotations

from collections import deque

from ..formats import FRAME_US
from ..interfaces import Dialect, MediaTransport
from .flags import Flags
from .meters import AUDIBLE_HOLE_US, StreamMeters
from .playout import PlayoutClock
from .spoken import Spoken
from .tracks import Tracks

__all__ = ["OutgoingStream"]


#: What waits: the bytes for the wire, the frame of sound and what it is part of; or a
#: mark, with its name, when there is no sound. No class: one is made for each frame.
_Waiting = tuple[bytes, bytes, Spoken | None, str]


class OutgoingStream:
    """
    What one call has still to send.

    Frames may be queued before :meth:`open`, when the dialect does not know its stream
    yet; they are encoded then. Nothing is written before ``open``, nor after ``close``.
    """

    __slots__ = (
        "_comforting",
        "_dialect",
        "_frame_bytes",
        "_queue",
        "_silence",
        "_started_us",
        "_starved",
        "_transport",
        "flags",
        "generation",
        "meters",
        "passed",
        "playout",
        "tracks",
        "waiting",
    )

    def __init__(
        self,
        transport: MediaTransport,
        dialect: Dialect,
        tracks: Tracks | None,
        lead_us: int,
        *,
        most_lead_us: int = 0,
        comfort: bool = False,
    ) -> None:
        """
        :param tracks: where what was played is noted, None to note nothing.
        :param lead_us: how much sound the carrier may hold.
        :param most_lead_us: what that may grow to after late ticks.
        :param comfort: whether silence is sent while there is nothing to play.
        """
        self._transport = transport
        self._dialect = dialect
        self._frame_bytes = dialect.format.frame_bytes
        self._queue: deque[_Waiting] = deque()
        #: How many frames of sound wait in the queue.
        self.waiting = 0
        self._comforting = comfort
        #: The wire bytes of a frame of silence, while any may be sent.
        self._silence = b""
        self._started_us: int | None = None
        self._starved = False
        self.flags = Flags()
        self.meters = StreamMeters()
        self.playout = PlayoutClock(lead_us, most_lead_us)
        self.tracks = tracks
        #: Marks that a carrier without marks will have played up to, and when.
        self.passed: list[tuple[int, str]] = []
        #: Frames of an older generation never leave [BI-1, B10].
        self.generation = 0

    # -- outside the tick ---------------------------------------------------------

    @property
    def waiting_us(self) -> int:
        """How long the sound in the queue will play."""
        return self.waiting * FRAME_US

    def open(self, started_us: int) -> None:
        """
        The dialect knows its stream now: encode what was said before.

        :param started_us: when the carrier's ``start`` came; the tracks count from it.
        """
        self._started_us = started_us
        if self._comforting:
            sound = self._dialect.format
            self._silence = self._encode(sound.silence(sound.frame_bytes), "")
        early, self._queue = self._queue, deque()
        for _, payload, spoken, mark in early:
            wire = self._encode(payload, mark)
            self._queue.append((wire, payload, spoken, mark))

    def queue_frame(self, payload: bytes, spoken: Spoken) -> None:
        """
        Queue exactly one frame of sound.

        A frame of a stale generation is counted and goes no further.
        """
        if len(payload) != self._frame_bytes:
            raise ValueError(
                f"a frame is {self._frame_bytes} bytes, not {len(payload)}"
            )
        meters = self.meters
        meters.queued += 1
        if spoken.generation != self.generation:
            meters.flushed += 1
            return
        self._queue.append((self._encode(payload, ""), payload, spoken, ""))
        self.waiting += 1
        if self.waiting > meters.most_waiting:
            meters.most_waiting = self.waiting

    def queue_mark(self, name: str) -> None:
        """Queue a mark behind all sound queued so far."""
        self._queue.append((self._encode(b"", name), b"", None, name))

    def reject(self, frames: int) -> None:
        """Count frames that were refused because too much waits."""
        self.meters.queued += frames
        self.meters.rejected += frames

    def clear(self, now_us: int) -> int:
        """
        Drop what waits here, and, if it can, tell the carrier to drop what it holds.

        :returns: how much sound will never be heard, in microseconds.
        """
        self.generation += 1
        dropped_us = self.waiting_us
        self.meters.flushed += self._empty()
        self._starved = False
        if self._dialect.capabilities.clear and self._started_us is not None:
            dropped_us += max(0, self.playout.playing_until_us - now_us)
            self.playout.cleared(now_us)
            if self.tracks is not None:
                self.tracks.played.cut(now_us - self._started_us)
            self._transport.write(self._transport.frame(self._dialect.clear()))
        return dropped_us

    def close(self) -> None:
        """Drop what waits, and write nothing more."""
        self.meters.dropped += self._empty()
        self._started_us = None
        self._silence = b""

    def _encode(self, payload: bytes, mark: str) -> bytes:
        """:returns: the bytes for the wire; none before ``open``."""
        if self._started_us is None:
            return b""
        if payload:
            return self._transport.frame(self._dialect.media(payload))
        if self._dialect.capabilities.marks:
            return self._transport.frame(self._dialect.mark(mark))
        return b""

    def _empty(self) -> int:
        dropped, self.waiting = self.waiting, 0
        self._queue.clear()
        self.passed.clear()
        return dropped

    # -- the tick -----------------------------------------------------------------

    def tick(self, now_us: int, late_us: int = 0) -> None:
        """
        Send what is due. This is real-time code: see the golden rule.

        :param late_us: how long ago this visit should have been. What is due is
            counted on the stream's grid, where it is one frame in each period; by
            the actual time a little jitter would make it none, and then two.
        """
        queue = self._queue
        flags = self.flags
        transport = self._transport
        if not queue:
            self._starved = True
            if transport.writable:
                flags.stalled_since_us = None
                self._comfort(now_us)
            else:
                # Answers to pings wait as well, and may be all that there is.
                self._hold(now_us)
            return
        if self._started_us is None:
            return
        playout = self.playout
        playout.adapt(now_us, late_us)
        due = playout.frames_due(now_us - late_us % FRAME_US)
        while queue:
            if not transport.writable:
                self._hold(now_us)
                return
            wire, payload, spoken, mark = queue[0]
            if payload:
                if due <= 0:
                    break
                due -= 1
                transport.write(wire)
                self._sent(payload, spoken, now_us)
            elif wire:
                transport.write(wire)
            else:
                self.passed.append((playout.playing_until_us, mark))
            queue.popleft()
        # What waits now waits for its time, not for the peer.
        flags.stalled_since_us = None

    def _sent(self, payload: bytes, spoken: Spoken | None, now_us: int) -> None:
        self.waiting -= 1
        self.meters.sent += 1
        flags = self.flags
        if flags.first_audio_sent_us is None:
            flags.first_audio_sent_us = now_us
        start_us = self.playout.frame_sent(now_us)
        if self.tracks is not None and self._started_us is not None:
            self.tracks.played.add(start_us - self._started_us, payload)
        if spoken is not None:
            hole_us = spoken.frame_sent(start_us)
            if hole_us >= AUDIBLE_HOLE_US:
                self.meters.underran(start_us - hole_us, hole_us, self._why())
        self._starved = False
        flags.stalled_since_us = None

    def _comfort(self, now_us: int) -> None:
        """Send silence when nothing plays; it is no part of what was said [TX-9]."""
        if self._silence and self.playout.playing_until_us <= now_us:
            self._transport.write(self._silence)
            self.meters.comfort += 1

    def _hold(self, now_us: int) -> None:
        self.meters.held_ticks += 1
        if self.flags.stalled_since_us is None:
            self.flags.stalled_since_us = now_us

    def _why(self) -> str:
        if self.flags.stalled_since_us is not None:
            return "socket"
        return "agent" if self._starved else "reactor"
