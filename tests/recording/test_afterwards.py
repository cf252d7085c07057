"""Tests for :mod:`twistedvoice.recording.afterwards`."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.errands import Errand
from twistedvoice.recording.afterwards import Plan, errands_for
from twistedvoice.recording.todo import Finished

FOLDER = Path("recordings")
RECORDING = Finished(
    path=FOLDER / "2026/11/23/n-1-ab-2.wav",
    session_id="n-1-ab",
    call_id="CA1",
    started_at=100.0,
    finished_at=160.5,
    duration_ms=60_000.125,
    degraded=False,
)


def chain(**plan: bool) -> list[Errand]:
    return errands_for(RECORDING, Plan(**plan), FOLDER)


class ErrandsForTests(SynchronousTestCase):
    """Which errands a recording gets."""

    def test_nothing(self) -> None:
        """Where nothing is configured there is nothing to do."""
        self.assertEqual(chain(), [])

    def test_order(self) -> None:
        """Whatever is planned follows what is planned before it."""
        for plan, wanted in (
            ({"webhook": True}, ["n-1-ab/webhook<"]),
            (
                {"webhook": True, "export": True},
                ["n-1-ab/export<", "n-1-ab/webhook<n-1-ab/export"],
            ),
            (
                {"webhook": True, "upload": True, "export": True},
                [
                    "n-1-ab/export<",
                    "n-1-ab/upload<n-1-ab/export",
                    "n-1-ab/webhook<n-1-ab/upload",
                ],
            ),
        ):
            told = [f"{each.id}<{each.after}" for each in chain(**plan)]
            self.assertEqual(told, wanted)

    def test_details(self) -> None:
        """The file that there really is, its key, and plain facts."""
        [errand] = chain(upload=True)
        self.assertEqual((errand.kind, errand.session_id), ("upload", "n-1-ab"))
        self.assertEqual(
            json.loads(json.dumps(errand.details)),
            {
                "path": str(Path.cwd() / "recordings/2026/11/23/n-1-ab-2.wav"),
                "key": "2026/11/23/n-1-ab-2.wav",
                "call_id": "CA1",
                "started_at": 100.0,
                "finished_at": 160.5,
                "duration_ms": 60_000.125,
                "degraded": False,
            },
        )

    def test_same_again(self) -> None:
        """Whoever asks gets the same ids, so that none is posted twice."""
        self.assertEqual(chain(export=True), chain(export=True))
