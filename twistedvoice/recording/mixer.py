# -*- test-case-name: tests.recording.test_mixer -*-
"""Puts both sides of a call in their places on the recording's own time.

Time zero is the ``start`` of the stream, and the time is the carrier's. The caller's
sound is placed by :mod:`.heard`, ours by :mod:`.farend`; where neither has sound there
is silence of the exact length. What is mixed is final here: what later news change of
it comes out as an edit. Knows nothing of files: :mod:`.part` writes what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from attrs import define

from ..formats import FRAME_MS, FRAME_US, AudioFormat
from ..realtime.tracks import Note
from . import pieces
from .farend import FarEnd, Shift
from .heard import HeardTrack
from .lead import Lead
from .pauses import PAUSE, RESUME, Pauses, outside
from .pieces import CALLER, CHANNELS, SERVICE

__all__ = ["Batch", "Late", "Mixed", "Mixer", "Moved"]

#: A frame may be so much ahead of what we know of the carrier's time.
_SLACK_US = 40_000
#: A carrier's clock that is further ahead of ours is no clock, and bounds no file.
_MOST_AHEAD_US = 60_000_000


class Batch(NamedTuple):
    """
    What the tracks held; stream times are microseconds since the start, by us.

    Frames that follow each other may be joined into longer pieces.
    """

    #: Milliseconds on the carrier's clock, and the caller's sound.
    heard: Sequence[tuple[int, bytes]]
    #: Stream time, and ours.
    played: Sequence[tuple[int, bytes]]
    #: All that was played before this is here.
    until_us: int
    #: When the batch was taken; not before ``until_us``.
    now_us: int = 0
    #: What else happened, in order.
    notes: Sequence[Note] = ()
    #: Spans of stream time whose sound was given up.
    lost: Sequence[tuple[int, int]] = ()


class Late(NamedTuple):
    """Sound that came when its place was written already."""

    channel: int
    #: The sample frame where it begins.
    position: int
    payload: bytes


class Moved(NamedTuple):
    """Sound of the service that is written already and belongs elsewhere."""

    #: Sample frames: from, until, by; in order and without overlap.
    pieces: Sequence[tuple[int, int, int]]


class Mixed(NamedTuple):
    """What to write: ``block`` at the end, then each edit, in order."""

    #: Whole sample frames, interleaved.
    block: bytes | bytearray
    edits: Sequence[Late | Moved] = ()
    #: What the sidecar says of it; times are milliseconds of the recording.
    lines: Sequence[Mapping[str, object]] = ()


@define
class _Echo:
    """A mark that came back, and between which frames of the caller."""

    note: Note
    #: Where the caller's sound ended then, and after one more frame.
    after: int
    before: int | None = None


class Mixer:
    """The recording of one call, from its start on."""

    def __init__(self, format: AudioFormat) -> None:  # noqa: A002
        self._format = format
        self._heard = HeardTrack(format)
        self._far_end = FarEnd()
        self._lead = Lead()
        self._pauses = Pauses(format)
        self._caller: list[tuple[int, bytes]] = []
        self._service: list[tuple[int, bytes]] = []
        self._clears: list[Note] = []
        self._echoes: list[_Echo] = []
        #: Moved sound lies up to here, perhaps beyond what is mixed.
        self._moved_until = 0
        self._lines: list[Mapping[str, object]] = []
        #: How many sample frames were mixed.
        self.mixed = 0
        self.late_frames = 0
        #: Spans of the recording, in microseconds, that another mixer held.
        self.lost: list[tuple[int, int]] = []

    @property
    def dropped_frames(self) -> int:
        """Frames that had no place: sent twice, or with a time that cannot be."""
        return self._heard.dropped

    @property
    def state(self) -> tuple[int, ...]:
        """What :meth:`resume` needs, besides where the file ends."""
        heard, far_end = self._heard, self._far_end
        own = (self._lead.us, far_end.delay_us, heard.end, heard.correction)
        return (*own, *self._pauses.state)

    def resume(self, mixed: int, state: Sequence[int]) -> None:
        """
        Go on after ``mixed`` sample frames that another mixer made.

        What that one held is lost, and is told. Our sound lies where the last known
        delay says, until the next mark comes back.
        """
        lead_us, delay_us, heard_end, correction, *paused = state or (0, 0, mixed, 0)
        self.mixed = mixed
        self._lead.us = lead_us
        self._far_end.resume(delay_us)
        self._pauses.resume(paused)
        self._heard.end, self._heard.correction = heard_end, correction
        if heard_end > mixed:
            self.lost.append((self._time_of(mixed), self._time_of(heard_end)))
            lost = {"at": self._ms(mixed), "ms": self._ms(heard_end - mixed)}
            self._lines.append({"kind": "lost", **lost})

    def mix(self, *batches: Batch) -> Mixed:
        """:returns: the sound from where the last batch ended to the end of these."""
        moved: list[Late | Moved] = []
        for batch in batches:
            self._place(batch)
            if self._echoes:
                moved += self._correct(batch.until_us)
        until_us = batches[-1].until_us
        mixed = self._mix_until(self._frames_in(until_us + self._lead.us))
        self._tell_heard(self._heard.gaps())
        return Mixed(mixed.block, [*moved, *mixed.edits], self._take_lines())

    def rest(self) -> Mixed:
        """:returns: what waits beyond the end of the last batch, and all late news."""
        gaps = self._heard.finish()
        self._caller += self._heard.take()
        mixed = self._mix_until(max(self.mixed, self._heard.end))
        # What would be played after the end was never heard.
        self._service.clear()
        edits = [*mixed.edits, *self._correct(None)]
        self._tell_heard(gaps)
        return Mixed(mixed.block, edits, self._take_lines())

    # -- placing ----------------------------------------------------------------------

    def _place(self, batch: Batch) -> None:
        if batch.notes:
            # They count frames.
            batch = batch._replace(heard=self._one_by_one(batch.heard))
        if batch.notes or self._pauses:
            batch = self._hush(batch)
        self._hear(batch)
        if self._pauses:
            self._lines += self._pauses.place(self._lead.us)
        self._play(batch)
        if batch.lost:
            self._tell_lost(batch)

    def _hush(self, batch: Batch) -> Batch:
        """Forget first of all what came while the recording was paused."""
        heard = self._pauses.heard(batch.heard, batch.notes)
        played = self._pauses.played(batch.played, batch.until_us)
        if heard is batch.heard and played is batch.played:
            return batch
        return batch._replace(heard=heard, played=played)

    def _hear(self, batch: Batch) -> None:
        now_us = max(batch.now_us, batch.until_us)
        limit = self._frames_in(now_us + self._lead.us + _SLACK_US)
        most = self._frames_in(now_us + _MOST_AHEAD_US)
        heard = batch.heard
        marks = self._sort(batch.notes, len(heard))
        if self._echoes or not self._goes_on(heard):
            heard = self._one_by_one(heard)
        for number, (timestamp_ms, payload) in enumerate(heard):
            for echo in marks.get(number, ()):
                echo.after = self._heard.end
                self._echoes.append(echo)
            stamp = self._frames_in(timestamp_ms * 1000)
            self._heard.place(stamp, payload, limit, most)
            if self._echoes and self._echoes[-1].before is None:
                self._bound_echoes()
        for echo in marks.get(len(batch.heard), ()):
            echo.after = self._heard.end
            self._echoes.append(echo)
        self._caller += self._heard.take()
        self._lead.observe(now_us, self._time_of(self._heard.end), bool(batch.heard))

    def _one_by_one(
        self, heard: Sequence[tuple[int, bytes]]
    ) -> Sequence[tuple[int, bytes]]:
        return pieces.one_by_one(heard, self._format.frame_bytes, FRAME_MS)

    def _goes_on(self, heard: Sequence[tuple[int, bytes]]) -> bool:
        """:returns: whether it is one piece that continues what was placed."""
        return len(heard) == 1 and self._heard.continues(
            self._frames_in(heard[0][0] * 1000)
        )

    def _sort(self, notes: Sequence[Note], most: int) -> dict[int, list[_Echo]]:
        """:returns: the echoes, by the frame before which they came."""
        marks: dict[int, list[_Echo]] = {}
        for note in notes:
            if note.kind == "clear":
                self._clears.append(note)
            elif note.kind not in (PAUSE, RESUME):
                marks.setdefault(min(note.heard, most), []).append(_Echo(note, 0))
        return marks

    def _bound_echoes(self) -> None:
        for echo in self._echoes:
            if echo.before is None:
                echo.before = self._heard.end

    def _play(self, batch: Batch) -> None:
        lead_us = self._lead.us
        played = batch.played
        if self._clears:
            played = pieces.one_by_one(played, self._format.frame_bytes, FRAME_US)
        for start_us, payload in played:
            self._clear_until(start_us)
            length_us = self._format.duration_us(len(payload))
            at_us = self._far_end.place(start_us, length_us, lead_us)
            self._service.append((self._frames_in(at_us), payload))
        self._clear_until(batch.until_us)

    def _clear_until(self, stream_us: int) -> None:
        """The carrier was told to drop what it held."""
        while self._clears and self._clears[0].at_us <= stream_us:
            cut_us = self._far_end.cleared(self._clears.pop(0).at_us, self._lead.us)
            self._lines.append({"kind": "clear", "at": cut_us / 1000})
            self._service = list(pieces.before(
                self._service, self._frames_in(cut_us), self._format.sample_bytes
            ))  # fmt: skip

    # -- correcting -------------------------------------------------------------------

    def _correct(self, until_us: int | None) -> Iterator[Moved]:
        """:param until_us: what was played later is not here yet; None for all."""
        waiting: list[_Echo] = []
        for echo in self._echoes:
            early = until_us is not None and (
                echo.note.until_us > until_us or echo.before is None
            )
            if early or (until_us is not None and self._moved_until > self.mixed):
                waiting.append(echo)
                continue
            yield from self._echoed(echo)
        self._echoes = waiting

    def _echoed(self, echo: _Echo) -> Iterator[Moved]:
        note = echo.note
        heard_us = note.at_us + self._lead.us
        # It came between two frames of the caller, whatever the reactor's clock says.
        heard_us = max(heard_us, self._time_of(echo.after))
        in_time = echo.before is None or heard_us <= self._time_of(echo.before) + 20_000
        shifts: list[Shift] = []
        if note.kind == "played" and self._moved_until <= self.mixed:
            if not in_time and echo.before is not None:
                heard_us = self._time_of(echo.before)
            if in_time or not self._far_end.delay_us:
                shifts = self._far_end.echoed(note.until_us, heard_us, self._lead.us)
        moved = self._moved(shifts)
        if moved:
            yield Moved(moved)
        self._tell_said(note)

    def _moved(self, shifts: Sequence[Shift]) -> list[tuple[int, int, int]]:
        """:returns: what moves of the written; what waits is moved here."""
        moved: list[tuple[int, int, int]] = []
        service: list[tuple[int, bytes]] = []
        frames_in = self._frames_in
        spans = [
            (frames_in(at_us), frames_in(until_us), frames_in(at_us + by_us))
            for at_us, until_us, by_us in shifts
        ]
        spans = [(at, until, to - at) for at, until, to in spans]
        edges = [edge for at, until, _ in spans for edge in (at, until)]
        width = self._format.sample_bytes
        for position, payload in pieces.cut_at(self._service, edges, width):
            by = next((by for at, until, by in spans if at <= position < until), 0)
            service.append((position + by, payload))
        self._service = service
        for at, until, by in spans:
            if by and at < self.mixed:
                moved.append((at, min(until, self.mixed), by))
                self._moved_until = max(self._moved_until, min(until, self.mixed) + by)
        return moved

    # -- mixing -----------------------------------------------------------------------

    def _mix_until(self, end: int) -> Mixed:
        start, self.mixed = self.mixed, max(self.mixed, end)
        width = self._format.sample_bytes
        both = bytearray(self._format.silence((self.mixed - start) * width * CHANNELS))
        late: list[Late] = []
        self._caller = self._fill(both, self._caller, start, CALLER, late)
        self._service = self._fill(both, self._service, start, SERVICE, late)
        return Mixed(both, late)

    def _fill(
        self,
        both: bytearray,
        frames: Sequence[tuple[int, bytes]],
        start: int,
        channel: int,
        late: list[Late],
    ) -> list[tuple[int, bytes]]:
        """:returns: the frames of a channel that wait; what came late is added."""
        width, caller = self._format.sample_bytes, channel == CALLER
        missed, waiting = pieces.fill(both, frames, start, width, channel)
        if self._pauses:
            self._pauses.silence(both, start, caller=caller)
        if missed:
            size = self._format.frame_bytes
            self.late_frames += sum(-(-len(payload) // size) for _, payload in missed)
            let = self._pauses.let(missed, caller=caller)
            late += [Late(channel, *each) for each in pieces.joined(let, width)]
        return waiting

    # -- telling ----------------------------------------------------------------------

    def _tell_lost(self, batch: Batch) -> None:
        for start_us, end_us in batch.lost:
            at_ms = max(0, start_us + self._lead.us) / 1000
            length_ms = (end_us - start_us) / 1000
            self._lines.append({"kind": "lost", "at": at_ms, "ms": length_ms})

    def _tell_heard(self, gaps: list[tuple[int, int]]) -> None:
        for gap in gaps:
            for start, end in outside(*gap, self._pauses.spans(caller=True)):
                span = {"at": self._ms(start), "ms": self._ms(end - start)}
                self._lines.append({"kind": "gap", "side": "caller", **span})
        for position, by in self._heard.jumps:
            jump = {"at": self._ms(position), "by": self._ms(by)}
            self._lines.append({"kind": "clock", **jump})
        self._heard.jumps.clear()

    def _tell_said(self, note: Note) -> None:
        delay_us = self._lead.us + self._far_end.delay_us
        until_us = note.until_us + delay_us
        if note.kind != "played":
            # What was on its way when it was broken off was not heard.
            until_us = min(until_us, note.at_us + self._lead.us)
        said = {
            "at": max(0, note.from_us + delay_us) / 1000,
            "until": max(0, until_us) / 1000,
        }
        self._lines.append({"kind": "said", **said, "outcome": note.kind})

    def _take_lines(self) -> list[Mapping[str, object]]:
        lines, self._lines = self._lines, []
        return lines

    def _frames_in(self, time_us: int) -> int:
        return time_us * self._format.rate // 1_000_000

    def _time_of(self, position: int) -> int:
        return position * 1_000_000 // self._format.rate

    def _ms(self, position: int) -> float:
        return position * 1000 / self._format.rate
