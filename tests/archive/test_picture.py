"""Tests for :mod:`twistedvoice.archive.picture`."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from matplotlib.image import imread
from matplotlib.text import Text
from twisted.trial.unittest import SynchronousTestCase

from tests.archive.made import made, made_busy
from tests.simulator.test_timeline import label_boxes
from twistedvoice.archive.catalog import scan
from twistedvoice.archive.picture import draw, picture
from twistedvoice.archive.story import Story, read_story


class PictureTests(SynchronousTestCase):
    """What is in the picture."""

    def setUp(self) -> None:
        """A recording in which much happens."""
        self.folder = Path(self.mktemp())
        made_busy(self.folder)
        self.story = self.read()

    def read(self) -> Story:
        """:returns: the last recording that there is."""
        *_, entry = scan(self.folder)
        return read_story(entry)

    def words(self) -> set[str]:
        """:returns: all text of the picture."""
        figure = picture(self.story)
        return {text.get_text().strip() for text in figure.findobj(Text)}

    def test_labels(self) -> None:
        """Figures, what happened, what is missing, and each wait are named."""
        self.assertLessEqual(
            {
                "20 Nov 2026, 09:30 UTC",
                "0.4 s are missing by a fault  ·  busy",
                *("0:22", "duration", "usual wait", "700 ms", "-24 dB"),
                *("caller", "service", "interrupts", "falls silent after 400 ms"),
                *("heard", "heard, probably", "gap 240 ms", "clock -120 ms"),
                *("pauses", "resumes"),
                *("lost 400 ms", "900 ms", "500 ms", "ended"),
            },
            self.words(),
        )

    def test_verdict(self) -> None:
        """Whether all is there stands under the day."""
        self.story.lines.clear()
        self.assertIn("ended by a fault  ·  busy", self.words())
        entry = evolve(self.story.entry, degraded=False)
        self.story = evolve(self.story, entry=entry)
        self.assertIn("whole  ·  busy", self.words())
        self.story = evolve(self.story, entry=evolve(entry, state="left"))
        self.assertIn("not finished  ·  busy", self.words())

    def test_labels_do_not_overlap(self) -> None:
        """No label covers another or leaves the picture."""
        figure = picture(self.story)
        boxes = label_boxes(figure)
        self.assertEqual(len(boxes), 10)
        for place, box in enumerate(boxes):
            self.assertEqual(box.count_overlaps(boxes[place + 1 :]), 0)
            self.assertLess(box.x1, figure.bbox.x1)

    def test_silence(self) -> None:
        """A recording of silence has a picture too, of a size for a slide."""
        made(self.folder, "silent")
        path = self.mktemp()
        draw(self.read(), path)
        height, width, _ = imread(path, format="png").shape
        self.assertEqual((width, height), (2040, 1147))
