# -*- test-case-name: tests.recording.test_local -*-
"""Records calls into a folder of WAV files, as the observer of every call.

A reactor callback of its own visits the calls in turn, some of them at a time, and
hands what they have to write to one thread together. Knows which calls there are; what
one of them does is :mod:`.recording`'s business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..interfaces import CallRecord, RecordingWish
from ..realtime.tracks import Tracks
from .part import FsyncPolicy
from .parts import Parts
from .pulse import BEAT_SECONDS
from .recording import Recording, State
from .recovery import recover
from .settle import PART_SUFFIX
from .together import Together
from .vault import VAULT_SUFFIX

__all__ = ["TURNS", "LocalRecordings"]

#: How much sound is written at once. No multiple of a frame: the newest frame should be
#: of another age at each visit (see :mod:`.lead`).
_BATCH_SECONDS = 0.707
#: A batch's time is cut in this many visits, and the calls are spread over them.
_SLOTS = 42
#: The writing is left to every such turn of a call; the others are only spooled. No
#: more than seconds: a writer that dies takes along what it had begun with.
TURNS = 7
#: How much sound of one call may wait for a disk that does not answer ...
_MOST_WAITING_US = 60_000_000
_LEAST_WAITING_US = 10_000_000
#: ... and of all calls together, unless each would have less than the least.
_ALL_WAITING_US = 6_000_000_000
#: Stands for the recovery where otherwise a session id stands.
_RECOVERY = "recovery"

_log = Logger()


class LocalRecordings(Service):
    """
    The recordings of all calls of this process.

    Files are named ``<year>/<month>/<day>/<session id>.wav`` in ``folder``, by the day
    in UTC on which the call began. Starting finishes what dead processes left.

    :param defer_to_thread: runs a function in a thread that may block.
    :param parts: writes them.
    :param without_audio: what becomes of a call in which nothing was said to the
        caller.
    :param fsync: when what is written is made to reach the disk itself.
    :param finished: told of each recording that has its final name.
    :param key: what sidecars are sealed with.
    :param encryption_key: what the sound is encrypted with; its files are named
        ``<session id>.vault`` then.
    :param look: called after each visit, so that several in a row delay no frame.
    """

    def __init__(
        self,
        clock: IReactorTime,
        folder: Path,
        defer_to_thread: Callable[..., Deferred[Any]],
        parts: Parts,
        *,
        without_audio: Literal["keep", "discard"] = "keep",
        fsync: FsyncPolicy = "close",
        finished: Callable[[Path], object] = lambda path: None,
        key: bytes | None = None,
        encryption_key: bytes | None = None,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        self._clock = clock
        self._look = look
        self._folder = folder
        self._parts = parts
        self._together = Together(defer_to_thread, parts.do_all)
        #: What becomes of such a call; may be set while calls run.
        self.keep_unspoken = without_audio == "keep"
        #: What became of recordings, for the metrics.
        self.counts: Counter[str] = Counter()
        self._fsync = fsync
        self._tell_finished = finished
        self._key = key
        self._encryption_key = encryption_key
        self._visits = LoopingCall.withCount(self._visit_due)
        self._watch = LoopingCall(parts.watch)
        self._visits.clock = self._watch.clock = clock
        self._slots: list[dict[str, Recording]] = [{} for _ in range(_SLOTS)]
        self._visited = 0
        #: What must be through before the service has stopped: sessions, recovery.
        self._unfinished: set[str] = set()
        self._stopped: list[Deferred[None]] = []

    # from the service

    def startService(self) -> None:
        """Begin to visit the calls, and finish what dead processes left."""
        super().startService()
        visited = self._visits.start(_BATCH_SECONDS / _SLOTS, now=False)
        visited.addErrback(_log_unvisited)
        self._watch.start(BEAT_SECONDS).addErrback(_log_unwatched)
        self._unfinished.add(_RECOVERY)
        self._together.defer(self._parts.start)
        recovered = self._together.defer(
            recover, self._folder, self._key, self._encryption_key
        )
        recovered.addCallbacks(self._recovered, _log_unrecovered)
        recovered.addCallback(lambda _: self._finished(_RECOVERY))

    def stopService(self) -> Deferred[None]:
        """
        Stop once every call has ended.

        :returns: fires when all recordings are whole.
        """
        super().stopService()
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        self._stop_if_finished()
        return stopped

    # from the calls

    def call_started(self, record: CallRecord, tracks: Tracks | None) -> None:
        """Keep the call's sound from now on, unless it is not to be recorded."""
        if tracks is None:
            return
        recording = Recording(
            clock=self._clock,
            record=record,
            tracks=tracks,
            part=self._parts.new(
                self._path(record),
                record.format,
                about=_about(record),
                fsync=self._fsync,
                key=self._key,
                encryption_key=self._encryption_key,
            ),
            defer_to_thread=self._together.defer,
            spool=self._parts.spool,
            keep_unspoken=self.keep_unspoken,
            has_consent=not record.needs_consent,
        )
        recording.arm()
        self._unfinished.add(record.session_id)
        min(self._slots, key=len)[record.session_id] = recording

    def first_audio_sent(self, record: CallRecord) -> None:
        """Begin the file."""
        for slot in self._slots:
            if record.session_id in slot:
                slot[record.session_id].trigger()

    def asked(self, record: CallRecord, wish: RecordingWish) -> None:
        """Do what the call's agent wants of its recording."""
        for slot in self._slots:
            if record.session_id in slot:
                getattr(slot[record.session_id], wish)()

    def call_ended(self, record: CallRecord) -> Deferred[Mapping[str, object]]:
        """:returns: fires with ``{"recording": {...}}``, once all is on disk."""
        for slot in self._slots:
            if record.session_id in slot:
                recording = slot.pop(record.session_id)
                return recording.end().addCallback(self._pass_on, recording)
        return succeed({"recording": {"state": State.SKIPPED.value}})

    def _path(self, record: CallRecord) -> Path:
        day = datetime.fromtimestamp(record.started_at, UTC)
        suffix = ".wav" if self._encryption_key is None else VAULT_SUFFIX
        return self._folder / f"{day:%Y/%m/%d}" / f"{record.session_id}{suffix}"

    def _visit_due(self, count: int) -> None:
        """:param count: how many visits are due: a busy reactor comes late."""
        for _ in range(min(count, _SLOTS)):
            self._together.gather(self._visit)
            self._look()

    def _visit(self) -> None:
        self._visited += 1
        round_, number = divmod(self._visited, _SLOTS)
        share_us = _ALL_WAITING_US // max(1, sum(map(len, self._slots)))
        waiting_us = min(max(share_us, _LEAST_WAITING_US), _MOST_WAITING_US)
        # What must reach the disk itself every second cannot wait in memory.
        spooled = self._fsync != "second" and (round_ + number) % TURNS > 0
        for recording in self._slots[number].values():
            try:
                recording.turn(waiting_us, spooled=spooled)
            except Exception:  # one call's trouble is not another's
                recording.broke(Failure())

    def _pass_on(
        self, facts: Mapping[str, object], recording: Recording
    ) -> Mapping[str, object]:
        self.counts[recording.state.value] += 1
        if recording.is_degraded:
            self.counts["degraded"] += 1
        path = recording.part.path
        if path is not None and path.suffix != PART_SUFFIX:
            self._tell_finished(path)
        self._finished(recording.record.session_id)
        return facts

    def _recovered(self, paths: list[Path]) -> None:
        if paths:
            self.counts["recovered"] += len(paths)
            _log.info("finished {count} recordings of a dead process", count=len(paths))
        for path in paths:
            self._tell_finished(path)

    def _finished(self, what: str) -> None:
        self._unfinished.discard(what)
        self._stop_if_finished()

    def _stop_if_finished(self) -> None:
        if self.running or self._unfinished:
            return
        for each in (self._visits, self._watch):
            if each.running:
                each.stop()
        if self._stopped:
            self._together.defer(self._parts.stop).addBoth(self._tell_stopped)

    def _tell_stopped(self, result: object) -> None:
        stopped, self._stopped = self._stopped, []
        for each in stopped:
            each.callback(None)


def _log_unvisited(failure: Failure) -> None:
    _log.failure("recordings are not visited any more; ended calls are", failure)


def _log_unwatched(failure: Failure) -> None:
    _log.failure("who writes recordings is not watched any more", failure)


def _about(record: CallRecord) -> Mapping[str, object]:
    """:returns: what the sidecar says of a call: no numbers."""
    return {
        "session_id": record.session_id,
        "call_id": record.call_id,
        "started_at": record.started_at,
    }


def _log_unrecovered(failure: Failure) -> None:
    _log.failure("while recovering recordings", failure)
