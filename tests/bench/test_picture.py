"""Tests for :mod:`twistedvoice.bench.picture`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from twistedvoice.bench.picture import draw, lines, require_matplotlib
from twistedvoice.errors import BenchError

from .values import point


class PictureTests(SynchronousTestCase):
    """What many calls cost, drawn."""

    def test_draw(self) -> None:
        """The picture has a name for every contender, and the machine."""
        path = Path(self.mktemp() + ".svg")
        points = [point(name, n) for n in (50, 100) for name in ("service", "baseline")]
        draw([*points, point("service", 200, "invalid")], path, "the machine")
        text = path.read_text("utf-8")
        ElementTree.fromstring(text)
        for word in ("service", "baseline", "the machine"):
            self.assertIn(f"<!-- {word} -->", text)

    def test_elsewhere(self) -> None:
        """A server whose use is not known is drawn without it."""
        path = Path(self.mktemp() + ".svg")
        draw([point(server=None)], path, "")
        self.assertIn("<!-- service -->", path.read_text("utf-8"))

    def test_nothing_counts(self) -> None:
        """Where no run counts, the panels are empty, and nobody is warned."""
        path = Path(self.mktemp() + ".svg")
        draw([point("service", 200, "invalid")], path, "the machine")
        self.assertNotIn("<!-- service -->", path.read_text("utf-8"))
        self.assertEqual(self.flushWarnings(), [])

    def test_lines(self) -> None:
        """Every contender has a line; what does not count is not on it."""
        points = [point("service", n) for n in (100, 50)]
        found = lines([*points, point("baseline"), point("service", 9, "invalid")])
        self.assertEqual(
            {name: [each.calls for each in line] for name, line in found.items()},
            {"service": [50, 100], "baseline": [100]},
        )

    def test_no_matplotlib(self) -> None:
        """Without matplotlib it is said how to get it."""
        error = self.assertRaises(BenchError, require_matplotlib, lambda name: None)
        self.assertIn("twistedvoice[bench]", str(error))
