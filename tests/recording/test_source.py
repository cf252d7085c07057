"""Tests of where the file of an errand is."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errors import ErrandRefused
from twistedvoice.interfaces import Errand
from twistedvoice.recording.source import source_of


class SourceTests(SynchronousTestCase):
    """A recording, and its export."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "n-1.wav"
        self.path.parent.mkdir()
        self.path.touch()

    def source(self, **found: object) -> Path:
        """:returns: the file, when the errand before came back with ``found``."""
        details = {"path": str(self.path)}
        errand = Errand(
            id="n-1/x", kind="x", session_id="n-1", details=details, found=found
        )
        return source_of(errand)

    def test_recording(self) -> None:
        """It is the recording, or what it was exported to."""
        exported = self.path.with_suffix(".flac")
        exported.touch()
        self.assertEqual(self.source(), self.path)
        self.assertEqual(self.source(path=str(exported)), exported)

    def test_removed(self) -> None:
        """A recording that was removed from its folder does not come back."""
        self.path.unlink()
        error = self.assertRaises(ErrandRefused, self.source)
        self.assertEqual(str(error), f"{self.path} is gone")

    def test_folder_missing(self) -> None:
        """A folder that cannot be found may be on a disk that is away."""
        self.path.unlink()
        self.path.parent.rmdir()
        self.assertRaises(FileNotFoundError, self.source)
