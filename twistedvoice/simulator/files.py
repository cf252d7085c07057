# -*- test-case-name: tests.simulator.test_files -*-
"""The files that a simulated call leaves behind.

Written after the call by ``call`` and ``demo`` alike, so that both leave the same.
Nothing here knows how a file is made; it knows what each is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..audio.wavwriter import WavWriter
from ..formats import MULAW_8K
from .journal import Journal
from .report import render
from .timeline import draw

__all__ = [
    "CDR",
    "CONTENTS",
    "HEARD",
    "RECORDING",
    "REPORT",
    "TIMELINE",
    "forget_files",
    "write_files",
]

HEARD = "heard.wav"
RECORDING = "recording.wav"
TIMELINE = "timeline.png"
REPORT = "report.json"
CDR = "cdr.jsonl"

#: What is in each file, in a few words.
CONTENTS = {
    HEARD: "what the caller heard",
    RECORDING: "what the service recorded, caller left",
    TIMELINE: "the call as a picture",
    REPORT: "the figures of the call",
    CDR: "the service's record of the call",
}


def write_files(
    journal: Journal, figures: Mapping[str, object], folder: Path
) -> list[Path]:
    """
    Write heard.wav, timeline.png and report.json.

    :param figures: the call's report.
    :param folder: made when it is not there; files of these names are replaced.
    :returns: the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    heard = WavWriter(folder / HEARD, MULAW_8K, 1)
    heard.write(bytes(journal.heard))
    heard.close()
    draw(journal, figures, str(folder / TIMELINE))
    (folder / REPORT).write_text(render(figures), "utf-8")
    return [folder / HEARD, folder / TIMELINE, folder / REPORT]


def forget_files(folder: Path) -> None:
    """Remove what an earlier call left, so that nothing old is taken for new."""
    for name in CONTENTS:
        (folder / name).unlink(missing_ok=True)
