"""Tests for :mod:`twistedvoice.archive.find`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import made
from twistedvoice.archive.find import default_folder, recording_named, recordings_at
from twistedvoice.errors import ArchiveError


class FindTests(SynchronousTestCase):
    """Which recordings are meant."""

    def setUp(self) -> None:
        """Three recordings of two days."""
        self.folder = Path(self.mktemp())
        self.first = made(self.folder / "1", "node-aa1")
        self.second = made(self.folder / "2", "node-aa2")
        made(self.folder / "2", "node-aa2-2")

    def why_not(self, word: str) -> str:
        """:returns: why no recording is found."""
        return str(self.assertRaises(ArchiveError, recording_named, word, self.folder))

    def test_paths(self) -> None:
        """A folder means all in it, a path itself."""
        found = [each.path for each in recordings_at([self.folder / "1", self.second])]
        self.assertEqual(found, [self.first, self.second])

    def test_no_recording(self) -> None:
        """What is not there or no recording is an error that says which."""
        sidecar = self.first.with_suffix(".jsonl")
        for path, why in (
            (Path("/nowhere"), "is not there"),
            (sidecar, "no recording"),
        ):
            error = self.assertRaises(ArchiveError, list, recordings_at([path]))
            self.assertIn(why, str(error))
            self.assertIn(str(path), str(error))

    def test_id(self) -> None:
        """The begin of an id is enough, and a whole one wins over longer ones."""
        for word, path in (
            ("node-aa1", self.first),
            ("node-aa2", self.second),
            (str(self.first), self.first),
        ):
            self.assertEqual(recording_named(word, self.folder).path, path)

    def test_ambiguous(self) -> None:
        """When several begin so, they are named."""
        why = self.why_not("node-a")
        self.assertIn("3 recordings begin with node-a: node-aa1, node-aa2, ", why)

    def test_unknown(self) -> None:
        """The nearest are offered; where nothing is near, nothing."""
        self.assertIn("did you mean node-aa1 or node-aa2", self.why_not("node-ab1"))
        self.assertTrue(self.why_not("zebra").endswith("has no recording zebra"))

    def test_no_folder(self) -> None:
        """A folder that is none is an error."""
        gone = self.folder / "gone"
        error = self.assertRaises(ArchiveError, recording_named, "x", gone)
        self.assertIn("is no folder", str(error))

    def test_default(self) -> None:
        """The folder is the one that the service of this environment has."""
        self.patch(os, "environ", {})
        self.assertEqual(default_folder(), ".")
        self.patch(os, "environ", {"TWISTEDVOICE_RECORDINGS": "/srv/x"})
        self.assertEqual(default_folder(), "/srv/x")
