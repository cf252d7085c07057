"""The recording of a simulated call lies where the simulator's ear heard it."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.alignment import Alignment, align
from twistedvoice.recording.sidecar import read_lines


class AlignmentTests(SynchronousTestCase):
    """Where things lie in the recording of a whole call."""

    def align(self, *, delay: float = 0.0, stalls: bool = False) -> Alignment:
        """:returns: both sides of a recording; they lie within a frame."""
        found = align(Path(self.mktemp()), delay=delay, stalls=stalls)
        self.assertGreater(len(found.service_ms), 100)
        self.assertGreater(len(found.caller_ms), 30)
        self.assertLess(max(map(abs, found.service_ms)), 20, found.service_ms)
        self.assertLess(max(map(abs, found.caller_ms)), 1, found.caller_ms)
        return found

    def test_near(self) -> None:
        """A carrier without a way to go: what is heard lies where it is heard."""
        sidecar = self.align().path.with_suffix(".jsonl")
        kinds = [line["kind"] for line in read_lines(sidecar)]
        self.assertIn("clear", kinds)
        self.assertIn("said", kinds)

    def test_far(self) -> None:
        """A way of 50 ms each way changes nothing, on the carrier's clock."""
        self.align(delay=0.05)

    def test_stalls(self) -> None:
        """Neither do stalls of the network and of the reactor."""
        self.align(stalls=True)
