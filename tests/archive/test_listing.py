"""Tests for :mod:`twistedvoice.archive.listing`."""

from __future__ import annotations

import os

from tests.archive.made import STARTED_AT, made
from tests.archive.people import CommandTestCase
from tests.recording.left import leave

HOUR = 3600


class ListTests(CommandTestCase):
    """``twistedvoice recordings list``."""

    def setUp(self) -> None:
        """Two recordings; the later one has the name that comes first."""
        super().setUp()
        made(self.day, "b-early", seconds=61)
        made(self.folder, "a-late", started_at=STARTED_AT + 2 * HOUR, degraded=True)

    def listed(self, *words: str) -> list[str]:
        """:returns: the sessions that are listed."""
        self.assertEqual(self.run_command("list", self.folder, "--json", *words), 0)
        return [each["session_id"] for each in self.told()]

    def test_table(self) -> None:
        """People get a table, the oldest first, and the sum of all."""
        leave(self.day / "left.wav")
        made(self.day, "bare", started_at=0).with_suffix(".jsonl").unlink()
        self.assertEqual(self.run_command("list", self.folder), 0)
        rows = [line.split() for line in self.out.getvalue().splitlines() if line]
        self.assertEqual(rows[1], ["began", "session", "length", "size", "state"])
        bare, early, late, left = rows[2:6]
        self.assertEqual([bare[2], *bare[-2:]], ["bare", "no", "sidecar"])
        self.assertEqual(early[:4], ["2026-11-20", "09:30:00", "b-early", "1:01"])
        self.assertEqual([early[-1], late[-1], left[-1]], ["ended", "degraded", "left"])
        self.assertIn("4 recordings, 1:06, ", self.out.getvalue())

    def test_cut_sidecar(self) -> None:
        """A sidecar that lost its last line is told by that."""
        sidecar = made(self.folder, "cut", started_at=0).with_suffix(".jsonl")
        lines = sidecar.read_text("utf-8").splitlines(keepends=True)
        sidecar.write_text("".join(lines[:-1]), "utf-8")
        self.assertEqual(self.run_command("list", self.folder), 0)
        (cut,) = (row for row in self.out.getvalue().splitlines() if " cut " in row)
        self.assertEqual(cut.split()[-2:], ["no", "end"])

    def test_json(self) -> None:
        """Programs get all that is known of each at a glance."""
        self.listed()
        early, _ = self.told()
        del early["bytes"]
        self.assertEqual(
            early,
            {
                "session_id": "b-early",
                "call_id": "CA1",
                "path": str(self.day / "b-early.wav"),
                "state": "finished",
                "started_at": STARTED_AT,
                "duration_ms": 61_000,
                "why": "ended",
                "degraded": False,
                "sidecar": True,
                "to_do": False,
            },
        )

    def test_filters(self) -> None:
        """Times, sessions and faults choose; a time is in when it is the first."""
        for words, sessions in (
            ((), ["b-early", "a-late"]),
            (("--since", "2026-11-20T09:30"), ["b-early", "a-late"]),
            (("--since", "2026-11-20T09:31"), ["a-late"]),
            (("--until", "2026-11-20T11:30"), ["b-early"]),
            (("--since", "2026-11-21"), []),
            (("--session", "b-"), ["b-early"]),
            (("--degraded",), ["a-late"]),
        ):
            self.assertEqual(self.listed(*words), sessions, words)

    def test_wrong_time(self) -> None:
        """A time that is none is a mistake."""
        self.assertEqual(self.exits("list", self.folder, "--since", "noon"), 2)
        self.assertIn("'noon' is no time", self.errors.getvalue())

    def test_none(self) -> None:
        """An empty folder has no recordings, which is no mistake."""
        self.assertEqual(self.run_command("list", self.folder, "--session", "x"), 0)
        self.assertEqual(self.out.getvalue(), "0 recordings, 0:00, 0 B\n")

    def test_usual_folder(self) -> None:
        """Without a folder it is that of the service of this environment."""
        self.patch(os, "environ", {"TWISTEDVOICE_RECORDINGS": str(self.day)})
        self.assertEqual(self.run_command("list", "--json"), 0)
        self.assertEqual(len(self.told()), 1)
