# -*- test-case-name: tests.recording.test_local -*-
"""What becomes of one call's recording, seen from the reactor.

Says when the file is begun, what is handed to the thread, and how it ends; touches no
file itself. At most one job of a call is in the thread at any time: while it is, sound
waits in the call's tracks, and when too much waits the oldest is given up: silence
keeps its time, and the sidecar and the CDR say where. The call goes on whatever happens
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from itertools import accumulate
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import CallRecord
from ..realtime.schedule import microseconds
from ..realtime.tracks import Note, Tracks
from .mixer import Batch
from .parts import Part
from .pauses import PAUSE, RESUME

__all__ = ["Recording", "State"]

#: What is younger stays in the tracks: a clear may still cut it.
_MARGIN_US = 200_000
#: A call that says nothing keeps this much in memory, then goes to the disk.
_UNSPOKEN_US = 30_000_000
#: How many spans of given up sound the CDR names; the sidecar names all.
_MOST_SPANS = 20

_log = Logger()


class State(Enum):
    """How far a recording has come."""

    #: Nothing is kept.
    IDLE = "idle"
    #: Sound is kept in memory until the call says something.
    ARMED = "armed"
    #: The file is being opened.
    STARTING = "starting"
    RECORDING = "recording"
    #: The whole recording is on disk.
    DONE = "done"
    #: Something went wrong; what there is on disk is not all.
    FAILED = "failed"
    #: There is none, as there should be none.
    SKIPPED = "skipped"


_NEXT: Mapping[State, frozenset[State]] = {
    State.IDLE: frozenset({State.ARMED}),
    State.ARMED: frozenset({State.STARTING, State.FAILED, State.SKIPPED}),
    State.STARTING: frozenset({State.RECORDING, State.FAILED}),
    State.RECORDING: frozenset({State.DONE, State.FAILED, State.SKIPPED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
    State.SKIPPED: frozenset(),
}


@define(kw_only=True, eq=False)
class Recording:
    """
    The recording of one call.

    :param defer_to_thread: runs the methods of ``part``.
    :param spool: takes a batch of it that is to be written with later ones; see
        :meth:`.parts.Parts.spool`.
    :param keep_unspoken: whether to keep a call in which nothing was ever said to the
        caller.
    """

    clock: IReactorTime
    record: CallRecord
    tracks: Tracks
    part: Part
    defer_to_thread: Callable[..., Deferred[Any]]
    spool: Callable[[Part, Batch], bool]
    keep_unspoken: bool
    #: Whether sound may be kept; before, all of it is dropped.
    has_consent: bool = True
    state: State = field(default=State.IDLE, init=False)
    _spoken: bool = field(default=False, init=False)
    #: Frames given up since the disk did not answer.
    _given_up: int = field(default=0, init=False)
    #: When that was, in spans; and those that the sidecar does not know of yet.
    _lost: list[tuple[int, int]] = field(factory=list, init=False)
    _untold: list[tuple[int, int]] = field(factory=list, init=False)
    #: Since when it is paused, and how long it was before, on the recording's time.
    _paused_since_us: int | None = field(default=None, init=False)
    _paused_us: int = field(default=0, init=False)
    _reason: str = field(default="", init=False)
    _one_job: DeferredLock = field(factory=DeferredLock, init=False)

    @property
    def is_degraded(self) -> bool:
        """Whether some of the sound is missing through a fault on our side."""
        return self.state is State.FAILED or self._given_up > 0 or bool(self.part.lost)

    def arm(self) -> None:
        """The call is to be recorded."""
        self._enter(State.ARMED)

    def trigger(self) -> None:
        """The caller was told something; again is nothing new."""
        self._spoken = True
        if self.has_consent:
            self._start()

    def pause(self) -> None:
        """Record silence from now on, on both sides; again is nothing new."""
        if self._paused_since_us is None:
            self._paused_since_us = self._now_us()
            if self.has_consent:
                self._note(PAUSE)

    def resume(self) -> None:
        """Record sound again; nothing happens while it is not paused."""
        if self._paused_since_us is not None:
            self._paused_us += self._now_us() - self._paused_since_us
            self._paused_since_us = None
            if self.has_consent:
                self._note(RESUME)

    def consent(self) -> None:
        """
        The caller agreed: keep sound from now on; again is nothing new.

        What was before is a pause from the start, as far as files know.
        """
        if self.has_consent:
            return
        self.has_consent = True
        self.tracks.notes = [Note(PAUSE, self.record.started_us, 0)]
        if self._paused_since_us is None:
            self._note(RESUME)
        if self._spoken:
            self._start()

    def turn(self, waiting_us: int, *, spooled: bool) -> None:
        """
        Hand on what was said since the last turn; called every 0.7 s or so.

        :param waiting_us: how much may wait for a disk that does not answer.
        :param spooled: whether it may be written with what the next turns hand on.
        """
        now_us = self._now_us()
        if self.state is State.FAILED or not self.has_consent:
            self.tracks.take(now_us)
            self.tracks.notes.clear()
        elif self.state is State.ARMED and now_us > _UNSPOKEN_US:
            self._start()
        elif self.tracks.ended_us is not None:
            pass  # what is left belongs to the end
        elif self.state is State.RECORDING and not self._one_job.locked:
            batch = self._take(now_us - _MARGIN_US)
            if not (spooled and self.spool(self.part, batch)):
                self._run(self._job, self.part.append, batch)
        elif self.state is not State.ARMED:
            self._forget(now_us - waiting_us)

    def end(self) -> Deferred[Mapping[str, object]]:
        """
        The call is over.

        :returns: fires with what belongs into the CDR, once all is on disk.
        """
        # A call may be over before anybody came to say that its first frame was sent.
        self._spoken = self._spoken or bool(self.tracks.played)
        if self.state is State.ARMED and not self.has_consent:
            self._reason = "no_consent"
            self._enter(State.SKIPPED)
        elif self._spoken or self.keep_unspoken:
            self._start()
        elif self.state is State.ARMED:
            self._enter(State.SKIPPED)
        now_us = self._now_us()
        if self.tracks.ended_us is not None:
            now_us = self.tracks.ended_us
        self.tracks.played.cut(now_us)
        if self._paused_since_us is not None:
            self._paused_us += now_us - self._paused_since_us
        ended = self._run(self._finish, self._take(now_us))
        return ended.addCallback(lambda _: self._facts())

    def broke(self, failure: Failure) -> None:
        """Something went wrong; the first time counts, and is logged."""
        if State.FAILED not in _NEXT[self.state]:
            return
        self._enter(State.FAILED)
        self._reason = failure.getErrorMessage()
        if isinstance(failure.value, OSError):
            _log.error(
                "call {call_id}: the recording failed: {reason}",
                call_id=self.record.call_id,
                reason=self._reason,
            )
        else:
            _log.failure(
                "while recording call {call_id}", failure, call_id=self.record.call_id
            )

    def _start(self) -> None:
        if self.state is State.ARMED:
            self._enter(State.STARTING)
            self._run(self._job, self.part.open, then=State.RECORDING)

    def _finish(self, last: Batch) -> Deferred[None] | None:
        if self.state is State.SKIPPED:
            return None
        if not self._spoken and not self.keep_unspoken:
            return self._job(self.part.discard, then=State.SKIPPED)
        if self.state is State.FAILED:
            return self._job(self.part.fail)
        return self._job(self.part.finish, last, then=State.DONE)

    def _run(self, job: Callable[..., object], *args: Any, **kw: Any) -> Deferred[Any]:
        """Begin ``job`` when the one before it is through."""
        return self._one_job.run(job, *args, **kw)

    def _job(
        self, work: Callable[..., None], *args: Any, then: State | None = None
    ) -> Deferred[None]:
        """Do ``work`` in the thread; never fails."""

        def done(_: object) -> None:
            if then is not None and self.state is not State.FAILED:
                self._enter(then)

        return self.defer_to_thread(work, *args).addCallbacks(done, self.broke)

    def _take(self, until_us: int) -> Batch:
        heard, played = self.tracks.take(until_us)
        notes, self.tracks.notes = self.tracks.notes, []
        lost, self._untold = self._untold, []
        if self.tracks.played.first is not None:
            # One frame that is still playing stays whole.
            until_us = min(until_us, self.tracks.played.first)
        started_us = self.record.started_us
        notes = [_since(note, started_us) for note in notes]
        return Batch(heard, played, until_us, self._now_us(), notes, lost)

    def _note(self, kind: str) -> None:
        now_us = microseconds(self.clock)
        self.tracks.notes.append(Note(kind, now_us, len(self.tracks.heard)))

    def _forget(self, before_us: int) -> None:
        """Give up the sound from before ``before_us``."""
        heard, played = self.tracks.heard, self.tracks.played
        before_ms = -(-before_us // 1000)
        count = len(heard) + len(played)
        gone_us: list[int] = []
        if heard.first is not None and heard.first < before_ms:
            gone_us.append(heard.first * 1000)
            # How many stay of those that came before each.
            kept = [0, *accumulate(at_ms >= before_ms for at_ms, _ in heard)]
            notes = self.tracks.notes
            self.tracks.notes = [
                note._replace(heard=kept[note.heard]) for note in notes
            ]
            heard.forget(before_ms)
        gone_us += [start_us for start_us, _ in played.take(before_us)[:1]]
        if gone_us:
            self._given_up += count - len(heard) - len(played)
            _add_span(self._lost, min(gone_us), before_us)
            _add_span(self._untold, min(gone_us), before_us)

    def _enter(self, state: State) -> None:
        assert state in _NEXT[self.state], f"{self.state} to {state}"
        self.state = state

    def _now_us(self) -> int:
        """:returns: the time on the recording."""
        return microseconds(self.clock) - self.record.started_us

    def _facts(self) -> Mapping[str, object]:
        path = self.part.path
        lost = sorted([*self._lost, *self.part.lost])
        return {
            "recording": {
                "state": self.state.value,
                "reason": self._reason,
                "path": None if path is None else str(path),
                "duration_ms": self.part.duration_ms,
                "paused_ms": self._paused_us // 1000,
                "chain": self.part.chain,
                "seal": self.part.seal,
                "degraded": self.is_degraded,
                "lost": [
                    {"at": start_us // 1000, "ms": (end_us - start_us) // 1000}
                    for start_us, end_us in lost[:_MOST_SPANS]
                ],
                "late_frames": self.part.late_frames,
                "dropped_frames": self.part.dropped_frames + self._given_up,
            }
        }


def _since(note: Note, started_us: int) -> Note:
    """:returns: a note whose times count from the start of the stream."""
    return note._replace(
        at_us=note.at_us - started_us,
        from_us=note.from_us - started_us,
        until_us=note.until_us - started_us,
    )


def _add_span(spans: list[tuple[int, int]], start_us: int, end_us: int) -> None:
    """Add a span that begins no earlier than the last one did."""
    if spans and start_us <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(end_us, spans[-1][1]))
    else:
        spans.append((start_us, end_us))
