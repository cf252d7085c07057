"""Tests for :mod:`twistedvoice.simulator.files`."""

from __future__ import annotations

import json
from pathlib import Path

import soundfile
from twisted.trial.unittest import SynchronousTestCase

from tests.simulator.calls import finished_call
from twistedvoice.simulator.files import CONTENTS, forget_files, write_files
from twistedvoice.simulator.report import report


class FilesTests(SynchronousTestCase):
    """What stands in the folder after a call."""

    def setUp(self) -> None:
        """A folder that is not there yet."""
        self.folder = Path(self.mktemp()) / "out"
        self.journal = finished_call()

    def test_written(self) -> None:
        """Sound, figures and picture are written, and the folder made."""
        figures = report(self.journal)
        write_files(self.journal, figures, self.folder)
        names = {path.name for path in self.folder.iterdir()}
        self.assertEqual(names, {"heard.wav", "report.json", "timeline.png"})
        text = (self.folder / "report.json").read_text("utf-8")
        self.assertEqual(json.loads(text), figures)

    def test_heard_is_sound(self) -> None:
        """Other programs can play what the caller heard."""
        write_files(self.journal, report(self.journal), self.folder)
        sound = soundfile.info(str(self.folder / "heard.wav"))
        self.assertEqual((sound.subtype, sound.samplerate), ("ULAW", 8000))
        self.assertEqual((sound.channels, sound.frames), (1, 22 * 8000))

    def test_again(self) -> None:
        """A second call replaces the files of the first."""
        for _ in range(2):
            write_files(self.journal, report(self.journal), self.folder)
        self.assertEqual(len(list(self.folder.iterdir())), 3)

    def test_forget(self) -> None:
        """Old files of these names go, those of others stay."""
        self.folder.mkdir(parents=True)
        for name in (*CONTENTS, "mine.wav"):
            (self.folder / name).touch()
        forget_files(self.folder)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["mine.wav"])
