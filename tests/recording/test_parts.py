"""Parts that are written in the thread that asks."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.recording.parts import PartsHere

from .parts_contract import PartsContract


class PartsHereTests(PartsContract, SynchronousTestCase):
    """The plain way."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.parts = PartsHere()
