"""Tests for :mod:`twistedvoice.recording.private`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.private import open_private


class PrivateTests(SynchronousTestCase):
    """Who may read."""

    def test_mode(self) -> None:
        """The group may read a file, the rest of the world may not."""
        path = Path(self.mktemp())
        self.addCleanup(os.umask, os.umask(0))
        with open(path, "w", opener=open_private):
            self.assertEqual(path.stat().st_mode & 0o777, 0o640)
