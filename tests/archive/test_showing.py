"""Tests for :mod:`twistedvoice.archive.showing`."""

from __future__ import annotations

from pathlib import Path

from tests.archive.made import made, made_busy
from tests.archive.people import CommandTestCase
from twistedvoice.archive import showing


class ShowTests(CommandTestCase):
    """``twistedvoice recordings show``."""

    def setUp(self) -> None:
        """A recording in which much happens."""
        super().setUp()
        self.path = made_busy(self.day)

    def show(self, *words: object) -> str:
        """:returns: what is printed of it."""
        status = self.run_command("show", "bus", "--folder", self.folder, *words)
        self.assertEqual(status, 0, self.errors.getvalue())
        return self.out.getvalue()

    def test_words(self) -> None:
        """What happened is told in order, with levels and waits."""
        shown = self.show()
        for line in (
            "began      2026-11-20 09:30:00 UTC",
            "length     0:22, ended, degraded",
            "caller     0:03 of speech at -26 dB, peak -14 dB",
            "turns      2 answers after 700 ms (median), 900 ms at most; 1 barge-in",
            "0:05.800  gap     240 ms, caller",
            "0:07.500  said    cleared, 4.2 s",
            "0:11.700  clear",
            "0:15.000  lost    400 ms",
            "0:17.000  clock   by -120 ms",
            "0:20.500  resume",
            "0:22.000  end     ended",
        ):
            self.assertIn(f"{line}\n", shown)

    def test_json(self) -> None:
        """Programs get the same in one line."""
        self.show("--json")
        (told,) = self.told()
        self.assertEqual(told["turns"][0], {"at": 6600, "ms": 900})
        self.assertEqual(told["barge_ins"], [{"at": 11_300, "ms": 400}])
        self.assertEqual(told["caller"]["speech_ms"], 3200)
        self.assertEqual(len(told["lines"]), 10)

    def test_silent(self) -> None:
        """Silence without a sidecar has no level, no turns and no lines."""
        path = made(self.folder, "silent")
        path.with_suffix(".jsonl").unlink()
        self.assertEqual(self.run_command("show", path), 0)
        self.assertIn("caller     silent\n", self.out.getvalue())
        self.assertIn("no answers to the caller, 0 barge-ins\n", self.out.getvalue())
        self.assertNotIn("What the sidecar says", self.out.getvalue())

    def test_picture(self) -> None:
        """The picture is drawn where it is wanted."""
        target = Path(self.mktemp())
        self.assertIn(f"drawn in {target}\n", self.show("--picture", target))
        self.assertEqual(target.read_bytes()[:4], b"\x89PNG")

    def test_no_matplotlib(self) -> None:
        """Without matplotlib it is said how to get it; the words need none."""
        self.patch(showing, "find_spec", lambda name: None)
        self.assertEqual(self.run_command("show", self.path, "--picture", "x.png"), 2)
        self.assertIn("pip install 'twistedvoice[plot]'", self.errors.getvalue())
        self.assertEqual(self.run_command("show", self.path), 0)

    def test_junk(self) -> None:
        """A file that is no sound is told, with 2."""
        (self.day / "junk.wav").write_bytes(b"junk")
        self.assertEqual(self.run_command("show", self.day / "junk.wav"), 2)
        self.assertIn("not as a WAV file", self.errors.getvalue())
