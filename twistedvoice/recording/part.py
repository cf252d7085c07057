# -*- test-case-name: tests.recording.test_part -*-
"""The files of one recording while the call lasts.

The sound is named ``<name>.wav.part``, is only ever appended to, and is locked as long
as its writer lives (:mod:`.lock`); beside it grows the journal of :mod:`.sidecar`. In
the end :mod:`.settle` makes ``<name>.wav`` and ``<name>.jsonl`` of them. So
:mod:`.recovery` can tell what is finished, what is being written by some process, and
what a dead one left. Everything here blocks: it runs in a worker thread, one method at
a time.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Literal

from ..audio.wavwriter import WavWriter
from ..errors import EncryptionError
from ..formats import AudioFormat
from .lock import create_locked, lock_abandoned
from .mixer import Batch, Mixed, Mixer
from .pieces import CHANNELS
from .private import FOLDER_MODE
from .settle import PART_SUFFIX, is_settled, settle
from .sidecar import Journal, Seconds, journal_path, read_lines
from .stereo import Stereo
from .vault import VaultFile, late_box, opener, sound_size

__all__ = ["LEAST_BYTES", "FsyncPolicy", "PartFile"]

#: When what is written is made to reach the disk itself: with ``second`` each batch is,
#: so that nothing older than a second is lost.
FsyncPolicy = Literal["never", "second", "close"]

#: Our own header and one sample a side. What is shorter has nothing to save.
LEAST_BYTES = 60
#: What the sidecar calls the errors of a disk without room.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class PartFile:
    """
    One recording on its way to the disk.

    :param path: where the recording will be when it is whole.
    :param about: what the sidecar says of the call.
    :param key: what the finished sidecar is sealed with.
    :param encryption_key: what the sound is encrypted with, if ``path`` says so.
    :param spool: what shows the spool that some of its sound may be in; see
        :mod:`.spool`.
    """

    def __init__(
        self,
        path: Path,
        format: AudioFormat,  # noqa: A002
        *,
        about: Mapping[str, object] | None = None,
        fsync: FsyncPolicy = "close",
        key: bytes | None = None,
        encryption_key: bytes | None = None,
        spool: Path | None = None,
    ) -> None:
        #: Where it will be, and where it is meanwhile.
        self.final = path
        self._part = path.with_name(path.name + PART_SUFFIX)
        self._format = format
        self._about = about or {}
        self._fsync = fsync
        self._key = key
        self._encryption_key = encryption_key
        self._spool = spool
        self._opened = opener(encryption_key)
        self._mixer = Mixer(format)
        self._seconds = Seconds(format)
        self._lock: FileIO | None = None
        self._writer: WavWriter | None = None
        self._journal: Journal | None = None
        self._why = "ended"
        #: How many batches were appended, by whomever.
        self.batches = 0
        #: How long it is, when another writer finished it and could not say so.
        self._finished: int | None = None
        #: Where the sound is now, None while or when there is no file.
        self.path: Path | None = None
        #: What proves the finished recording; see :mod:`.seal`.
        self.chain = self.seal = ""

    @property
    def duration_ms(self) -> int:
        """How long the sound in the file lasts."""
        if self._writer is None:
            return self._finished or 0
        size = self._writer.data_bytes // CHANNELS
        return self._format.duration_us(size) // 1000

    @property
    def lost(self) -> Sequence[tuple[int, int]]:
        """Spans of sound that another writer took along, in microseconds."""
        return self._mixer.lost

    @property
    def late_frames(self) -> int:
        """Frames that came so late that silence was written in their place."""
        return self._mixer.late_frames

    @property
    def dropped_frames(self) -> int:
        """Frames that had no place on the recording's time."""
        return self._mixer.dropped_frames

    def open(self) -> None:
        """
        Make the files and their folders.

        :raises OSError: when that cannot be; nothing is left behind then.
        """
        self._part.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        self._lock = create_locked(self._part)
        try:
            self._writer = self._new_writer()
            self._journal = self._new_journal(self._writer)
        except (OSError, EncryptionError):
            self.discard()
            raise
        self.path = self._part

    def resume(self, *, opened: bool) -> None:
        """
        Go on with the files of a writer that died; make them when there are none.

        :param opened: whether there must be any.
        :raises OSError: when that cannot be.
        """
        lock = lock_abandoned(self._part)
        if lock is not None and is_settled(self._part):
            with lock:
                journal_path(self._part).unlink(missing_ok=True)
                self._part.unlink()
            lock = None
        if lock is None:
            if not opened:
                self.open()
            elif not self._is_finished():
                raise OSError(errno.ENOENT, "not there any more", str(self._part))
            return
        self._lock, self.path = lock, self._part
        if sound_size(self._part) < LEAST_BYTES:
            self.discard()
            self.open()
            return
        with self._opened(self._part, "r+") as file:
            if isinstance(file, VaultFile):
                file.cut_damaged()
        self._writer = self._new_writer(resume=True)
        with self._opened(self._part, "r") as file:
            self._journal = Journal.resume(journal_path(self._part), late_box(file))
            sound = Stereo.of(file, str(self._part))
            written = self._writer.data_bytes
            self._resume_mixer(written // sound.layout.format.frame_bytes)
            second = written // sound.second_bytes
            self._seconds = Seconds(self._format, second)
            list(self._seconds.add(sound.read(second * sound.second_bytes, written)))

    def abandon(self, *last: Batch) -> None:
        """
        Finish a recording whose service died.

        :param last: what that had not told of.
        :raises OSError: when the disk says no.
        """
        self._why = "recovered"
        if self._writer is not None:
            self.append(*last)
        self._close()

    def append(self, *batches: Batch) -> None:
        """
        Write some batches, in one; none is nothing.

        :raises OSError: when the disk says no.
        """
        if not batches:
            return
        mixed = self._mixer.mix(*batches)
        self.batches += len(batches)
        self._write(mixed)

    def finish(self, *last: Batch) -> None:
        """
        Write the last batches, and give the files their names.

        :raises OSError: when the disk says no. What could be written is whole even
            then, if that at least was possible.
        """
        if self._finished is not None:
            return
        try:
            self.append(*last)
            self._write(self._mixer.rest())
        finally:
            self._close()

    def fail(self) -> None:
        """
        Make whole what was written before an error, and give the files their names.

        :raises OSError: when the disk says no.
        """
        if self._finished is None:
            self._why = "failed" if self._why == "ended" else self._why
            self._close()

    def discard(self) -> None:
        """Remove the files."""
        if self._writer is not None:
            self._writer.close()
        if self._journal is not None:
            self._journal.close()
        if self._lock is not None:
            # Also one whose first line found no room.
            journal_path(self._part).unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)
            self._lock.close()
        self.path = None

    def _new_writer(self, *, resume: bool = False) -> WavWriter:
        return WavWriter(
            self._part, self._format, CHANNELS, resume=resume, opened=self._opened
        )

    def _resume_mixer(self, written: int) -> None:
        """:param written: how many sample frames the file has."""
        lines = read_lines(journal_path(self._part))
        states = [line for line in lines if line["kind"] == "state"]
        self.batches = states[-1]["batches"] if states else 0
        self._mixer.resume(written, states[-1]["mixer"] if states else ())

    def _is_finished(self) -> bool:
        """Whether a writer died between its last step and its answer."""
        final = self._part.with_name(self._part.name.removesuffix(PART_SUFFIX))
        if self._part.exists() or not final.exists():
            return False
        lines = read_lines(final.with_suffix(".jsonl"))
        if not lines or lines[-1]["kind"] != "end":
            return False
        end = lines[-1]
        self.path, self._finished = final, round(end["at"])
        self.chain, self.seal = end.get("chain", ""), end.get("seal", "")
        return True

    def _new_journal(self, writer: WavWriter) -> Journal:
        # The part is ours alone: a journal beside it is of one that is gone.
        path = journal_path(self._part)
        path.unlink(missing_ok=True)
        head = {
            "kind": "recording",
            "version": 1,
            **self._about,
            "encoding": self._format.encoding,
            "rate": self._format.rate,
            "channels": ["caller", "service"],
        }
        journal = Journal(path, head, late_box(writer.file))
        if self._spool is not None:
            link = os.path.relpath(self._spool, path.parent)
            journal.add([{"kind": "spool", "link": link}])
        return journal

    def _write(self, mixed: Mixed) -> None:
        """Write the sound first: then the journal says only what is there."""
        assert self._writer is not None, "opened before it is written"
        assert self._journal is not None, "opened with the sound"
        try:
            self._writer.write(mixed.block)
            lines = [*map(self._journal.edit, mixed.edits), *mixed.lines]
            lines += self._seconds.add(mixed.block)
            state = {"batches": self.batches, "mixer": self._mixer.state}
            self._journal.add([*lines, {"kind": "state", **state}])
            if self._fsync == "second":
                self._writer.sync()
                self._journal.sync()
        except OSError as error:
            self._why = "full" if error.errno in _FULL else "failed"
            raise

    def _close(self) -> None:
        """Give the files their names, all of it before the lock is let go."""
        if self._writer is None or self._lock is None or self._journal is None:
            return
        with self._lock:
            self._writer.close()
            self._journal.close()
            sync = self._fsync != "never"
            done = settle(
                self._part,
                self._why,
                check=False,
                sync=sync,
                key=self._key,
                encryption_key=self._encryption_key,
            )
            self.path, self.chain, self.seal = done.path, done.chain, done.seal
