"""Leaves recordings as a writer does that dies."""

from __future__ import annotations

import shutil
from pathlib import Path

from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.mixer import Batch
from twistedvoice.recording.part import PartFile
from twistedvoice.recording.sidecar import journal_path

__all__ = ["CALLER", "SERVICE", "leave"]

#: Twenty milliseconds of the caller, and of the service.
CALLER, SERVICE = b"\x80" * 160, b"\x01" * 160


def leave(path: Path, *, seconds: int = 3, encryption_key: bytes | None = None) -> Path:
    """
    Leave the recording of a call in which both speak all the time.

    Half a second of the caller came late, so the journal keeps it.

    :returns: the part.
    """
    written = path.with_stem("source")
    part = PartFile(
        written, MULAW_8K, about={"call_id": "CA1"}, encryption_key=encryption_key
    )
    part.open()
    for half in range(2 * seconds):
        start = half * 500
        times = range(start, start + 500, 20)
        heard = [] if half == 1 else [(at, CALLER) for at in times]
        if half == 2:
            heard = [(at, CALLER) for at in range(500, 1500, 20)]
        played = [(at * 1000, SERVICE) for at in times]
        part.append(Batch(heard, played, (start + 500) * 1000))
    left = path.with_name(path.name + ".part")
    source = written.with_name(written.name + ".part")
    shutil.copy(source, left)
    shutil.copy(journal_path(source), journal_path(left))
    part.discard()
    return left
