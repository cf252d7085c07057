"""Recordings as the service leaves them, with everything in them that can be shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from tests.simulator.babble import babble, beside
from twistedvoice.audio import pcm
from twistedvoice.audio.pcm import Samples
from twistedvoice.audio.wavwriter import WavWriter
from twistedvoice.formats import MULAW_8K
from twistedvoice.recording.sidecar import write_lines

__all__ = ["BUSY", "STARTED_AT", "made", "made_busy", "write_sound"]

#: 2026-11-20, 09:30 UTC.
STARTED_AT = 1_795_167_000.0

#: What the sidecar of :func:`made_busy` tells, beside its beginning and its end.
BUSY: tuple[Mapping[str, object], ...] = (
    {"kind": "said", "at": 100.0, "until": 4700.0, "outcome": "played"},
    {"kind": "gap", "at": 5800.0, "ms": 240.0, "side": "caller"},
    {"kind": "clear", "at": 11_700.0},
    {"kind": "said", "at": 7500.0, "until": 11_700.0, "outcome": "cleared"},
    {"kind": "lost", "at": 15_000.0, "ms": 400.0},
    {"kind": "clock", "at": 17_000.0, "by": -120.0},
    {"kind": "pause", "at": 19_000.0},
    {"kind": "resume", "at": 20_500.0},
    {"kind": "said", "at": 13_400.0, "until": 18_000.0, "outcome": "assumed"},
)


def made(
    folder: Path,
    name: str,
    *,
    started_at: float = STARTED_AT,
    seconds: float = 1.0,
    degraded: bool = False,
    lines: Iterable[Mapping[str, object]] = (),
) -> Path:
    """
    Make a recording of silence.

    :returns: the path of its sound.
    """
    path = folder / f"{name}.wav"
    silence = np.zeros(round(8000 * seconds), np.int16)
    write_sound(path, silence, silence)
    head = {"kind": "recording", "version": 1, "session_id": name, "call_id": "CA1"}
    end = {"at": seconds * 1000, "why": "ended", "degraded": degraded}
    write_lines(
        path.with_suffix(".jsonl"),
        [{**head, "started_at": started_at}, *lines, {"kind": "end", **end}],
        sync=False,
    )
    os.utime(path, (started_at + seconds,) * 2)
    return path


def made_busy(folder: Path, name: str = "busy") -> Path:
    """
    Make a recording of 22 seconds in which much happens.

    The caller is answered once after 900 ms, interrupts the service at 11.3 s, which
    falls silent 400 ms later, and is answered once more after 500 ms.
    """
    path = made(folder, name, seconds=22, degraded=True, lines=BUSY)
    caller = beside(5.0, babble(1, 1.6), 4.7, babble(2, 1.6), 9.1)
    service = beside(0.1, babble(4, 4.6), 2.8, babble(5, 4.2), 1.7, babble(6, 4.6), 4.0)
    write_sound(path, caller, service)
    return path


def write_sound(path: Path, caller: Samples, service: Samples) -> None:
    """Write both sides; the shorter one gets silence at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    both = np.zeros((max(len(caller), len(service)), 2), np.int16)
    both[: len(caller), 0], both[: len(service), 1] = caller, service
    writer = WavWriter(path, MULAW_8K, 2)
    writer.write(pcm.encode(both.reshape(-1), MULAW_8K))
    writer.close()
