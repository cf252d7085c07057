# -*- test-case-name: tests.speech.test_whispering -*-
"""What a model must be; how well one hears is in ``tests.slow.whisper``."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.speech.whispering import missing_files

__all__ = ["FilesTests"]


class FilesTests(SynchronousTestCase):
    """The folder of a model."""

    def test_missing(self) -> None:
        """Each file is named that would be looked for elsewhere."""
        folder = Path(self.mktemp())
        names = ["model.bin", "config.json", "tokenizer.json"]
        self.assertEqual(missing_files(folder), names)
        folder.mkdir()
        (folder / "model.bin").touch()
        self.assertEqual(missing_files(folder), names[1:])
